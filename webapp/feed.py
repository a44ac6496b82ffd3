"""What is told to those who listen: appended by the index's writer in the transaction that changes the index.

An id is `Last-Event-ID`. Rows are never changed but for `standing`; the oldest go after a while. A block that is read
again, as after `index rebuild`, is not told again; one that was undone is taken back by a row of its own.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from webapp.index import store
from webapp.index.mapping import SALE, Entry, Row
from webapp.ledger_models import FeedRow

ORDER, REGISTRY, BLOCK, UNDONE = "order", "registry", "block", "undone"
KEEP = 500_000
"""Rows that a listener may still catch up with: some days of a chain with a block a second."""


def tell(session: Session, chain_id: int, blocks: Sequence[Row], entries: Iterable[Entry]) -> None:
    """Tell these blocks, which lie on one another, and their entries; what was told before is not told again."""
    if not blocks:
        return
    told, oldest = _told(session, chain_id, blocks[0]["number"], blocks[-1]["number"])
    changed = next((block for block in blocks if told.get(block["number"], block["hash"]) != block["hash"]), None)
    if changed is not None:
        take_back(session, chain_id, changed["number"] - 1)
        told = {number: hash_ for number, hash_ in told.items() if number < changed["number"]}
    by_block: dict[int, list[Entry]] = {}
    for entry in entries:
        by_block.setdefault(entry.block, []).append(entry)
    fresh = [block for block in blocks if block["number"] not in told and block["number"] >= oldest]
    rows = [row for block in fresh for row in _rows_of(block, by_block.get(block["number"], []))]
    store.insert(session, FeedRow, rows)
    _prune(session, chain_id)


def take_back(session: Session, chain_id: int, number: int) -> None:
    """Tell that every block above `number` was undone, if any of them had been told."""
    above = (FeedRow.chain_id == chain_id, FeedRow.standing, FeedRow.block > number)
    if session.scalar(select(FeedRow.id).where(*above).limit(1)) is None:
        return
    session.execute(update(FeedRow).where(*above).values(standing=False))
    row = {"chain_id": chain_id, "kind": UNDONE, "block": number, "hash": "", "sale": None, "standing": False}
    store.insert(session, FeedRow, [{**row, "data": {"chain_id": chain_id, "above_block": number}}])


def _told(session: Session, chain_id: int, first: int, last: int) -> tuple[dict[int, str], int]:
    """Return the hashes of blocks that were told and stand, and the oldest that may be told."""
    standing = (FeedRow.chain_id == chain_id, FeedRow.standing, FeedRow.kind == BLOCK)
    query = select(FeedRow.block, FeedRow.hash).where(*standing, FeedRow.block.between(first, last))
    told = {row.block: row.hash for row in session.execute(query)}
    oldest = session.scalar(select(func.min(FeedRow.block)).where(*standing))
    return told, 0 if oldest is None else oldest


def _rows_of(block: Row, entries: Sequence[Entry]) -> list[Row]:
    """Return a block's rows: what happened in it, then the block itself, which says that this was all."""
    place = {"chain_id": block["chain_id"], "block": block["number"], "hash": block["hash"], "standing": True}
    names = ("number", "hash", "parent_hash", "timestamp", "sealer", "gas_used", "gas_limit", "count")
    said = {"chain_id": block["chain_id"], **{name: block[name] for name in names}}
    happened = [{**place, **_order(entry)} for entry in entries]
    return [*happened, {**place, "kind": BLOCK, "sale": None, "data": said}]


def _order(entry: Entry) -> Row:
    names = ("chain_id", "block", "log_index", "block_hash", "tx_hash", "timestamp", "address", "name")
    args = {key: value for key, value in entry.args.items() if key != "raw_terms"}
    said = {**{name: getattr(entry, name) for name in names}, "args": args}
    kind, _, key = entry.entity.partition(":")
    of_sale = kind == SALE
    return {"kind": ORDER if of_sale else REGISTRY, "sale": key if of_sale else None, "data": said}


def _prune(session: Session, chain_id: int) -> None:
    newest = session.scalar(select(func.max(FeedRow.id)).where(FeedRow.chain_id == chain_id)) or 0
    if newest > KEEP:
        session.execute(delete(FeedRow).where(FeedRow.chain_id == chain_id, FeedRow.id <= newest - KEEP))
