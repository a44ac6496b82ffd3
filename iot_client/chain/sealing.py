"""Signed transactions rest in the journal sealed, since a release carries the voucher."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from iot_client.errors import JournalError


class Sealer:
    """AES-GCM under a key derived from the device's chain key."""

    def __init__(self, chain_key: bytes) -> None:
        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"lading-pi journal").derive(chain_key)
        self._cipher = AESGCM(derived)

    def seal(self, content: bytes) -> bytes:
        """Nonce and ciphertext."""
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher.encrypt(nonce, content, None)

    def open(self, sealed: bytes) -> bytes:
        """The content; raises `JournalError` for one that another key sealed."""
        try:
            return self._cipher.decrypt(sealed[:12], sealed[12:], None)
        except InvalidTag as error:
            raise JournalError("the journal was written with another device's key") from error
