"""A built-in account's key: Web3 Secret Storage, encrypted with the person's passphrase."""

import math
from typing import Any

from webapp.errors import InvalidInput

MIN_PASSPHRASE = 10
MAX_PASSPHRASE = 256
DERIVED_BYTES = 32
MAX_SCRYPT_BYTES = 512 * 2**20
MAX_PBKDF2_ROUNDS = 2_000_000


def check_passphrase(passphrase: str, field: str = "passphrase") -> str:
    """Return the passphrase if it is long enough to protect a key.

    Raises:
        InvalidInput: too short, or too long.
    """
    if not MIN_PASSPHRASE <= len(passphrase) <= MAX_PASSPHRASE:
        raise InvalidInput(field, f"Use {MIN_PASSPHRASE} to {MAX_PASSPHRASE} characters; several words are good.")
    return passphrase


def check_keystore(keystore: Any) -> dict[str, Any]:
    """Return an imported keystore if it is one and does not ask for absurd work.

    Raises:
        InvalidInput: it is no version-3 keystore, or its parameters are out of bounds.
    """
    try:
        crypto = keystore["crypto"]
        if keystore["version"] != 3 or crypto["cipher"] != "aes-128-ctr":
            raise InvalidInput("keystore", "This is no version-3 key file.")
        within = _affordable(crypto["kdf"], crypto["kdfparams"])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput("keystore", "This is no key file: choose the JSON file that a wallet exported.") from error
    if not within:
        raise InvalidInput("keystore", "This key file asks for more work than a web server can do.")
    return dict(keystore)


def _affordable(kdf: str, parameters: dict[str, Any]) -> bool:
    # A long derived key costs as much as a large n: every wallet derives 32 bytes.
    names = ("n", "r", "p") if kdf == "scrypt" else ("c",)
    dklen, *work = (parameters[name] for name in ("dklen", *names))
    if not all(type(one) is int and one > 0 for one in (dklen, *work)):
        raise TypeError(names)
    most = MAX_SCRYPT_BYTES // 128 if kdf == "scrypt" else MAX_PBKDF2_ROUNDS
    return dklen == DERIVED_BYTES and math.prod(work) <= most and kdf in ("scrypt", "pbkdf2")


def encrypt(key: bytes, passphrase: str, scrypt_n: int) -> dict[str, Any]:
    """Return the keystore of a private key; takes 256 MB and half a second with the default `scrypt_n`."""
    from eth_account import Account  # takes longer to load than most commands take

    return dict(Account.encrypt(key, passphrase, kdf="scrypt", iterations=scrypt_n))


def decrypt(keystore: dict[str, Any], passphrase: str) -> bytes:
    """Return the private key.

    Raises:
        ValueError: wrong passphrase.
        TypeError: what was sealed is no private key.
    """
    from eth_account import Account
    from eth_utils.exceptions import ValidationError

    key = bytes(Account.decrypt(keystore, passphrase))
    try:
        address_of(key)
    except ValidationError as error:
        raise TypeError(str(error)) from error
    return key


def address_of(key: bytes) -> str:
    """Return the address of a private key."""
    from eth_keys.datatypes import PrivateKey

    return PrivateKey(key).public_key.to_checksum_address()
