"""The certificates and lists that the gateway is given, read and examined before nginx sees them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from proxy.errors import SettingsError
from proxy.settings import Settings

SOURCES = {
    "certificate": "get it by lading-gateway certificate",
    "key": "get it by lading-gateway certificate",
    "client_ca": "lading-cloud up makes it",
    "client_crl": "lading-cloud up makes it",
    "selectors_file": "write it by python -m contracts selectors --json",
}
"""How each file comes about."""

PEM_LIST = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)
SELECTOR = re.compile(r"(?:0x)?([0-9a-f]{8})")


@dataclass(frozen=True)
class Material:
    """What is copied beside nginx's configuration; `closed` says why no certificate is accepted for now."""

    certificate: bytes
    key: bytes
    client_ca: bytes
    client_crl: bytes
    selectors: tuple[str, ...]
    closed: str = ""


def read_material(settings: Settings) -> Material:
    """Read everything and refuse what cannot work.

    Raises:
        SettingsError: names the file and what is wrong with it.
    """
    certificate, key = _read(settings.certificate, "certificate"), _read(settings.key, "key")
    check_pair(certificate, key, settings)
    client_ca, client_crl = _read(settings.client_ca, "client_ca"), _read(settings.client_crl, "client_crl")
    check_revocations(client_crl, check_authorities(client_ca, settings.client_ca), settings.client_crl)
    return Material(certificate, key, client_ca, client_crl, read_selectors(settings.selectors_file))


def check_pair(certificate: bytes, key: bytes, settings: Settings) -> None:
    """The server's certificate is in its time and the key is its own."""
    leaf = _certificates(certificate, settings.certificate)[0]
    try:
        own = load_pem_private_key(key, password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{settings.key} is not a private key without a password") from error
    if _spki(own) != _spki(leaf.public_key()):
        raise SettingsError(f"{settings.key} does not belong to {settings.certificate}")
    if not leaf.not_valid_before_utc <= datetime.now(UTC) <= leaf.not_valid_after_utc:
        raise SettingsError(f"{settings.certificate} is not valid now (until {leaf.not_valid_after_utc:%F %T} UTC)")


def check_authorities(content: bytes, path: Path) -> list[x509.Certificate]:
    """The authorities of one cloud: one, or two while it changes to a new one. A serial names a device among them."""
    found = _certificates(content, path)
    if not all(_is_authority(one) for one in found):
        raise SettingsError(f"{path} must hold authorities and nothing else")
    return found


def check_revocations(content: bytes, authorities: Sequence[x509.Certificate], path: Path) -> None:
    """Each authority's list is its own and has not expired: an expired or missing one locks out every device."""
    lists = _revocation_lists(content, path)
    for authority in authorities:
        own = [one for one in lists if _is_signed(one, authority)]
        if not own:
            raise SettingsError(f"{path} is not signed by the CA in client_ca")
        ends = own[0].next_update_utc
        if ends is not None and ends < datetime.now(UTC):
            raise SettingsError(f"{path} has expired on {ends:%F %T} UTC: let the CA write a new one")


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _revocation_lists(content: bytes, path: Path) -> list[x509.CertificateRevocationList]:
    blocks = PEM_LIST.findall(content)
    try:
        lists = [x509.load_pem_x509_crl(block) for block in blocks]
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{path} is not a revocation list") from error
    if not lists:
        raise SettingsError(f"{path} is not a revocation list")
    return lists


def _is_signed(revocations: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    try:
        own = revocations.is_signature_valid(authority.public_key())  # type: ignore[arg-type]  # it says TypeError itself
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return own and revocations.issuer == authority.subject


def read_selectors(path: Path) -> tuple[str, ...]:
    """The project's function selectors, without 0x."""
    try:
        listed = json.loads(_read(path, "selectors_file"))
    except ValueError as error:
        raise SettingsError(f"{path} is not JSON: write it with python -m contracts selectors --json") from error
    if isinstance(listed, dict):  # function to selector, as the contracts' own command prints it
        listed = list(listed.values())
    listed = list(listed.values()) if isinstance(listed, dict) else listed
    if not isinstance(listed, list) or not listed:
        raise SettingsError(f"{path} must be a list of selectors such as 0x12345678, or an object of them by name")
    matches = [SELECTOR.fullmatch(str(entry).lower()) for entry in listed]
    if not all(matches):
        raise SettingsError(f"{path}: {listed[matches.index(None)]!r} is not a selector such as 0x12345678")
    return tuple(sorted({match.group(1) for match in matches if match}))


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        hint = f"; {SOURCES[setting]}" if isinstance(error, FileNotFoundError) else ""
        raise SettingsError(f"[gateway] {setting}: {path}: {error.strerror}{hint}") from error


def _certificates(content: bytes, path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise SettingsError(f"{path} is not a certificate") from error


def _spki(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]
