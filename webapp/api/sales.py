"""Sales: what is for sale, all of them by what one knows of them, one, its history; and the sites."""

from collections.abc import Sequence
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range, Regexp
from sqlalchemy import ColumnElement, select, tuple_

from contracts.sale import Status
from webapp.api.operation import SALE as SALE_CURSOR
from webapp.api.operation import nothing, operation
from webapp.catalogue import SORTS, Search, find_sales
from webapp.cursors import Slice, read_cursor, write_cursor
from webapp.explorer.events import about_entity, page_of_events
from webapp.index.mapping import SALE
from webapp.looking import eyes, viewer
from webapp.models import SaleRow, SiteRow
from webapp.services import services
from webapp.viewers import parties_of

STATUSES = [status.name.lower() for status in Status]
MANY = 1_000


class SaleOut(Schema):
    """One sale; `buyer` is there for whom it concerns."""

    chain_id = Integer(required=True)
    address = String(required=True)
    kind = String(required=True)
    currency = String(required=True)
    factory = String(required=True)
    seller = String(required=True)
    buyer = String(required=True, allow_none=True)
    status = String(required=True, validate=OneOf(STATUSES))
    price_wei = String(required=True)
    window_s = Integer(required=True)
    refundable_at = Integer(required=True)
    site = Integer(required=True)
    edition = Integer(required=True)
    year = Integer(required=True)
    make = String(required=True)
    model = String(required=True)
    number = String(required=True)
    attempt = Integer(required=True)
    device = Integer(required=True)
    listed_block = Integer(required=True)
    listed_at = Integer(required=True)
    sold_at = Integer(required=True, allow_none=True)
    updated_at = Integer(required=True)


class OneSaleOut(SaleOut):
    """A sale by itself; a schema of its own, since one that is also nested would be registered twice."""


class MarketOut(Schema):
    """One page of what is for sale."""

    sales = List(Nested(SaleOut), required=True)
    page = Integer(required=True)
    pages = Integer(required=True)
    count = Integer(required=True)
    more = Boolean(required=True)


class MarketQuery(Schema):
    """What to look for on the market."""

    q = String(load_default="", validate=Length(max=80))
    site = Integer(load_default=0, validate=Range(0, 2**32 - 1))
    sort = String(load_default="new", validate=OneOf(sorted(SORTS)))
    page = Integer(load_default=1, validate=Range(1, 100_000))


class SalesOut(Schema):
    """Some sales, newest first; `next` is the cursor of the next page."""

    sales = List(Nested(SaleOut), required=True)
    next = String(required=True, allow_none=True)


class SalesQuery(Schema):
    """Which sales; what is not given does not narrow."""

    status = String(load_default="", validate=OneOf(["", *STATUSES]))
    seller = String(load_default="", validate=Regexp(r"^(0x[0-9a-fA-F]{40})?$"))
    make = String(load_default="", validate=Length(max=64))
    model = String(load_default="", validate=Length(max=64))
    number = String(load_default="", validate=Length(max=64))
    site = Integer(load_default=0, validate=Range(0, 2**32 - 1))
    year_from = Integer(load_default=0, validate=Range(0, 65_535))
    year_to = Integer(load_default=65_535, validate=Range(0, 65_535))
    price_from_wei = String(load_default="0", validate=Regexp(r"^[0-9]{1,28}$"))
    price_to_wei = String(load_default="9" * 28, validate=Regexp(r"^[0-9]{1,28}$"))
    listed_from = Integer(load_default=0, validate=Range(0, 2**53))
    listed_to = Integer(load_default=2**53, validate=Range(0, 2**53))
    cursor = String(load_default="", validate=Regexp(SALE_CURSOR))
    limit = Integer(load_default=25, validate=Range(1, 100))


class EventOut(Schema):
    """An event of the chain; `hidden` names arguments that are not for you to see."""

    name = String(required=True)
    block = Integer(required=True)
    log_index = Integer(required=True)
    block_hash = String(required=True)
    tx_hash = String(required=True)
    timestamp = Integer(required=True)
    address = String(required=True)
    sale = String(required=True, allow_none=True)
    args = Dict(required=True)
    hidden = List(String(), required=True)


class EventsOut(Schema):
    """Some events; `next` is the cursor of the next page."""

    events = List(Nested(EventOut), required=True)
    next = String(required=True, allow_none=True)


class HistoryOut(Schema):
    """A sale's life, oldest first."""

    history = List(Nested(EventOut), required=True)


class SiteOut(Schema):
    """Where goods are collected."""

    chain_id = Integer(required=True)
    id = Integer(required=True)
    name = String(required=True)
    operator = String(required=True)
    open = Boolean(required=True)


