"""Accounts: who exists, what they may do, how a new one is made."""

import re
import secrets
import unicodedata
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from webapp.database import Database
from webapp.errors import InvalidInput
from webapp.keystore import address_of, check_passphrase
from webapp.models import User
from webapp.unlock import Unlocker


class Role(StrEnum):
    """What a person may do beyond buying, which everyone may."""

    ADMIN = "admin"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    SELLER = "seller"
    BUYER = "buyer"


STAFF = (Role.ADMIN, Role.OPERATOR, Role.AUDITOR)
"""Who may see buyers' addresses and open pickups."""

LOOKALIKE = {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE"}
_NAME = re.compile(r"[\w][\w .\-']{1,38}[\w]")


def check_name(name: str) -> str:
    """Return the name, normalised.

    Raises:
        InvalidInput: too short, too long, or with characters that imitate others.
    """
    name = as_known(name)
    if not _NAME.fullmatch(name):
        raise InvalidInput("name", "Use 3 to 40 letters, digits, spaces, dots or hyphens.")
    scripts = {unicodedata.name(letter, "").split()[0] for letter in name if letter.isalpha()}
    if len(scripts & LOOKALIKE) > 1:
        raise InvalidInput("name", "Use letters of one alphabet: a mixed name could be taken for another.")
    return name


def create_account(
    database: Database,
    unlocker: Unlocker,
    *,
    name: str,
    passphrase: str,
    role: Role = Role.BUYER,
    key: bytes | None = None,
) -> User:
    """Make a built-in account; its key is new unless one is brought along.

    Raises:
        InvalidInput: the name is taken or the passphrase too short.
    """
    name, passphrase = check_name(name), check_passphrase(passphrase)
    if find_by_name(database, name) is not None:
        raise InvalidInput("name", "That name is taken.")
    key = key or secrets.token_bytes(32)
    keystore = unlocker.seal(key, passphrase)
    return _add(database, User(name=name, address=address_of(key), role=role, keystore=keystore, verified=False))


def wallet_account(database: Database, address: str) -> User:
    """Return the account of a browser wallet, made on its first sign-in."""
    with database.read() as session:
        found = session.scalar(select(User).where(User.address == address))
    if found is not None:
        return found
    name = f"wallet {address[2:8]}{secrets.token_hex(2)}"
    return _add(database, User(name=name, address=address, role=Role.BUYER, keystore=None, verified=False))


def _add(database: Database, user: User) -> User:
    user.session_epoch, user.key_exported = 0, False
    try:
        with database.write() as session:
            session.add(user)
    except IntegrityError as error:
        raise InvalidInput("name", "That name or key already has an account here.") from error
    return user


def find_by_name(database: Database, name: str) -> User | None:
    """Return the account of that name; capitals do not tell two names apart."""
    with database.read() as session:
        same = select(User).where(func.lower(User.name) == as_known(name).lower())
        return session.scalar(same.order_by(User.name != as_known(name)).limit(1))


def as_known(name: str) -> str:
    """Return a name as accounts are known by it, however it was typed."""
    return unicodedata.normalize("NFKC", name).strip()


def find(database: Database, user_id: int) -> User | None:
    """Return the account of that id."""
    with database.read() as session:
        return session.get(User, user_id)
