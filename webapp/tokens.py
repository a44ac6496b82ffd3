"""Personal tokens: what a person hands to a program. Only a digest is kept; scopes narrow what the person may do."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select, update

from webapp.database import Database
from webapp.errors import InvalidInput
from webapp.models import User, now
from webapp.token_models import ApiToken

PREFIX = "lading_"
DAY_S = 86_400
MOST = 50
"""Tokens that are good at once, a person."""
USED_EVERY_S = 60
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,64}")


class Scope(StrEnum):
    """What a token may be good for; never more than its person may do."""

    READ = "read"
    ORDERS = "orders"
    RECEIPTS = "receipts"
    WAREHOUSE = "warehouse"
    SEND = "send"


WORDS = {
    Scope.READ: "market, sites, explorer, events, as you see them",
    Scope.ORDERS: "what you bought and sent",
    Scope.RECEIPTS: "your barcodes: whoever has one can collect the goods",
    Scope.WAREHOUSE: "devices, gates and releases of your sites",
    Scope.SEND: "send transactions that your own wallet signed",
}


@dataclass(frozen=True)
class Bearer:
    """Who comes with a token, and what it is good for."""

    user: User
    scopes: frozenset[str]


def digest_of(token: str) -> str:
    """Return what is kept of a token: it has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_token(database: Database, user: User, name: str, scopes: list[str], days: int) -> str:
    """Return a new token; this is the only time that anybody sees it.

    Raises:
        InvalidInput: no name, no scope, too long, or too many.
    """
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise InvalidInput("name", "Name the program, in up to 64 characters.")
    chosen = [scope for scope in Scope if scope in scopes]
    if not chosen or len(chosen) != len(set(scopes)):
        raise InvalidInput("scopes", "Choose what the token is good for.")
    if not 1 <= days <= 365:
        raise InvalidInput("days", "A token is good for 1 to 365 days.")
    if len([row for row in tokens_of(database, user) if row.revoked_at is None]) >= MOST:
        raise InvalidInput("name", f"You have {MOST} tokens. Revoke one first.")
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(user_id=user.id, name=name, digest=digest_of(token), scopes=" ".join(chosen))
    row.created_at = now()
    row.expires_at = row.created_at + days * DAY_S
    with database.write() as session:
        session.add(row)
    return token


def tokens_of(database: Database, user: User) -> list[ApiToken]:
    """Return a person's tokens that have not run out, newest first."""
    query = select(ApiToken).where(ApiToken.user_id == user.id, ApiToken.expires_at > now())
    with database.read() as session:
        return list(session.scalars(query.order_by(ApiToken.id.desc()).limit(200)))


def revoke(database: Database, user: User, token_id: int) -> bool:
    """End a token of this person; whether there was one."""
    mine = (ApiToken.id == token_id, ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    with database.write() as session:
        if session.scalar(select(ApiToken.id).where(*mine)) is None:
            return False
        session.execute(update(ApiToken).where(*mine).values(revoked_at=now()))
    return True


def bearer_of(database: Database, token: str) -> Bearer | None:
    """Return who comes with this token, `None` if it is none, or no longer good."""
    good = (ApiToken.digest == digest_of(token), ApiToken.revoked_at.is_(None), ApiToken.expires_at > now())
    with database.read() as session:
        found = session.execute(select(ApiToken, User).join(User, User.id == ApiToken.user_id).where(*good)).first()
    if found is None:
        return None
    row, user = found
    if row.used_at is None or now() - row.used_at >= USED_EVERY_S:
        with database.write() as session:
            session.execute(update(ApiToken).where(ApiToken.id == row.id).values(used_at=now()))
    return Bearer(user, frozenset(row.scopes.split()))
