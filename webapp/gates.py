"""What is known of a gate: as the watcher last heard, unknown where it could not. No page waits for the cloud."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from webapp.database import Database
from webapp.device_models import GateRow, Watch

WATCH = "devices"
SILENT = "cloud-silent"
"""The row that stands in `watches` since when the cloud does not answer."""
WHEN_MAX = 4 * 10**9
STALE_S = 6.0
"""A watcher that was silent for so long watches no more: what it knew is not shown as if it were so now."""
WORDS = {
    "LOCKED": "Locked",
    "UNLOCKING": "Unlocking",
    "OPEN": "Open",
    "LOCKING": "Locking",
    "JAMMED": "Jammed",
}


@dataclass(frozen=True)
class Gate:
    """A gate as its device last reported it; `state` is `None` while it is unknown."""

    thing: str
    state: str | None = None
    since: float | None = None
    """Since when it is so, or unknown."""
    online: bool | None = None
    heard_at: float | None = None
    asked: dict[str, Any] | None = None
    last: dict[str, Any] | None = None
    version: int | None = None
    trouble: str = ""

    @property
    def words(self) -> str:
        """The state for people."""
        return WORDS.get(self.state or "", "Unknown")


def gate_of(thing: str, shadow: dict[str, Any] | None, status: dict[str, Any], now: float) -> Gate:
    """Read a shadow document and a status. Pure: a device that is offline is not believed to be what it was."""
    document = shadow or {}
    state = document.get("state") or {}
    reported, desired = state.get("reported") or {}, state.get("desired") or {}
    told = reported.get("gate")
    known = told if told in WORDS else None
    online = (status.get("status") or {}).get("online")
    heard = status.get("received_at")
    gate = Gate(
        thing=thing,
        since=now,
        online=online if isinstance(online, bool) else None,
        heard_at=max(filter(None, (heard, _told_at(document))), default=None),
        asked=_release(desired.get("release")),
        last=_release(reported.get("lastRelease")),
        version=document.get("version"),
        trouble="The device has not said whether it is open.",
    )
    if online is False:
        return replace(gate, since=heard or now, trouble=_offline(known))
    if known is None:
        return gate
    return replace(gate, state=known, since=_told_at(document) or now, trouble="")


def _offline(known: str | None) -> str:
    said = f" It said {WORDS[known]} before." if known else ""
    return f"The device is offline.{said}"


def _told_at(document: dict[str, Any]) -> float | None:
    metadata = ((document.get("metadata") or {}).get("reported") or {}).get("gate") or {}
    told = metadata.get("timestamp") if isinstance(metadata, dict) else None
    return float(told) if isinstance(told, int | float) else None


def _release(value: Any) -> dict[str, Any] | None:
    """Return what a document says of a release; of what a device wrote otherwise, nothing."""
    if not isinstance(value, dict):
        return None
    texts = {name: value[name][:64] for name in ("sale", "outcome") if isinstance(value.get(name), str)}
    numbers = {
        name: value[name]
        for name in ("attempt", "at", "openBefore")
        if isinstance(value.get(name), int | float) and value[name] is not True and 0 <= value[name] < WHEN_MAX
    }
    return {**texts, **numbers} or None


class Gates:
    """Answers from the database, where the watcher writes."""

    def __init__(self, database: Database) -> None:
        """Read this database."""
        self._database = database

    def look(self, thing: str) -> Gate:
        """Return the gate now."""
        return self.look_at([thing])[thing]

    def look_at(self, things: Sequence[str]) -> dict[str, Gate]:
        """Return these gates now."""
        with self._database.read() as session:
            rows = {row.thing: row for row in session.scalars(select(GateRow).where(GateRow.thing.in_(things)))}
            watch = session.get(Watch, WATCH)
        beat = watch.beat_at if watch else 0.0
        return {thing: _present(thing, rows.get(thing), beat, time.time()) for thing in things}


def _present(thing: str, row: GateRow | None, beat: float, now: float) -> Gate:
    if row is None:
        return Gate(thing, trouble="Nothing was heard of this gate yet.")
    gate = Gate(**{name: getattr(row, name) for name in Gate.__dataclass_fields__})
    if gate.state is not None and now - beat > STALE_S:
        clock = datetime.fromtimestamp(beat, UTC).strftime("%H:%M:%S UTC")
        words = f"Nobody has asked the gate since {clock}. It was {gate.words} then."
        return replace(gate, state=None, since=beat, trouble=words)
    return gate
