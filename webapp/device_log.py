"""The log of what devices told: taken in once, searched by gate, sale, outcome, reason and time; and open cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Select, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from webapp.database import Database
from webapp.device_events import Row
from webapp.device_models import DeviceEvent

PAGE = 50
KINDS = {
    "scan": "Scans",
    "release": "Releases",
    "order": "Orders",
    "gate": "Gate",
    "alarm": "Alarms",
    "request-refused": "Requests refused",
}
CASE = "case"
LATE = "late"
TOOK = ("released", "shown-again")
"""Outcomes of a scan that was taken."""


def insert_new(session: Session, rows: Sequence[Row]) -> None:
    """Add events; one that is there already is not added again."""
    table = DeviceEvent.__table__
    assert isinstance(table, Table)  # noqa: S101  # this model is one table
    dialect = session.get_bind().dialect.name
    statement: Any = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    session.execute(statement.on_conflict_do_nothing(), list(rows))


@dataclass(frozen=True)
class LogSearch:
    """What someone looks for in the log."""

    thing: str = ""
    kind: str = ""
    sale: str = ""
    outcome: str = ""
    words: str = ""
    since: date | None = None
    until: date | None = None
    before: int = 0
    """Only rows older than this one: the place of a page."""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "LogSearch":
        """Read a query string; what makes no sense counts as not given."""
        kind, before = query.get("kind", ""), query.get("before", "")
        return cls(
            thing=_plain(query.get("gate"), 128),
            kind=kind if kind in KINDS else "",
            sale=_plain(query.get("sale"), 42),
            outcome=_plain(query.get("outcome"), 64),
            words=_plain(query.get("q"), 80),
            since=_day(query.get("since")),
            until=_day(query.get("until")),
            before=int(before) if before.isascii() and before.isdigit() and len(before) < 18 else 0,
        )

    def url(self, before: int = 0) -> str:
        """Return the query string of this search, from a place on."""
        asked = {
            "gate": self.thing,
            "kind": self.kind,
            "sale": self.sale,
            "outcome": self.outcome,
            "q": self.words,
            "since": self.since or "",
            "until": self.until or "",
            "before": before or "",
        }
        return "?" + urlencode({key: value for key, value in asked.items() if value})

    @property
    def narrow(self) -> bool:
        """Whether anything was asked for."""
        return self.url() != "?"


@dataclass(frozen=True)
class LogPage:
    """One page of the log, newest first."""

    rows: list[DeviceEvent]
    older: int
    """Where the next page begins; 0 at the end."""


def find_events(database: Database, things: Sequence[str], search: LogSearch, most: int = PAGE) -> LogPage:
    """Return one page of these things' log."""
    query = _filtered(select(DeviceEvent).where(DeviceEvent.thing.in_(things)), search)
    with database.read() as session:
        rows = list(session.scalars(query.order_by(DeviceEvent.id.desc()).limit(most + 1)))
    return LogPage(rows[:most], rows[most - 1].id if len(rows) > most else 0)


def open_cases(database: Database, things: Sequence[str], *states: str) -> list[DeviceEvent]:
    """Return the releases whose newest word is that they need a person, oldest first."""
    later = aliased(DeviceEvent)
    same = (later.thing == DeviceEvent.thing, later.sale == DeviceEvent.sale, later.attempt == DeviceEvent.attempt)
    newer = select(later.id).where(*same, later.kind == "release", later.id > DeviceEvent.id)
    query = select(DeviceEvent).where(
        DeviceEvent.kind == "release",
        DeviceEvent.outcome.in_(states or (CASE,)),
        DeviceEvent.thing.in_(things),
        DeviceEvent.sale.is_not(None),
        DeviceEvent.attempt.is_not(None),
        ~newer.exists(),
    )
    with database.read() as session:
        return list(session.scalars(query.order_by(DeviceEvent.id).limit(200)))


def _filtered(query: Select[Any], search: LogSearch) -> Select[Any]:
    if search.thing:
        query = query.where(DeviceEvent.thing == search.thing)
    if search.kind:
        query = query.where(DeviceEvent.kind == search.kind)
    if search.sale:
        query = query.where(DeviceEvent.sale == search.sale)
    if search.outcome:
        query = query.where(DeviceEvent.outcome == search.outcome)
    if search.words:
        query = query.where(DeviceEvent.reason.icontains(search.words, autoescape=True))
    if search.before:
        query = query.where(DeviceEvent.id < search.before)
    return _within(query, search)


def _within(query: Select[Any], search: LogSearch) -> Select[Any]:
    if search.since:
        query = query.where(DeviceEvent.at >= _midnight(search.since))
    if search.until:
        query = query.where(DeviceEvent.at < _midnight(search.until) + 86_400)
    return query


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _plain(text: str | None, most: int) -> str:
    return (text or "").replace("\0", "").strip()[:most]


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
