"""A built-in account's key: Web3 Secret Storage, encrypted with the person's passphrase."""

from typing import Any

from webapp.errors import InvalidInput

MIN_PASSPHRASE = 10
MAX_PASSPHRASE = 256
MAX_SCRYPT_BYTES = 512 * 2**20


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
        parameters = crypto["kdfparams"]
        if keystore["version"] != 3 or crypto["cipher"] != "aes-128-ctr":
            raise InvalidInput("keystore", "This is no version-3 key file.")
        if crypto["kdf"] == "scrypt":
            within = 0 < 128 * int(parameters["n"]) * int(parameters["r"]) <= MAX_SCRYPT_BYTES
            within = within and 0 < int(parameters["p"]) <= 16
        else:
            within = crypto["kdf"] == "pbkdf2" and 0 < int(parameters["c"]) <= 2_000_000
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput("keystore", "This is no key file: choose the JSON file that a wallet exported.") from error
    if not within:
        raise InvalidInput("keystore", "This key file asks for more work than a web server can do.")
    return dict(keystore)


def encrypt(key: bytes, passphrase: str, scrypt_n: int) -> dict[str, Any]:
    """Return the keystore of a private key; takes 256 MB and half a second with the default `scrypt_n`."""
    from eth_account import Account  # takes longer to load than most commands take

    return dict(Account.encrypt(key, passphrase, kdf="scrypt", iterations=scrypt_n))


def decrypt(keystore: dict[str, Any], passphrase: str) -> bytes:
    """Return the private key.

    Raises:
        ValueError: wrong passphrase.
    """
    from eth_account import Account

    return bytes(Account.decrypt(keystore, passphrase))


def address_of(key: bytes) -> str:
    """Return the address of a private key."""
    from eth_keys.datatypes import PrivateKey

    return PrivateKey(key).public_key.to_checksum_address()
