"""Events: newest first, of all, of an address, of a transaction; buyers stay unnamed to strangers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from webapp.cursors import Slice
from webapp.explorer.eyes import Eyes
from webapp.index.mapping import DEVICE, OPERATOR, SALE, SITE
from webapp.models import Event, SaleRow
from webapp.telling import SECRET
from webapp.viewers import Parties, Viewer, parties_of


@dataclass(frozen=True)
class EventView:
    """An event as this viewer may see it; `hidden` names the arguments that are left out."""

    name: str
    block: int
    log_index: int
    block_hash: str
    tx_hash: str
    timestamp: int
    address: str
    sale: str | None
    args: dict[str, Any]
    hidden: tuple[str, ...]


def page_of_events(eyes: Eyes, page: Slice, about: ColumnElement[bool] | None = None) -> list[EventView]:
    """Return events before the cursor, newest first; one more than the limit where there are more."""
    query = select(Event).where(Event.chain_id == eyes.chain_id)
    if about is not None:
        query = query.where(about)
    if page.cursor:
        query = query.where(tuple_(Event.block, Event.log_index) < page.cursor)
    with eyes.database.read() as session:
        newest = query.order_by(Event.block.desc(), Event.log_index.desc()).limit(page.limit + 1)
        return _views(session, newest, eyes.viewer)


def events_of_transaction(session: Session, hash_: str, viewer: Viewer) -> list[EventView]:
    """Return a transaction's events in order."""
    return _views(session, select(Event).where(Event.tx_hash == hash_).order_by(Event.block, Event.log_index), viewer)


def about_registry() -> ColumnElement[bool]:
    """What a registry said: all that is about operators, sites and devices."""
    return or_(*(_entities(kind) for kind in (OPERATOR, SITE, DEVICE)))


def about_entity(kind: str, key: object) -> ColumnElement[bool]:
    """What is about one sale, operator, site or device."""
    return Event.entity == f"{kind}:{key}"


def about_factory(address: str) -> ColumnElement[bool]:
    """What a factory said."""
    return Event.address == address


def _entities(kind: str) -> ColumnElement[bool]:
    # The characters after ':' end the range, so that the index on entities answers.
    return and_(Event.entity > f"{kind}:", Event.entity < f"{kind};")


def parties_by_sale(session: Session, chain_id: int, sales: Iterable[str | None]) -> dict[str, Parties]:
    """Return whom these sales concern."""
    wanted = {sale for sale in sales if sale}
    if not wanted:
        return {}
    query = select(SaleRow).where(SaleRow.chain_id == chain_id, SaleRow.address.in_(wanted))
    return {row.address: parties_of(row) for row in session.scalars(query)}


def _views(session: Session, query: Select[Event], viewer: Viewer) -> list[EventView]:
    rows: Sequence[Event] = session.scalars(query).all()
    concerned = parties_by_sale(session, rows[0].chain_id, map(_sale_of, rows)) if rows else {}
    return [_view(row, viewer.sees_buyer(concerned.get(_sale_of(row) or ""))) for row in rows]


def _sale_of(row: Event) -> str | None:
    kind, _, key = row.entity.partition(":")
    return key if kind == SALE else None


def _view(row: Event, open_: bool) -> EventView:
    hidden = () if open_ or _sale_of(row) is None else tuple(name for name in SECRET if name in row.args)
    names = ("name", "block", "log_index", "block_hash", "tx_hash", "timestamp", "address")
    args = {key: value for key, value in row.args.items() if key not in hidden and key != "raw_terms"}
    return EventView(**{name: getattr(row, name) for name in names}, sale=_sale_of(row), args=args, hidden=hidden)
