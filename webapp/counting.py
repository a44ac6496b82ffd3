"""Reads from the database what the figures are counted from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import literal, select

from webapp.analytics import NAMES, DeviceWord, Figures, SaleEvent, faults_of, figures_of, refusals_of
from webapp.database import Database
from webapp.device_log import TOOK
from webapp.device_models import DeviceEvent
from webapp.models import Event, SaleRow


@dataclass(frozen=True)
class Scope:
    """Whose figures: a seller's, some sites', or all (`None` for both)."""

    chain_id: int
    seller: str | None = None
    sites: Sequence[int] | None = None
    things: Sequence[str] = ()


@dataclass(frozen=True)
class Counted:
    """The figures of some days."""

    chain: Figures
    refusals: list[tuple[str, int]]
    faults: list[tuple[str, str, int]]


def count(database: Database, scope: Scope, since: date, until: date) -> Counted:
    """Count the facts of these days."""
    words = device_words(database, scope.things, since, until)
    return Counted(
        figures_of(sale_events(database, scope, since), since, until), refusals_of(words, TOOK), faults_of(words)
    )


def sale_events(database: Database, scope: Scope, since: date) -> list[SaleEvent]:
    """Return all events of the sales that something happened to since then."""
    same = Event.entity == literal("sale:").concat(SaleRow.address)
    columns = (Event.name, SaleRow.address, Event.timestamp, SaleRow.price_wei, SaleRow.window_s)
    query = (
        select(*columns)
        .join(SaleRow, same & (SaleRow.chain_id == Event.chain_id))
        .where(Event.chain_id == scope.chain_id, Event.name.in_(NAMES), SaleRow.updated_at >= _midnight(since))
    )
    if scope.seller is not None:
        query = query.where(SaleRow.seller == scope.seller)
    if scope.sites is not None:
        query = query.where(SaleRow.site.in_(scope.sites))
    with database.read() as session:
        return [SaleEvent(*row) for row in session.execute(query.order_by(Event.block, Event.log_index))]


def device_words(database: Database, things: Sequence[str], since: date, until: date) -> list[DeviceWord]:
    """Return what these things told in these days."""
    columns = (DeviceEvent.thing, DeviceEvent.kind, DeviceEvent.outcome, DeviceEvent.body)
    query = select(*columns).where(
        DeviceEvent.thing.in_(things),
        DeviceEvent.kind.in_(("scan", "release")),
        DeviceEvent.at >= _midnight(since),
        DeviceEvent.at < _midnight(until) + 86_400,
    )
    with database.read() as session:
        rows = session.execute(query.order_by(DeviceEvent.id))
        return [DeviceWord(thing, kind, outcome, str(body.get("by", ""))) for thing, kind, outcome, body in rows]


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
