"""The certificate authority's files: made on first use, rotated with overlap, its revocation list kept fresh.

`ca.pem` holds every authority that clients may still come from, the issuing one first; `ca.key` is the issuing
key, `retired-<n>.{pem,key}` are predecessors, kept because their revocation lists must still be signed.
"""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from iot_cloud import certificates
from iot_cloud.certificates import Issuer, Revocation, fingerprint, key_pem, pem, utc
from iot_cloud.errors import CloudError
from iot_cloud.home import CloudHome, write_private
from iot_cloud.registry import Registry


class Authority:
    """Signs certificates and revocation lists for one run folder."""

    def __init__(self, home: CloudHome, registry: Registry, now: Callable[[], float] = time.time) -> None:
        self._home, self._registry, self._now = home, registry, now
        self._writing = threading.Lock()
        self._written = b""
        if not (home.ca / "ca.key").exists():
            self._install(certificates.new_authority(f"Lading CA {os.urandom(4).hex()}", utc(now())))

    @property
    def issuer(self) -> Issuer:
        """The authority that signs today."""
        return _load(self._home.ca / "issuer.pem", self._home.ca / "ca.key")

    @property
    def all_issuers(self) -> list[Issuer]:
        """Every authority whose certificates may still be good, the issuing one first."""
        retired = sorted(self._home.ca.glob("retired-*.pem"), reverse=True)
        found = [self.issuer, *(_load(path, path.with_suffix(".key")) for path in retired)]
        return [issuer for issuer in found if issuer.certificate.not_valid_after_utc > utc(self._now())]

    @property
    def server_issuer(self) -> Issuer:
        """The oldest of them: devices that have not heard of a new authority must go on trusting the servers."""
        return self.all_issuers[-1]

    def rotate(self) -> None:
        """Begin a new authority; what the old one signed stays good until it expires or is revoked."""
        number = 1 + len(list(self._home.ca.glob("retired-*.pem")))
        retired = self._home.ca / f"retired-{number:03d}.pem"
        write_private(retired.with_suffix(".key"), (self._home.ca / "ca.key").read_bytes())
        write_private(retired, (self._home.ca / "issuer.pem").read_bytes())
        self._install(certificates.new_authority(f"Lading CA {os.urandom(4).hex()}", utc(self._now())))

    def retire_predecessors(self) -> int:
        """Distrust every authority but the issuing one; how many there were."""
        retired = list(self._home.ca.glob("retired-*"))
        for path in retired:
            path.unlink()
        write_private(self._home.ca_certificates, pem(self.issuer.certificate))
        return len(retired) // 2

    def write_crl(self, days: int) -> None:
        """Sign the revocation list of every authority anew and replace the file atomically.

        It is read back first: a broker that loads a garbage list lets revoked certificates in.
        """
        with self._writing:
            number = self._registry.next_number("crl")
            texts = [pem(self._revocation_list(issuer, number, days)) for issuer in self.all_issuers]
            for text in texts:
                if x509.load_pem_x509_crl(text.encode()).next_update_utc is None:
                    raise CloudError(f"the revocation list {number} does not read back")
            self._written = "".join(texts).encode()
            write_private(self._home.crl, self._written)

    def crl_is_stale(self, days: int) -> bool:
        """Whether the file is not what was written last, or has less than half of its days left."""
        try:
            text = self._home.crl.read_bytes()
        except OSError:
            return True
        if text != self._written:
            return True
        end = x509.load_pem_x509_crl(text).next_update_utc
        return end is None or end.timestamp() - self._now() < days * 86_400 / 2

    def _revocation_list(self, issuer: Issuer, number: int, days: int) -> x509.CertificateRevocationList:
        revoked = [
            Revocation(int(entry.serial, 16), utc(entry.revoked_at or 0))
            for entry in self._registry.revoked(fingerprint(issuer.certificate))
        ]
        return certificates.revocation_list(issuer, revoked, number, utc(self._now()), days)

    def _install(self, issuer: Issuer) -> None:
        write_private(self._home.ca / "issuer.pem", pem(issuer.certificate))
        write_private(self._home.ca / "ca.key", key_pem(issuer.key))
        write_private(self._home.ca_certificates, "".join(pem(each.certificate) for each in self.all_issuers))


def _load(certificate: Path, key: Path) -> Issuer:
    private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise CloudError(f"{key} holds no elliptic-curve key")
    return Issuer(x509.load_pem_x509_certificate(certificate.read_bytes()), private)
