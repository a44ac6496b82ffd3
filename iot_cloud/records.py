"""What devices tell: readings, events, status.

Stored under the thing's id from its topic, which the broker ties to its certificate; whatever the payload says
about who sent it is kept as a claim only.
"""

import hashlib
import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from iot_cloud.shadow.document import compact
from iot_cloud.shadow.errors import InvalidRequestError
from iot_cloud.shadow.request import parse_object

SCHEMA = """
CREATE TABLE IF NOT EXISTS readings (
    id INTEGER PRIMARY KEY, thing TEXT NOT NULL, sensor TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL,
    value REAL NOT NULL, unit TEXT NOT NULL, received_at REAL NOT NULL, UNIQUE (thing, sensor, seq)
);
CREATE INDEX IF NOT EXISTS readings_in_order ON readings (thing, id);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, thing TEXT NOT NULL, seq INTEGER, digest TEXT NOT NULL, received_at REAL NOT NULL,
    event BLOB NOT NULL, UNIQUE (thing, digest)
);
CREATE INDEX IF NOT EXISTS events_in_order ON events (thing, id);
CREATE TABLE IF NOT EXISTS status (
    thing TEXT PRIMARY KEY, received_at REAL NOT NULL, status BLOB NOT NULL
) WITHOUT ROWID
"""
MAX_LIMIT = 1000
MAX_TEXT = 128
MAX_SEQ = 2**63 - 1
BUSY_TIMEOUT_S = 1.0
TRIM_EVERY = 256


class Records:
    """Stores and answers; what is stored is committed when the method returns."""

    def __init__(self, path: Path, keep_readings: int, keep_events: int, now: Callable[[], float] = time.time) -> None:
        self._db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        self._keep_readings, self._keep_events, self._now = keep_readings, keep_events, now
        self._since_trim: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def take(self, thing: str, kind: str, payload: bytes) -> None:
        """Store one message; InvalidRequestError or EncodingError if it is not one of this kind."""
        document = parse_object(payload)
        with self._lock:
            {"readings": self._reading, "events": self._event, "status": self._status}[kind](thing, document)

    def readings(self, thing: str, after: int = 0, limit: int = 100, sensor: str | None = None) -> list[dict[str, Any]]:
        """Readings after an id, the oldest first."""
        rows = self._db.execute(
            "SELECT id, sensor, seq, at, value, unit, received_at FROM readings"
            " WHERE thing = ? AND id > ? AND (? IS NULL OR sensor = ?) ORDER BY id LIMIT ?",
            (thing, after, sensor, sensor, min(limit, MAX_LIMIT)),
        ).fetchall()
        names = ("id", "sensor", "seq", "at", "value", "unit", "received_at")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def events(self, thing: str, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
        """Events after an id, the oldest first: `{"id", "received_at", "event"}`."""
        rows = self._db.execute(
            "SELECT id, received_at, event FROM events WHERE thing = ? AND id > ? ORDER BY id LIMIT ?",
            (thing, after, min(limit, MAX_LIMIT)),
        ).fetchall()
        return [{"id": id_, "received_at": at, "event": json.loads(event)} for id_, at, event in rows]

    def status(self, thing: str) -> dict[str, Any] | None:
        """The last status and when it came, or None."""
        row = self._db.execute("SELECT received_at, status FROM status WHERE thing = ?", (thing,)).fetchone()
        return row and {"received_at": row[0], "status": json.loads(row[1])}

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _reading(self, thing: str, reading: dict[str, Any]) -> None:
        sensor, seq, at, value, unit = (reading.get(key) for key in ("sensor", "seq", "at", "value", "unit"))
        if not all(isinstance(text, str) and len(text) <= MAX_TEXT for text in (sensor, unit)) or not sensor:
            raise InvalidRequestError("sensor and unit must be texts of up to 128 characters")
        if not all(_is_number(number) for number in (at, value)) or not _is_seq(seq):
            raise InvalidRequestError("seq must be a whole number, at and value numbers")
        self._db.execute(
            "INSERT OR IGNORE INTO readings (thing, sensor, seq, at, value, unit, received_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (thing, sensor, seq, at, value, unit, self._now()),
        )
        self._trim("readings", thing, self._keep_readings)

    def _event(self, thing: str, event: dict[str, Any]) -> None:
        seq = event.get("seq")
        body = compact(event)
        digest = hashlib.sha256(body).hexdigest()
        self._db.execute(
            "INSERT OR IGNORE INTO events (thing, seq, digest, received_at, event) VALUES (?, ?, ?, ?, ?)",
            (thing, seq if _is_seq(seq) else None, digest, self._now(), body),
        )
        self._trim("events", thing, self._keep_events)

    def _status(self, thing: str, status: dict[str, Any]) -> None:
        self._db.execute("INSERT OR REPLACE INTO status VALUES (?, ?, ?)", (thing, self._now(), compact(status)))

    def _trim(self, table: str, thing: str, keep: int) -> None:
        """Delete what is beyond the newest `keep`, every now and then: a thing's table is looked through for it."""
        self._since_trim[table, thing] += 1
        if self._since_trim[table, thing] < min(TRIM_EVERY, keep):
            return
        del self._since_trim[table, thing]
        self._db.execute(
            f"DELETE FROM {table} WHERE thing = ? AND id <= (SELECT id FROM {table} WHERE thing = ?"  # noqa: S608
            " ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (thing, thing, keep),
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _is_seq(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEQ
