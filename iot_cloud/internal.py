"""Certificates that the cloud issues to itself at every start: its server's, its service's, its administrator's."""

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from iot_cloud import certificates
from iot_cloud.authority import Authority
from iot_cloud.certificates import key_pem, new_key, pem, utc
from iot_cloud.connection import Endpoint
from iot_cloud.errors import ProcessError
from iot_cloud.home import CloudHome, write_private
from iot_cloud.names import ADMIN, OPERATOR, SERVICE
from iot_cloud.policy import INTERNAL
from iot_cloud.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def issue_internal(home: CloudHome, settings: Settings, authority: Authority, now: float) -> None:
    """Make every key that is missing and a fresh certificate for each."""
    for name in (SERVICE, ADMIN, OPERATOR):
        csr = _request(home, name)
        certificate = certificates.client_certificate(
            authority.issuer, csr, name, INTERNAL[name], now=utc(now), days=settings.certificate_days
        )
        write_private(home.keys / f"{name}.pem", pem(certificate))
    hosts = dict.fromkeys([settings.host, *LOOPBACK, *settings.names])
    server = certificates.server_certificate(
        authority.server_issuer,
        _request(home, "server"),
        "lading-cloud",
        hosts,
        now=utc(now),
        days=settings.certificate_days,
    )
    write_private(home.keys / "server.pem", pem(server))


def internal_endpoint(home: CloudHome, host: str, port: int, name: str) -> Endpoint:
    """How one of the cloud's own clients reaches the broker."""
    return Endpoint(host, port, home.ca_certificates, home.keys / f"{name}.pem", home.keys / f"{name}.key")


def _request(home: CloudHome, name: str) -> x509.CertificateSigningRequest:
    path = home.keys / f"{name}.key"
    if not path.exists():
        write_private(path, key_pem(new_key()))
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ProcessError(f"{path} holds no elliptic-curve key: delete it")
    return certificates.read_request(certificates.request(name, key))
