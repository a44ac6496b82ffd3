"""REST under `/api/v1`: the same facts as the pages, from the index; and events, pushed with `Last-Event-ID`."""

import json
import time
from collections.abc import Iterator
from typing import Any

from apiflask import APIBlueprint, Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range
from flask import Response, request
from sqlalchemy import select, tuple_

from contracts.sale import Status
from webapp.access import current_user, is_staff, sees_buyer
from webapp.catalogue import SORTS, Search, find_sales
from webapp.live import LISTENERS, LONGEST_S, as_event
from webapp.models import Event, SaleRow, SiteRow
from webapp.services import services

bp = APIBlueprint("api", __name__, url_prefix="/api/v1", tag="sales")
SECRET = ("buyer", "to")
"""What an event says about who bought."""


class SaleOut(Schema):
    """One sale; `buyer` is there for whom it concerns."""

    chain_id = Integer(required=True)
    address = String(required=True)
    kind = String(required=True)
    currency = String(required=True)
    factory = String(required=True)
    seller = String(required=True)
    buyer = String(allow_none=True)
    status = String(required=True, validate=OneOf([status.name.lower() for status in Status]))
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
    listed_at = Integer(required=True)
    sold_at = Integer(allow_none=True)


class OneSaleOut(SaleOut):
    """A sale by itself; a schema of its own, since one that is also nested would be registered twice."""


class SalesOut(Schema):
    """One page of what is for sale."""

    sales = List(Nested(SaleOut), required=True)
    page = Integer(required=True)
    pages = Integer(required=True)
    count = Integer(required=True)
    more = Boolean(required=True)


class SalesQuery(Schema):
    """What to look for."""

    q = String(load_default="", validate=Length(max=80))
    site = Integer(load_default=0, validate=Range(0, 2**32 - 1))
    sort = String(load_default="new", validate=OneOf(sorted(SORTS)))
    page = Integer(load_default=1, validate=Range(1, 100_000))


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
    if not sees_buyer(row, current_user()):
        said["buyer"] = None
    return said


@bp.get("/sales")
@bp.input(SalesQuery, location="query", arg_name="query")
@bp.output(SalesOut)
@bp.doc(summary="What is for sale")
def sales(query: dict[str, Any]) -> dict[str, Any]:
    """List open sales, as the market page does."""
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


@bp.get("/sales/<chain_id>/<address>")
@bp.output(OneSaleOut)
@bp.doc(summary="One sale", responses=[404])
def sale(chain_id: str, address: str) -> Any:
    """Tell one sale."""
    row = None
    if chain_id.isascii() and chain_id.isdigit() and int(chain_id) < 2**63 and len(address) == 42:
        with services().database.read() as db:
            row = db.get(SaleRow, (int(chain_id), address.replace("\0", "")))
    if row is None:
        return {"error": {"code": 404, "message": "There is no such sale."}}, 404
    return sale_json(row)


@bp.get("/sites")
@bp.output(SitesOut)
@bp.doc(summary="Where goods are collected")
def sites() -> dict[str, Any]:
    """List the sites."""
    with services().database.read() as db:
        rows = db.scalars(select(SiteRow).where(SiteRow.chain_id == services().chain.chain_id).order_by(SiteRow.id))
        return {
            "sites": [
                {key: getattr(row, key) for key in ("chain_id", "id", "name", "operator", "open")} for row in rows
            ]
        }


@bp.get("/events")
@bp.doc(summary="Events of the chain as they come", responses={200: "text/event-stream"})
def events() -> Response:
    """Push every event after `Last-Event-ID` (`block-logIndex`); without it, from now on. None is lost or doubled."""
    database, chain_id = services().database, services().chain.chain_id
    staff, every_s = is_staff(current_user()), services().settings.poll_s
    place = _place(request.headers.get("Last-Event-ID", "")) or _newest(chain_id)
    if not LISTENERS.acquire(blocking=False):
        return Response("retry: 10000\n\n", mimetype="text/event-stream")

    def lines() -> Iterator[str]:
        at, began = place, time.monotonic()
        try:
            yield "retry: 2000\n\n"
            while time.monotonic() - began < LONGEST_S:
                query = select(Event).where(Event.chain_id == chain_id, tuple_(Event.block, Event.log_index) > at)
                with database.read() as db:
                    rows = list(db.scalars(query.order_by(Event.block, Event.log_index).limit(200)))
                for row in rows:
                    at = (row.block, row.log_index)
                    yield as_event(json.dumps(_event_json(row, staff)), "chain", f"{row.block}-{row.log_index}")
                if not rows:
                    yield ": still here\n\n"
                    time.sleep(every_s)
        finally:
            LISTENERS.release()

    answer = Response(lines(), mimetype="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _place(text: str) -> tuple[int, int] | None:
    block, _, index = text.partition("-")
    numbers = all(part.isascii() and part.isdigit() and len(part) < 15 for part in (block, index))
    return (int(block), int(index)) if numbers else None


def _newest(chain_id: int) -> tuple[int, int]:
    query = select(Event.block, Event.log_index).where(Event.chain_id == chain_id)
    with services().database.read() as db:
        newest = db.execute(query.order_by(Event.block.desc(), Event.log_index.desc()).limit(1)).first()
    return (newest[0], newest[1]) if newest else (-1, -1)


def _event_json(row: Event, staff: bool) -> dict[str, Any]:
    names = ("chain_id", "block", "log_index", "block_hash", "tx_hash", "timestamp", "address", "name")
    said = {name: getattr(row, name) for name in names}
    args = {key: value for key, value in row.args.items() if staff or key not in SECRET}
    return {**said, "args": args}
