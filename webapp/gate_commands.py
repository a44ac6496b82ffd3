"""An operator's command to a gate: signed as EIP-712, kept, then put into the gate's shadow, which carries it out."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from sqlalchemy import select

from contracts.command import NO_SALE, command_data
from webapp.database import Database
from webapp.device_models import CommandRow
from webapp.errors import CloudError, Refused
from webapp.models import User
from webapp.services import Services

IN_TIME_S = 60
"""A gate obeys a command for so long and refuses it afterwards."""
NOT_SENT = "not sent"


@dataclass(frozen=True)
class Order:
    """What an operator wants of a gate: `open`, or the settling of a case as `opened` or `not-opened`."""

    chain_id: int
    thing: str
    device_id: int
    kind: str
    reason: str
    sale: str = NO_SALE
    attempt: int = 0


def order_data(order: Order, command_id: str, before: int) -> dict[str, Any]:
    """Return the typed data that is signed."""
    return command_data(
        chain_id=order.chain_id,
        device_id=order.device_id,
        id=command_id,
        kind=order.kind,
        sale=order.sale,
        attempt=order.attempt,
        reason=order.reason,
        before=before,
    )


def signer_of(row: CommandRow) -> str:
    """Return whose signature a kept command carries, worked out from the command itself."""
    order = Order(row.chain_id, row.thing, row.device_id, row.kind, row.reason, row.sale, row.attempt)
    data = encode_typed_data(full_message=order_data(order, row.id, row.before))
    return str(Account.recover_message(data, signature=row.signature))


def give(parts: Services, user: User, key: bytes, order: Order, form: str = "") -> bool:
    """Sign a command, keep it, and send it; False when this form has given the same command before.

    Raises:
        Refused: the form has given another command, or one that was not sent; nothing is sent.
        CloudError: the cloud did not take it; it is kept as not sent and never sent later.
    """
    command_id, before = form or uuid.uuid4().hex, int(time.time()) + IN_TIME_S
    database = parts.database
    data = order_data(order, command_id, before)
    signature = "0x" + Account.sign_typed_data(key, full_message=data).signature.hex().removeprefix("0x")
    row = CommandRow(
        **order.__dict__, id=command_id, user_id=user.id, signer=user.address, before=before, signature=signature
    )
    with database.write(f"command:{command_id}") as session:
        known = session.get(CommandRow, command_id)
        if known is None:
            session.add(row)
    if known is not None:
        _refuse_unless_same(known, row)
        return False
    names = ("id", "kind", "sale", "attempt", "reason", "before", "signature")
    try:
        parts.cloud.command(order.thing, {name: getattr(row, name) for name in names})
    except CloudError:
        _mark(database, command_id, NOT_SENT)
        raise
    return True


def _refuse_unless_same(known: CommandRow, row: CommandRow) -> None:
    said = (*Order.__dataclass_fields__, "user_id")
    if known.outcome == NOT_SENT:
        raise Refused("This command was not sent, and it is not sent later. Nothing was sent now: send the form again.")
    if any(getattr(known, name) != getattr(row, name) for name in said):
        raise Refused("This form has given another command. Nothing was sent: look at the gate, then send it again.")


def newest(database: Database, thing: str, most: int = 10) -> list[CommandRow]:
    """Return the newest commands to a gate, newest first."""
    query = select(CommandRow).where(CommandRow.thing == thing).order_by(CommandRow.created_at.desc(), CommandRow.id)
    with database.read() as session:
        return list(session.scalars(query.limit(most)))


def _mark(database: Database, command_id: str, outcome: str) -> None:
    with database.write() as session:
        row = session.get(CommandRow, command_id)
        if row is not None:
            row.outcome = outcome
