"""Transactions: newest first, of a block, of an address; one with its events and the contract's own reason.

Who sends a transaction that moves a sale is its buyer, or would be; strangers are not told, neither by the
transaction nor by the list of an address.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, true, tuple_
from sqlalchemy.orm import Session

from webapp.cursors import Slice
from webapp.explorer.events import EventView, events_of_transaction, parties_by_sale
from webapp.explorer.eyes import Eyes
from webapp.ledger_models import LedgerBlock, LedgerTransaction, Refusal
from webapp.models import SaleRow
from webapp.telling import SECRET
from webapp.viewers import Parties, Viewer

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
OF_DEVICES = ("release", "complete", "abort")
"""Calls that succeed for devices only."""


@dataclass(frozen=True)
class TransactionView:
    """A transaction as this viewer may see it; `sender` and `nonce` are `None` where they would name a buyer."""

    hash: str
    block: int
    position: int
    timestamp: int
    sender: str | None
    nonce: int | None
    recipient: str | None
    created: str | None
    value_wei: str
    gas_limit: int
    gas_used: int
    succeeded: bool
    sale: str | None
    call: str
    args: dict[str, Any]
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class OneTransaction:
    """A transaction with all that belongs to it."""

    facts: TransactionView
    block_hash: str
    reason: str
    """Why the contract refused it, if it did and that is known."""
    events: list[EventView] = field(default_factory=list)


def page_of_transactions(eyes: Eyes, page: Slice, block: int | None = None) -> list[TransactionView]:
    """Return transactions before the cursor, newest first; one more than the limit where there are more."""
    query = _before(select(LedgerTransaction).where(LedgerTransaction.chain_id == eyes.chain_id), page)
    if block is not None:
        query = query.where(LedgerTransaction.block == block)
    with eyes.database.read() as session:
        return _views(session, session.scalars(query).all(), eyes.viewer)


def page_of_address(eyes: Eyes, page: Slice, address: str) -> list[TransactionView]:
    """Return what an address sent or got, as far as this viewer may know that it was this address."""
    rows = select(LedgerTransaction).where(LedgerTransaction.chain_id == eyes.chain_id)
    same = and_(SaleRow.chain_id == LedgerTransaction.chain_id, SaleRow.address == LedgerTransaction.sale)
    sent = rows.outerjoin(SaleRow, same).where(LedgerTransaction.sender == address, _may_name_sender(eyes.viewer))
    got = rows.where(LedgerTransaction.recipient == address)
    with eyes.database.read() as session:
        found = [row for query in (sent, got) for row in session.scalars(_before(query, page))]
        newest = sorted({(row.block, row.position): row for row in found}.items(), reverse=True)
        return _views(session, [row for _place, row in newest[: page.limit + 1]], eyes.viewer)


def find_transaction(eyes: Eyes, hash_: str) -> OneTransaction | None:
    """Return a mined transaction by its hash."""
    with eyes.database.read() as session:
        row = session.scalar(select(LedgerTransaction).where(LedgerTransaction.hash == hash_.lower()))
        if row is None:
            return None
        block = session.get(LedgerBlock, (row.chain_id, row.block))
        block_hash = block.hash if block else ""
        refusal = None if row.succeeded else session.get(Refusal, (row.hash, block_hash))
        events = events_of_transaction(session, row.hash, eyes.viewer)
        view = _views(session, [row], eyes.viewer)[0]
        words = refusal.words if refusal else ""
        # The contract's own words may name who sent it.
        return OneTransaction(view, block_hash, words if view.sender else ADDRESS.sub("somebody", words), events)


def _before(query: Select[LedgerTransaction], page: Slice) -> Select[LedgerTransaction]:
    if page.cursor:
        query = query.where(tuple_(LedgerTransaction.block, LedgerTransaction.position) < page.cursor)
    newest = query.order_by(LedgerTransaction.block.desc(), LedgerTransaction.position.desc())
    return newest.limit(page.limit + 1)


def _may_name_sender(viewer: Viewer) -> ColumnElement[bool]:
    """`_names_sender` as the database decides it."""
    if viewer.sees_all:
        return true()
    by_device = and_(LedgerTransaction.call.in_(OF_DEVICES), LedgerTransaction.succeeded)
    rules = [LedgerTransaction.sale.is_(None), LedgerTransaction.sender == SaleRow.seller, by_device]
    if viewer.address:
        mine = viewer.address
        rules += [LedgerTransaction.sender == mine, SaleRow.seller == mine, SaleRow.buyer == mine]
    if viewer.sites:
        rules.append(SaleRow.site.in_(viewer.sites))
    return or_(*rules)


def _names_sender(row: LedgerTransaction, parties: Parties | None, viewer: Viewer) -> bool:
    """Whether this viewer may know who sent it."""
    if row.sale is None or viewer.sees_buyer(parties) or row.sender == viewer.address:
        return True
    by_device = row.call in OF_DEVICES and row.succeeded
    return by_device or (parties is not None and row.sender == parties.seller)


def _views(session: Session, rows: Sequence[LedgerTransaction], viewer: Viewer) -> list[TransactionView]:
    if not rows:
        return []
    concerned = parties_by_sale(session, rows[0].chain_id, (row.sale for row in rows))
    return [_view(row, concerned.get(row.sale or ""), viewer) for row in rows]


def _view(row: LedgerTransaction, parties: Parties | None, viewer: Viewer) -> TransactionView:
    named = _names_sender(row, parties, viewer)
    # A payout's receiver may be the buyer even where the sender may be named.
    open_ = row.sale is None or viewer.sees_buyer(parties) or row.sender == viewer.address
    hidden = () if open_ else tuple(_secret(row.args))
    names = ("hash", "block", "position", "timestamp", "recipient", "created", "value_wei", "gas_limit", "gas_used")
    return TransactionView(
        **{name: getattr(row, name) for name in (*names, "succeeded", "sale", "call")},
        sender=row.sender if named else None,
        nonce=row.nonce if named else None,
        args={key: value for key, value in row.args.items() if key not in hidden},
        hidden=hidden,
    )


def _secret(args: Iterable[str]) -> list[str]:
    return [name for name in args if name in SECRET]
