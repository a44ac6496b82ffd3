"""The device's two keys, made on it and never leaving it."""

import hashlib
import json
import secrets
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from eth_account import Account
from eth_account.signers.local import LocalAccount

from iot_client.errors import EnrolmentError
from iot_client.identity.files import write_secret

# A random passphrase needs no costly derivation, and a Pi starts sooner.
SCRYPT_N = 4_096


def make_chain_key(keystore: Path, password: Path) -> LocalAccount:
    """A new chain key in a keystore, its random passphrase in a file beside it."""
    passphrase = secrets.token_hex(32)
    account = cast("LocalAccount", Account.create(secrets.token_hex(32)))
    encrypted = Account.encrypt(account.key, passphrase, kdf="scrypt", iterations=SCRYPT_N)
    write_secret(password, passphrase.encode() + b"\n")
    write_secret(keystore, json.dumps(encrypted).encode() + b"\n")
    return account


def load_chain_key(keystore: Path, password: Path) -> LocalAccount:
    """The chain key; says which file is wrong."""
    for path in (keystore, password):
        if not path.exists():
            raise EnrolmentError(f"{path} does not exist: enrol this device first (lading-pi enrol)")
        if path.stat().st_mode & 0o077:
            raise EnrolmentError(f"{path} can be read by others: chmod 600 {path}")
    try:
        key = Account.decrypt(json.loads(keystore.read_text()), password.read_text().strip())
    except (ValueError, KeyError, TypeError) as error:
        raise EnrolmentError(f"{keystore} cannot be opened with the passphrase in {password}") from error
    return cast("LocalAccount", Account.from_key(key))


def make_x509_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """A new P-256 key for TLS."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_secret(path, pem)
    return key


def load_x509_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The key for TLS."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise EnrolmentError(f"{path} is not this device's key: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise EnrolmentError(f"{path} is not an elliptic curve key")
    return key


def signing_request(key: ec.EllipticCurvePrivateKey, thing: str) -> str:
    """The CSR of a thing, PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, thing)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def public_key_hash(key: ec.EllipticCurvePublicKey) -> bytes:
    """SHA-256 of the public key, DER SubjectPublicKeyInfo: what the registry ties to the device."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
