"""What a transaction says, decoded with the project's ABI."""

import re
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address
from sqlalchemy import select

from webapp.models import Event, SaleRow
from webapp.services import Services

_KINDS = (
    ("block", re.compile(r"\d{1,12}")),
    ("transaction", re.compile(r"0x[0-9a-fA-F]{64}")),
    ("address", re.compile(r"0x[0-9a-fA-F]{40}")),
)


def looked_for(text: str) -> str | None:
    """Return what this text names: `block`, `transaction`, `address`, or nothing."""
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(text)), None)


@dataclass(frozen=True)
class TransactionFacts:
    """A transaction as the node and the index know it."""

    hash: str
    sender: str
    to: str | None
    value_wei: int
    nonce: int
    block: int | None
    block_hash: str | None
    gas_used: int | None
    succeeded: bool | None
    events: list[Event]
    sale: str | None
    """The sale that it moves, if any: the buyer's privacy hangs on it."""


def transaction_facts(shop: Services, hash_: str) -> TransactionFacts | None:
    """Return what is known of a transaction, `None` if no node has it."""
    sent, receipt = shop.chain.node.batch(
        [("eth_getTransactionByHash", [hash_]), ("eth_getTransactionReceipt", [hash_])]
    )
    if not isinstance(sent, dict):
        return None
    to = to_checksum_address(sent["to"]) if sent.get("to") else None
    with shop.database.read() as db:
        events = list(db.scalars(select(Event).where(Event.tx_hash == hash_).order_by(Event.log_index)))
        sale = db.get(SaleRow, (shop.chain.chain_id, to)) if to else None
    mined: dict[str, Any] = receipt if isinstance(receipt, dict) else {}
    return TransactionFacts(
        hash=hash_,
        sender=to_checksum_address(sent["from"]),
        to=to,
        value_wei=int(sent["value"], 16),
        nonce=int(sent["nonce"], 16),
        block=int(mined["blockNumber"], 16) if mined else None,
        block_hash=mined.get("blockHash"),
        gas_used=int(mined["gasUsed"], 16) if mined else None,
        succeeded=mined["status"] == "0x1" if mined else None,
        events=events,
        sale=sale.address if sale else None,
    )
