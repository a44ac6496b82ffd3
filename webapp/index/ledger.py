"""Every block and transaction in the database, beside the events and in the same database transaction."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from eth_utils.address import to_checksum_address
from sqlalchemy import select
from sqlalchemy.orm import Session

from contracts.errors import LadingError
from contracts.headers import Header
from webapp.index import store
from webapp.index.calls import decode_call
from webapp.index.mapping import SALE, Entry, Row, kind_of
from webapp.ledger_models import MANY, LedgerBlock, LedgerTransaction, Refusal
from webapp.models import SaleRow

Json = dict[str, Any]
Kinds = Callable[[str | None], str | None]
"""Which of our contracts stands at an address."""
Ours = dict[str | None, str]
"""Factories and registries, and which contract each is."""


def block_row(chain_id: int, block: Json) -> Row:
    """Return a block's row."""
    return {
        "chain_id": chain_id,
        "number": int(block["number"], 16),
        "hash": block["hash"],
        "parent_hash": block["parentHash"],
        "timestamp": int(block["timestamp"], 16),
        "sealer": sealer_of(block),
        "gas_used": int(block["gasUsed"], 16),
        "gas_limit": int(block["gasLimit"], 16),
        "count": len(block["transactions"]),
    }


def sealer_of(block: Json) -> str:
    """Return who sealed a block: by its seal (EIP-225), or, where a chain has none, whom it says."""
    try:
        return str(to_checksum_address(Header.from_json(block).sealer))
    except LadingError:
        return str(to_checksum_address(block["miner"]))


def transaction_row(block: Row, sent: Json, receipt: Json, sale: str | None, kinds: Kinds) -> Row:
    """Return a transaction's row."""
    recipient = _address(sent.get("to"))
    name, args = decode_call(kinds(recipient), bytes.fromhex(sent["input"][2:]))
    return {
        "chain_id": block["chain_id"],
        "block": block["number"],
        "position": int(sent["transactionIndex"], 16),
        "hash": sent["hash"],
        "timestamp": block["timestamp"],
        "sender": _address(sent["from"]),
        "recipient": recipient,
        "created": _address(receipt.get("contractAddress")) if recipient is None else None,
        "value_wei": str(int(sent["value"], 16)),
        "nonce": int(sent["nonce"], 16),
        "gas_limit": int(sent["gas"], 16),
        "gas_used": int(receipt["gasUsed"], 16),
        "succeeded": receipt["status"] == "0x1",
        "sale": sale,
        "call": name,
        "args": args,
    }


def take_in(
    session: Session, blocks: Sequence[Row], sent: Sequence[tuple[Row, Json, Json]], moved: dict[str, str], ours: Ours
) -> None:
    """Add blocks and what was sent in them (block, transaction, receipt), once their events are in."""
    if not blocks:
        return
    recipients = {_address(one.get("to")) for _block, one, _receipt in sent}
    sales = known_sales(session, blocks[0]["chain_id"], recipients)
    kinds: Ours = dict.fromkeys(sales, "Sale")
    kinds |= ours
    rows = [
        transaction_row(block, one, receipt, moved.get(one["hash"]) or _among(sales, one), kinds.get)
        for block, one, receipt in sent
    ]
    store.insert(session, LedgerBlock, list(blocks))
    store.insert(session, LedgerTransaction, rows)


def moved_sales(entries: Iterable[Entry]) -> dict[str, str]:
    """Return which sale each transaction moves, by its hash; listing one moves none."""
    moved: dict[str, set[str]] = {}
    for entry in entries:
        if kind_of(entry.entity) == SALE and entry.name != "Listed":
            moved.setdefault(entry.tx_hash, set()).add(entry.address)
    return {hash_: sales.pop() if len(sales) == 1 else MANY for hash_, sales in moved.items()}


def known_sales(session: Session, chain_id: int, addresses: Iterable[str | None]) -> set[str]:
    """Return which of these addresses are sales of ours."""
    wanted = sorted({address for address in addresses if address})
    found: set[str] = set()
    for start in range(0, len(wanted), store.CHUNK):
        some = wanted[start : start + store.CHUNK]
        query = select(SaleRow.address).where(SaleRow.chain_id == chain_id, SaleRow.address.in_(some))
        found.update(session.scalars(query))
    return found


def keep_refusals(session: Session, refusals: Sequence[Row]) -> None:
    """Keep why contracts refused; this outlives the index, since nodes forget old states."""
    if refusals:
        store.upsert(session, Refusal, list(refusals))


def _among(sales: set[str], sent: Json) -> str | None:
    recipient = _address(sent.get("to"))
    return recipient if recipient in sales else None


def _address(text: str | None) -> str | None:
    return str(to_checksum_address(text)) if text else None
