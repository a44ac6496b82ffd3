"""Keys of accounts (keystores, web3 secret storage v3) and of nodes (devp2p)."""

import json
import secrets
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keys.datatypes import PrivateKey

from geth_network.folder import read_secret, write_atomically

# The password is 32 random bytes, so a slow key derivation would add nothing but waiting.
SCRYPT_ROUNDS = 2**12


def create_account(folder: Path) -> str:
    """Makes an account: keystore.json and password, both 0600; returns its address."""
    password = secrets.token_hex(32)
    account: LocalAccount = Account.create()
    keystore = Account.encrypt(account.key, password, kdf="scrypt", iterations=SCRYPT_ROUNDS)
    write_atomically(folder / "password", password + "\n")
    write_atomically(folder / "keystore.json", json.dumps(keystore))
    return str(account.address)


def load_account(folder: Path) -> LocalAccount:
    """Opens an account that `create_account` made."""
    keystore, password = read_secret(folder / "keystore.json"), read_secret(folder / "password")
    account: LocalAccount = Account.from_key(Account.decrypt(keystore, password))
    return account


def create_node_key(path: Path) -> str:
    """Makes a node's own key; returns the public key as in its enode address."""
    key = PrivateKey(secrets.token_bytes(32))
    write_atomically(path, key.to_hex()[2:])
    return str(key.public_key.to_hex()[2:])
