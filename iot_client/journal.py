"""What this door has done, on disk before it does the next thing.

SQLite with `synchronous=FULL`: a commit is on the disk when it returns. A release is keyed by chain, sale and attempt,
and an intent can be inserted once per key, whatever the code above believes.
"""

import fcntl
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from iot_client.errors import JournalError
from iot_client.machine import AWAITS_CHAIN, Event, State

UNFINISHED = "state NOT IN ('completed', 'aborted', 'refused')"

Body = dict[str, object]

SCHEMA = """
CREATE TABLE IF NOT EXISTS release (
  chain_id INTEGER, sale TEXT, attempt INTEGER, state TEXT NOT NULL, buyer TEXT NOT NULL, open_before REAL NOT NULL,
  started REAL NOT NULL, updated REAL NOT NULL, marks TEXT NOT NULL DEFAULT '{}', local INTEGER NOT NULL DEFAULT 0,
  voucher TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (chain_id, sale, attempt)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unfinished ON release (state) WHERE state NOT IN ('completed', 'aborted', 'refused');
CREATE INDEX IF NOT EXISTS release_of ON release (sale COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS intent (
  chain_id INTEGER, sale TEXT, attempt INTEGER, at REAL NOT NULL, PRIMARY KEY (chain_id, sale, attempt)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS step (
  id INTEGER PRIMARY KEY, chain_id INTEGER, sale TEXT, attempt INTEGER, state TEXT, event TEXT, at REAL, detail TEXT);
CREATE INDEX IF NOT EXISTS step_of ON step (sale, attempt);
CREATE TABLE IF NOT EXISTS scan (
  id INTEGER PRIMARY KEY, at REAL, scanner TEXT, name TEXT, remote INTEGER, sale TEXT, outcome TEXT,
  detail TEXT, ms REAL);
CREATE TABLE IF NOT EXISTS sending (
  nonce INTEGER PRIMARY KEY, kind TEXT, sale TEXT, attempt INTEGER, hash TEXT, raw BLOB, at REAL,
  done INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS sending_of ON sending (sale, attempt);
CREATE INDEX IF NOT EXISTS sending_open ON sending (nonce) WHERE done = 0;
CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL,
  sent INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS event_unsent ON event (sent) WHERE sent = 0;
CREATE TABLE IF NOT EXISTS command (id TEXT PRIMARY KEY, at REAL, kind TEXT, outcome TEXT);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT);
"""


@dataclass(frozen=True)
class Key:
    """What one release is known by."""

    chain_id: int
    sale: str
    attempt: int


@dataclass(frozen=True)
class Record:
    """One release as the journal has it; `voucher` is the hash of the barcode's text, never the text."""

    key: Key
    state: State
    buyer: str
    open_before: float
    started: float
    updated: float
    marks: dict[str, float] = field(default_factory=dict)
    local: bool = False
    voucher: str = ""


@dataclass(frozen=True)
class Sending:
    """A signed transaction under way; `raw` is sealed, since a release carries the voucher."""

    nonce: int
    kind: str
    sale: str
    attempt: int
    hash: str
    raw: bytes
    at: float