class SitesOut(Schema):
    """All sites."""

    sites = List(Nested(SiteOut), required=True)


def sale_json(row: SaleRow) -> dict[str, Any]:
    """Return a sale for programs; amounts are decimal strings of wei."""
    said = {column.key: getattr(row, column.key) for column in SaleRow.__table__.columns}
    said |= {"status": Status(row.status).name.lower(), "price_wei": str(row.price_wei)}
    if not viewer().sees_buyer(parties_of(row)):
        said["buyer"] = None
    return said


def find_sale(chain_id: str, address: str) -> SaleRow:
    """Return a sale.

    Raises:
        Problem: there is none.
    """
    row = None
    if chain_id.isascii() and chain_id.isdigit() and len(chain_id) < 16 and len(address) == 42:
        with services().database.read() as db:
            row = db.get(SaleRow, (int(chain_id), address.replace("\0", "")))
    if row is None:
        raise nothing("sale")
    return row


@operation("/market", "What is for sale", output=MarketOut, query=MarketQuery)
def market(query: dict[str, Any]) -> dict[str, Any]:
    """List open sales, as the market page does: by words, in pages with numbers."""
    search = Search(query["q"].replace("\0", ""), query["site"], query["sort"], query["page"])
    page = find_sales(services().database, services().chain.chain_id, search)
    found = [sale_json(row) for row in page.rows]
    return {
        "sales": found,
        "page": page.number,
        "pages": page.last,
        "count": page.count,
        "more": page.more_than_counted,
    }


@operation("/sales", "Sales of every state", output=SalesOut, query=SalesQuery)
def sales(query: dict[str, Any]) -> dict[str, Any]:
    """List sales by what is known of them, newest first."""
    cursor = read_cursor(query["cursor"].partition(".")[0], 1)
    after = query["cursor"].partition(".")[2].replace("\0", "")
    wanted = select(SaleRow).where(SaleRow.chain_id == services().chain.chain_id, *_narrowed(query))
    if cursor:
        wanted = wanted.where(tuple_(SaleRow.listed_block, SaleRow.address) < (cursor[0], after))
    wanted = wanted.order_by(SaleRow.listed_block.desc(), SaleRow.address.desc())
    with services().database.read() as db:
        rows = db.scalars(wanted.limit(query["limit"] + 1)).all()
    page = rows[: query["limit"]]
    following = f"{write_cursor(page[-1].listed_block)}.{page[-1].address}" if len(rows) > len(page) else None
    return {"sales": [sale_json(row) for row in page], "next": following}


def _narrowed(query: dict[str, Any]) -> list[ColumnElement[bool]]:
    rules: list[ColumnElement[bool]] = []
    if query["status"]:
        rules.append(SaleRow.status == int(Status[query["status"].upper()]))
    same: Sequence[str] = ("seller", "make", "model", "number", "site")
    rules += [getattr(SaleRow, name) == _plain(query[name]) for name in same if query[name]]
    rules += [SaleRow.year.between(query["year_from"], query["year_to"])] if _asks(query, "year") else []
    if _asks(query, "price"):
        rules.append(SaleRow.price_wei.between(int(query["price_from_wei"]), int(query["price_to_wei"])))
    rules += [SaleRow.listed_at.between(query["listed_from"], query["listed_to"])] if _asks(query, "listed") else []
    return rules


def _plain(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value


def _asks(query: dict[str, Any], what: str) -> bool:
    defaults = SalesQuery().load({})
    return any(query[name] != defaults[name] for name in query if name.startswith(f"{what}_"))


@operation("/sales/<chain_id>/<address>", "One sale", output=OneSaleOut)
def sale(chain_id: str, address: str) -> Any:
    """Tell one sale."""
    return sale_json(find_sale(chain_id, address))


@operation("/sales/<chain_id>/<address>/history", "One sale's life", output=HistoryOut)
def history(chain_id: str, address: str) -> Any:
    """Tell what happened to a sale, each step with its transaction and block."""
    row = find_sale(chain_id, address)
    about = about_entity(SALE, row.address)
    events = page_of_events(eyes(), Slice(None, MANY), about)
    return {"history": events[::-1]}


@operation("/sites", "Where goods are collected", output=SitesOut)
def sites() -> dict[str, Any]:
    """List the sites."""
    query = select(SiteRow).where(SiteRow.chain_id == services().chain.chain_id).order_by(SiteRow.id)
    with services().database.read() as db:
        return {"sites": list(db.scalars(query))}
