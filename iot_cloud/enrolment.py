"""Who belongs to the cloud: issues, renews and revokes, in registry, revocation list and broker alike."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography import x509

from iot_cloud import certificates
from iot_cloud.authority import Authority
from iot_cloud.certificates import fingerprint, pem, public_key_sha256, read_request, serial_text, utc
from iot_cloud.errors import ConflictError, UnknownThingError
from iot_cloud.home import CloudHome
from iot_cloud.names import check_host, check_thing
from iot_cloud.policy import Role
from iot_cloud.registry import Certificate, Registry
from iot_cloud.settings import Settings

log = logging.getLogger(__name__)
DAY_S = 86_400
RENEW_BEFORE_DAYS = 30
OPEN_TO_REQUESTS = (Role.DEVICE, Role.WEB)


class Rights(Protocol):
    """The broker as enrolment needs it."""

    def admit(self, name: str, role: Role) -> None: ...  # noqa: D102

    def expel(self, name: str) -> None: ...  # noqa: D102


class NoRights:
    """Stands in for the broker where none runs: its rights are written from the registry when it starts."""

    def admit(self, name: str, role: Role) -> None: ...  # noqa: D102

    def expel(self, name: str) -> None: ...  # noqa: D102


@dataclass
class Enrolment:
    """The only writer of registry and revocation list while the cloud runs.

    Attributes:
        rights: the running broker.
        reload_trust: makes broker and service read CA and revocation list again.
    """

    home: CloudHome
    settings: Settings
    registry: Registry
    authority: Authority
    rights: Rights
    reload_trust: Callable[[], None] = lambda: None
    now: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self._lock = threading.RLock()

    def provision(self, thing: object, csr: object, role: object = "device") -> tuple[dict[str, Any], bool]:
        """A certificate for a thing's own key, and whether it is new; the same request gets the same again."""
        name, wanted = check_thing(thing), _role(role)
        request = read_request(csr)
        with self._lock:
            active = self.registry.active(name)
            for entry in active:
                if entry.public_key_sha256 == public_key_sha256(request) and entry.role == wanted:
                    self.rights.admit(name, wanted)
                    return self._answer(entry), False
            if active:
                raise ConflictError(f"{name} has a certificate for another key or role: renew or revoke it")
            entry = self._issue(name, request, wanted)
            self.rights.admit(name, wanted)
        return self._answer(entry), True

    def renew(self, thing: object, csr: object) -> tuple[dict[str, Any], bool]:
        """A further certificate for a thing; its predecessors stay valid for `overlap_days`."""
        name = check_thing(thing)
        request = read_request(csr)
        with self._lock:
            active = self._active(name)
            if active[0].public_key_sha256 == public_key_sha256(request) and not self._is_due(active[0]):
                return self._answer(active[0]), False
            entry = self._issue(name, request, Role(active[0].role))
            self.registry.supersede((old.serial for old in active), int(self.now()))
        return self._answer(entry), True

    def revoke(self, thing: object) -> dict[str, Any]:
        """End a thing: its certificates on the list, its rights gone, its session closed. May be repeated."""
        name = check_thing(thing)
        with self._lock:
            if not self.registry.of_thing(name):
                raise UnknownThingError(f"there is no thing {name}")
            serials = [entry.serial for entry in self.registry.active(name)]
            self.registry.revoke(serials, int(self.now()))
            self._publish_crl()
            self.rights.expel(name)
        log.info("revoked %s: %s", name, ", ".join(serials) or "was already")
        return {"thing": name, "revoked": serials}

    def things(self) -> list[dict[str, Any]]:
        """Every certificate that is not revoked."""
        with self._lock:
            return [entry.public() for entry in self.registry.all_active()]

    def server(self, name: object, hosts: object, csr: object) -> tuple[dict[str, Any], bool]:
        """A TLS server's certificate for its own key."""
        common_name, request = check_thing(name), read_request(csr)
        if not isinstance(hosts, Sequence) or isinstance(hosts, str) or not hosts:
            raise ConflictError("hosts must be a list of at least one name or address")
        certificate = certificates.server_certificate(
            self.authority.server_issuer,
            request,
            common_name,
            [check_host(host) for host in hosts],
            now=utc(self.now()),
            days=self.settings.certificate_days,
        )
        return _facts(common_name, certificate) | {"ca": self._ca()}, True

    def rotate_authority(self) -> None:
        """Begin a new authority beside the old one."""
        with self._lock:
            self.authority.rotate()
            self._publish_crl()

    def housekeeping(self) -> None:
        """What time brings: predecessors past their overlap are revoked."""
        with self._lock:
            overdue = [entry.serial for entry in self.registry.all_active() if self._is_overdue(entry)]
            if overdue:
                self.registry.revoke(overdue, int(self.now()))
                self._publish_crl()
                log.info("revoked after their overlap: %s", ", ".join(overdue))

    def guard_list(self) -> bool:
        """Sign the revocation list anew if it is half over or not ours any more; whether it was.

        A broker that reads an expired list locks everybody out; one that reads garbage lets the revoked in.
        """
        stale = self.authority.crl_is_stale(self.settings.crl_days)
        if stale:
            self._publish_crl()
        return stale

    def _publish_crl(self) -> None:
        self.authority.write_crl(self.settings.crl_days)
        self.reload_trust()

    def _active(self, name: str) -> list[Certificate]:
        active = self.registry.active(name)
        if not active:
            raise UnknownThingError(f"{name} has no valid certificate: provision it")
        return active

    def _issue(self, name: str, request: x509.CertificateSigningRequest, role: Role) -> Certificate:
        key = public_key_sha256(request)
        others = {entry.thing for entry in self.registry.of_key(key)} - {name}
        if others or any(entry.revoked_at for entry in self.registry.of_key(key)):
            raise ConflictError(f"the key was used before by {', '.join(others) or name}: make a new one")
        issuer = self.authority.issuer
        certificate = certificates.client_certificate(
            issuer, request, name, role, now=utc(self.now()), days=self.settings.certificate_days
        )
        facts = _facts(name, certificate)
        del facts["thing"]
        entry = Certificate(
            thing=name, role=role, issued_at=int(self.now()), issuer=fingerprint(issuer.certificate), **facts
        )
        self.registry.add(entry)
        log.info("issued %s to %s as %s", entry.serial, name, role)
        return entry

    def _is_due(self, entry: Certificate) -> bool:
        return entry.not_after - self.now() < RENEW_BEFORE_DAYS * DAY_S

    def _is_overdue(self, entry: Certificate) -> bool:
        overlap = self.settings.overlap_days * DAY_S
        return entry.superseded_at is not None and self.now() - entry.superseded_at >= overlap

    def _answer(self, entry: Certificate) -> dict[str, Any]:
        keys = ("thing", "certificate", "serial", "fingerprint", "public_key_sha256", "not_after", "role")
        return {key: getattr(entry, key) for key in keys} | {"ca": self._ca()}

    def _ca(self) -> str:
        return self.home.ca_certificates.read_text()


def _facts(name: str, certificate: x509.Certificate) -> dict[str, Any]:
    return {
        "thing": name,
        "certificate": pem(certificate),
        "serial": serial_text(certificate.serial_number),
        "fingerprint": fingerprint(certificate),
        "public_key_sha256": public_key_sha256(certificate),
        "not_after": int(certificate.not_valid_after_utc.timestamp()),
    }


def _role(role: object) -> Role:
    if role not in tuple(OPEN_TO_REQUESTS):
        raise ConflictError(f"the role must be device or web, not {role!r}")
    return Role(str(role))
