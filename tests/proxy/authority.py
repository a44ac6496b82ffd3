"""A CA of the tests' own, with devices' certificates and a revocation list."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class Authority:
    """Issues, revokes, and writes ca.pem and crl.pem."""

    chain = b""

    def __init__(self, folder: Path, name: str = "Lading test CA", issuer: "Authority | None" = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._revoked: list[int] = []
        self.ca, self.crl = folder / "ca.pem", folder / "crl.pem"
        self.root = self.ca
        above = issuer or self
        own = above._builder(self._name, self._key, timedelta(days=-1), timedelta(days=30))
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        own = own.add_extension(_usage(sign=True), critical=True)
        self.ca.write_bytes(own.sign(above._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        self.write_crl()

    def issue(self, *common_names: str, hosts: tuple[str, ...] = (), days: tuple[int, int] = (-1, 30)) -> "Identity":
        """A certificate with these common names, valid in this span of days from today."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in common_names])
        builder = self._builder(subject, key, timedelta(days=days[0]), timedelta(days=days[1]))
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(purposes, critical=False)
        if hosts:
            builder = builder.add_extension(_names(hosts), critical=False)
        saved = _save(self.folder, "-".join(common_names), builder.sign(self._key, hashes.SHA256()), key)
        saved.certificate.write_bytes(saved.certificate.read_bytes() + self.chain)
        return saved

    def intermediate(self, name: str) -> "Authority":
        """An authority below this one; what it issues comes with its own certificate behind it."""
        below = Authority(self.folder / "below", name, self)
        below.chain, below.root = below.ca.read_bytes(), self.ca
        return below

    @classmethod
    def alone(cls, folder: Path, name: str) -> "Identity":
        """A certificate that its own key has signed."""
        authority = cls(folder, name)
        certificate = x509.load_pem_x509_certificate(authority.ca.read_bytes())
        return _save(folder, name, certificate, authority._key)

    def revoke(self, identity: "Identity") -> None:
        """Put a certificate on the list."""
        self._revoked.append(int(identity.serial, 16))
        self.write_crl()

    def write_crl(self, next_update: timedelta = timedelta(days=30)) -> None:
        """Write the list in one step."""
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self._name)
        builder = builder.last_update(now - timedelta(days=2)).next_update(now + next_update)
        for serial in self._revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(entry)
        draft = self.folder / "crl.new"
        draft.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        draft.replace(self.crl)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, start: timedelta, end: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now + start).not_valid_after(now + end)


class Identity:
    """A certificate, its key, and its serial in hexadecimal."""

    def __init__(self, certificate: Path, key: Path, serial: str) -> None:
        self.certificate, self.key, self.serial = certificate, key, serial


def _save(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Identity:
    stem = f"{name.replace('/', '_')}-{certificate.serial_number:x}"
    certificate_path, key_path = folder / f"{stem}.pem", folder / f"{stem}.key"
    certificate_path.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key_path.chmod(0o600)
    return Identity(certificate_path, key_path, f"{certificate.serial_number:x}")


def _names(hosts: tuple[str, ...]) -> x509.SubjectAlternativeName:
    import ipaddress

    return x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host)) for host in hosts])


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign,
        crl_sign=sign,
        encipher_only=False,
        decipher_only=False,
    )
