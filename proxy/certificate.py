"""The gateway's own server certificate: its key is made here and stays, the IoT cloud's authority signs the request."""

import http.client
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from proxy.admin import request_admin
from proxy.errors import NotRunningError, RefusedError, SettingsError
from proxy.settings import Settings
from proxy.store import write_secret

NAME = "gateway"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # addresses that no client can call


def write_request(settings: Settings, path: Path) -> str:
    """Write a signing request for the gateway's key, for a cloud on another machine; what is to be done with it."""
    write_secret(path, _request(_key(settings.key)).encode())
    return (
        f"Where the cloud runs: lading-cloud server-certificate {NAME} --csr {path.name} --host NAME --out .\n"
        f"then put {NAME}.pem here as {settings.certificate}"
    )


def issue(settings: Settings, hosts: Sequence[str]) -> str:
    """Let the cloud of this run folder sign; certificate and key are where the settings look for them.

    Raises:
        NotRunningError: no cloud answers.
        RefusedError: it did not sign.
    """
    names = list(dict.fromkeys([*hosts, *(host for host in (settings.host,) if host not in EVERYWHERE)]))
    if not names:
        raise SettingsError(f"[gateway] host is {settings.host}: say with --host by which names devices call it")
    body = {"name": NAME, "hosts": names, "csr": _request(_key(settings.key))}
    socket = settings.home / "cloud" / "admin.sock"
    try:
        status, answer = request_admin(socket, "POST", "/servers", body)
    except (OSError, ValueError, IndexError, http.client.HTTPException) as error:
        raise NotRunningError(
            f"nothing answers on {socket}: start the cloud with lading-cloud up, "
            "or use --request FILE where it runs elsewhere"
        ) from error
    if status >= 400:
        raise RefusedError(f"the cloud does not sign: {answer['error']['message']}")
    write_secret(settings.certificate, answer["certificate"].encode())
    return f"{settings.certificate}: for {', '.join(names)}; lading-gateway reload takes it into force"


def _key(path: Path) -> CertificateIssuerPrivateKeyTypes:
    """The key in this file, made if there is none: a renewal keeps it, so certificate and key never part."""
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        write_secret(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return key
    try:
        return load_pem_private_key(path.read_bytes(), password=None)  # type: ignore[return-value]
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(f"{path} is not a private key without a password that can be read") from error


def _request(key: CertificateIssuerPrivateKeyTypes) -> str:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()
