"""Sending what the person's own wallet signed, through the outbox: stored, sent, sent again until it is mined."""

import hashlib
from dataclasses import dataclass
from typing import Any

from apiflask import Schema
from apiflask.fields import String
from apiflask.validators import Length, Regexp
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction  # type: ignore[attr-defined]  # not re-exported
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from flask import url_for
from hexbytes import HexBytes
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from contracts.calls import Call
from webapp.api.operation import caller, operation
from webapp.api.orders import OneSentOut
from webapp.api.problems import Problem
from webapp.index.calls import decode_call
from webapp.models import SaleRow, Transaction, User, now
from webapp.outbox import OPEN, State
from webapp.services import services
from webapp.tokens import Scope

LONGEST = 2 + 2 * 128 * 1024


class RawIn(Schema):
    """A signed transaction (EIP-1559, type 2) as a wallet gives it."""

    raw = String(required=True, validate=[Regexp(r"^0x([0-9a-fA-F]{2})+$"), Length(max=LONGEST)])


class KeyIn(Schema):
    """Names the request: the same key and body again have no further effect and get the same answer."""

    idempotency_key = String(
        required=True, data_key="Idempotency-Key", validate=[Length(min=1, max=255), Regexp(r"^[\x21-\x7e]+$")]
    )


@dataclass(frozen=True)
class Signed:
    """What the bytes say."""

    raw: bytes
    hash: str
    sender: str
    nonce: int
    call: Call


def read_signed(text: str, chain_id: int) -> Signed:
    """Return what a signed transaction says.

    Raises:
        Problem: it is none, or one of another chain.
    """
    raw = bytes.fromhex(text[2:])
    try:
        said = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        sender = Account.recover_transaction(raw)
        to = to_checksum_address(said["to"]) if said["to"] else None
        call = Call(to, HexBytes(said["data"]), int(said["value"]), int(said["gas"]))
        facts = int(said["chainId"]), int(said["nonce"]), int(said["type"])
    except Exception as error:  # the library answers nonsense with many kinds of exceptions
        raise Problem(422, "bad-transaction", "These bytes are no signed transaction of type 2.") from error
    if facts[0] != chain_id or facts[2] != 2 or facts[1] >= 2**63:
        raise Problem(422, "other-chain", f"Sign a transaction of type 2 for chain {chain_id}.")
    return Signed(raw, "0x" + keccak(raw).hex(), sender, facts[1], call)


@operation(
    "/transactions",
    "Send a signed transaction",
    output=OneSentOut,
    body=RawIn,
    headers=KeyIn,
    method="POST",
    scope=Scope.SEND,
    status=202,
)
def send(headers: dict[str, Any], body: dict[str, Any]) -> Any:
    """Store a transaction that your own wallet signed, and send it until it is mined; `/sent/{id}` tells how far it is.

    It is tried before it is stored: what the contract would refuse is refused here, and nothing is sent.
    """
    shop, user = services(), caller()
    form = hashlib.sha256(f"api:{headers['idempotency_key']}".encode()).hexdigest()
    signed = read_signed(body["raw"], shop.chain.chain_id)
    row = _known(user, form, signed) or _store(user, form, signed)
    location = url_for("api.one_sent", key=row.id)
    return row, 202, {"Location": location}


def _known(user: User, form: str, signed: Signed) -> Transaction | None:
    """Return what an earlier request with this key, or with these bytes, has stored."""
    before = services().outbox.find(user.id, form)
    if before and before[0].hash != signed.hash:
        raise Problem(422, "key-reused", "This Idempotency-Key belongs to another transaction. Take a new key.")
    if before:
        return before[0]
    with services().database.read() as db:
        return db.scalar(select(Transaction).where(Transaction.hash == signed.hash, Transaction.user_id == user.id))


def _store(user: User, form: str, signed: Signed) -> Transaction:
    shop = services()
    _check(user, signed)
    with shop.database.read() as db:
        sale = db.get(SaleRow, (shop.chain.chain_id, signed.call.to or ""))
    name, _args = decode_call("Sale" if sale else None, bytes(signed.call.data))
    row = Transaction(
        user_id=user.id, idempotency_key=form, part=0, chain_id=shop.chain.chain_id, sender=signed.sender,
        nonce=signed.nonce, hash=signed.hash, raw=signed.raw, purpose=(name or "payment")[:32],
        subject=sale.address if sale else (signed.call.to or "a new contract"),
        details={"title": f"{sale.make} {sale.model}" if sale else "Sent by a program"},
        state=State.STORED, confirmations=0, created_at=now(),
    )  # fmt: skip
    try:
        with shop.database.write(f"nonce:{signed.sender}") as db:
            if _nonce_taken(db, signed):
                raise Problem(409, "nonce-taken", f"Nonce {signed.nonce} belongs to a transaction that is under way.")
            db.add(row)
    except IntegrityError as error:
        known = _known(user, form, signed)
        if known is None:
            raise Problem(409, "nonce-taken", "This transaction was sent by another account.") from error
        return known
    shop.outbox.broadcast([row])
    return row


def _check(user: User, signed: Signed) -> None:
    """Refuse what is not this person's, was mined already, or the contract would refuse."""
    if signed.sender != user.address:
        raise Problem(403, "not-your-wallet", "Another wallet than this account's signed it. Nothing was sent.")
    if signed.nonce < services().chain.nonce(signed.sender):
        raise Problem(409, "nonce-used", f"Nonce {signed.nonce} is used already. Nothing was sent.")
    services().chain.check(signed.sender, signed.call)


def _nonce_taken(db: Any, signed: Signed) -> bool:
    same = (Transaction.chain_id == services().chain.chain_id, Transaction.sender == signed.sender)
    open_ = (Transaction.nonce == signed.nonce, Transaction.state.in_(OPEN), Transaction.hash != signed.hash)
    return db.scalar(select(Transaction.id).where(*same, *open_).limit(1)) is not None