class Journal:
    """One file, one writer; every method is one commit unless said otherwise."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._mutex = threading.RLock()
        self._lockfile: int | None = None
        if not read_only:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lockfile = _hold(path.with_suffix(".lock"))
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        target = f"file:{path}?mode=ro" if read_only else f"file:{path}"
        try:
            self._db = sqlite3.connect(target, uri=True, isolation_level=None, check_same_thread=False, timeout=10)
            if not read_only:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
                self._db.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            raise JournalError(f"the journal {path} cannot be opened: {error}") from error
        self.fsync_ms = 0.0

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
        if self._lockfile is not None:
            os.close(self._lockfile)

    @contextmanager
    def commit(self) -> Iterator[sqlite3.Connection]:
        """One transaction; on the disk when it ends."""
        with self._mutex:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            began = time.perf_counter()
            self._db.execute("COMMIT")
            self.fsync_ms = (time.perf_counter() - began) * 1e3

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._mutex:
            return self._db.execute(query, values).fetchall()

    # Releases

    def begin(self, record: Record, sending: Sending, event: Body) -> None:
        """A release and its signed transaction, before the transaction is sent."""
        with self.commit() as db:
            db.execute(
                "INSERT INTO release VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET state=excluded.state,"
                " open_before=excluded.open_before, started=excluded.started, updated=excluded.updated,"
                " marks=excluded.marks, voucher=excluded.voucher WHERE release.state = 'refused'",
                (*_key(record.key), record.state, record.buyer, record.open_before, record.started, record.updated,
                 json.dumps(record.marks), record.local, record.voucher),
            )  # fmt: skip
            _add_step(db, record.key, (record.state, Event.READY), record.updated, "")
            _add_sending(db, sending)
            _add_event(db, event)

    def move(
        self, key: Key, event: Event, to: State, body: Body, *, detail: str = "", marks: dict[str, float] | None = None
    ) -> None:
        """One transition, and the event that tells of it.

        An intent is inserted with it, and a second one for the same key fails here.
        """
        now = time.time()
        with self.commit() as db:
            if to is State.INTENT:
                db.execute("INSERT INTO intent VALUES (?,?,?,?)", (*_key(key), now))
            db.execute(
                "UPDATE release SET state=?, updated=?, marks=json_patch(marks, ?)"
                " WHERE chain_id=? AND sale=? AND attempt=?",
                (to, now, json.dumps(marks or {}), *_key(key)),
            )
            _add_step(db, key, (to, event), now, detail)
            if to not in AWAITS_CHAIN:
                _end_sending(db, key, failed=to is State.REFUSED)
            _add_event(db, body)

    def prolong(self, key: Key, open_before: float) -> None:
        """A new `openBefore`, before it is asked for."""
        with self.commit() as db:
            db.execute(
                "UPDATE release SET open_before=? WHERE chain_id=? AND sale=? AND attempt=?", (open_before, *_key(key))
            )

    def mark(self, key: Key, marks: dict[str, float], *, local: bool = False) -> None:
        """Timings, written when there is time for it."""
        with self.commit() as db:
            db.execute(
                "UPDATE release SET marks=json_patch(marks, ?), local=local OR ?"
                " WHERE chain_id=? AND sale=? AND attempt=?",
                (json.dumps(marks), local, *_key(key)),
            )

    def release(self, key: Key) -> Record | None:
        """The release with this key."""
        rows = self._read("SELECT * FROM release WHERE chain_id=? AND sale=? AND attempt=?", *_key(key))
        return _record(rows[0]) if rows else None

    def unfinished(self) -> list[Record]:
        """Every release that has not ended, oldest first."""
        return [_record(row) for row in self._read(f"SELECT * FROM release WHERE {UNFINISHED} ORDER BY started")]  # noqa: S608

    def releases(self, sale: str | None = None) -> list[Record]:
        """All releases, or a sale's, oldest first."""
        where, values = ("WHERE sale=? COLLATE NOCASE", (sale,)) if sale else ("", ())
        return [_record(row) for row in self._read(f"SELECT * FROM release {where} ORDER BY started", *values)]  # noqa: S608

    def has_intent(self, key: Key) -> bool:
        """Whether a pulse was ever intended for this release."""
        return bool(self._read("SELECT 1 FROM intent WHERE chain_id=? AND sale=? AND attempt=?", *_key(key)))

    def steps(self, key: Key) -> list[tuple[float, str, str, str]]:
        """The steps of a release: time, state, event, detail."""
        query = "SELECT at, state, event, detail FROM step WHERE chain_id=? AND sale=? AND attempt=? ORDER BY id"
        return self._read(query, *_key(key))

    # Transactions under way

    def add_sending(self, sending: Sending) -> None:
        """A signed transaction, before it is sent; replaces the one with its nonce."""
        with self.commit() as db:
            _add_sending(db, sending)

    def sendings(self) -> list[Sending]:
        """Transactions not known to be settled, by nonce."""
        return [Sending(*row[:-1]) for row in self._read("SELECT * FROM sending WHERE done=0 ORDER BY nonce")]

    def highest_nonce(self) -> int:
        """The highest nonce that this device has used or is about to use; -1 if none."""
        return int(self._read("SELECT coalesce(max(nonce), -1) FROM sending")[0][0])

    def forget_sending(self, nonce: int) -> None:
        """A transaction did nothing; its text goes."""
        with self.commit() as db:
            db.execute("DELETE FROM sending WHERE nonce=?", (nonce,))

    # Scans, events, commands, facts

    def add_scan(
        self, scanner: str, name: str, body: Body, *, remote: bool, sale: str, outcome: str, detail: str, ms: float
    ) -> None:
        """One scan and what came of it, and the event that tells of it."""
        with self.commit() as db:
            _add_event(db, body)
            db.execute(
                "INSERT INTO scan (at, scanner, name, remote, sale, outcome, detail, ms) VALUES (?,?,?,?,?,?,?,?)",
                (time.time(), scanner, name, remote, sale, outcome, detail, ms),
            )

    def scans(self, last: int = 50) -> list[tuple[float, str, str, int, str, str, str, float]]:
        """The last scans, oldest first."""
        query = "SELECT at, scanner, name, remote, sale, outcome, detail, ms FROM scan ORDER BY id DESC LIMIT ?"
        return self._read(query, last)[::-1]

    def add_event(self, body: Body) -> None:
        """An event to publish; its `seq` is its row."""
        with self.commit() as db:
            _add_event(db, body)

    def unsent_events(self, at_most: int = 50) -> list[tuple[int, Body]]:
        """Events that the cloud has not acknowledged, in order."""
        rows = self._read("SELECT seq, body FROM event WHERE sent=0 ORDER BY seq LIMIT ?", at_most)
        return [(seq, json.loads(body)) for seq, body in rows]

    def events_sent(self, seqs: Iterable[int]) -> None:
        """The cloud acknowledged these events."""
        with self.commit() as db:
            db.executemany("UPDATE event SET sent=1 WHERE seq=?", [(seq,) for seq in seqs])

    def take_command(self, command_id: str, kind: str) -> bool:
        """Claim an operator's command; false when its id was taken before."""
        with self.commit() as db:
            cursor = db.execute(
                "INSERT OR IGNORE INTO command VALUES (?,?,?,?)", (command_id, time.time(), kind, "taken")
            )
            return cursor.rowcount == 1

    def fact(self, name: str) -> str | None:
        """A single remembered value."""
        rows = self._read("SELECT value FROM fact WHERE name=?", name)
        return str(rows[0][0]) if rows else None

    def set_fact(self, name: str, value: str) -> None:
        """Remember a single value."""
        with self.commit() as db:
            db.execute("INSERT OR REPLACE INTO fact VALUES (?,?)", (name, value))


def _key(key: Key) -> tuple[int, str, int]:
    return key.chain_id, key.sale, key.attempt


def _record(row: tuple[Any, ...]) -> Record:
    chain_id, sale, attempt, state, buyer, open_before, started, updated, marks, local, voucher = row
    return Record(
        Key(chain_id, sale, attempt),
        State(state),
        buyer,
        open_before,
        started,
        updated,
        json.loads(marks),
        bool(local),
        voucher,
    )


def _add_step(db: sqlite3.Connection, key: Key, what: tuple[State, Event], at: float, detail: str) -> None:
    db.execute(
        "INSERT INTO step (chain_id, sale, attempt, state, event, at, detail) VALUES (?,?,?,?,?,?,?)",
        (*_key(key), what[0], what[1].name, at, detail),
    )


def _add_event(db: sqlite3.Connection, body: Body) -> None:
    db.execute("INSERT INTO event (body) VALUES (?)", (json.dumps(body),))


def _end_sending(db: sqlite3.Connection, key: Key, *, failed: bool) -> None:
    """What was proven needs no transaction any more: the voucher in it goes, its nonce stays used."""
    if failed:
        db.execute("DELETE FROM sending WHERE sale=? AND attempt=?", (key.sale, key.attempt))
    else:
        db.execute("UPDATE sending SET raw=x'', done=1 WHERE sale=? AND attempt=?", (key.sale, key.attempt))


def _add_sending(db: sqlite3.Connection, sending: Sending) -> None:
    db.execute(
        "INSERT OR REPLACE INTO sending VALUES (?,?,?,?,?,?,?,0)",
        (sending.nonce, sending.kind, sending.sale, sending.attempt, sending.hash, sending.raw, sending.at),
    )


def _hold(path: Path) -> int:
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise JournalError(f"another lading-pi uses the journal beside {path}; stop it first") from None
    return handle
