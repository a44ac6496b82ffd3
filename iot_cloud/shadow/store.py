"""Shadows in SQLite. One connection a process, guarded by the caller's lock; WAL, so that readers never wait."""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from iot_cloud.shadow.document import Document, compact

SCHEMA = """
CREATE TABLE IF NOT EXISTS shadows (
    thing TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, timestamp INTEGER NOT NULL,
    present INTEGER NOT NULL, document BLOB NOT NULL, PRIMARY KEY (thing, name)
) WITHOUT ROWID
"""
WRITE = "INSERT OR REPLACE INTO shadows VALUES (?, ?, ?, ?, ?, ?)"
BUSY_TIMEOUT_S = 2.0


class ShadowStore:
    """Reads and writes documents; a write is committed when the method returns."""

    def __init__(self, path: Path, synchronous: str = "NORMAL") -> None:
        self._db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA synchronous = {synchronous}")
        self._db.execute(SCHEMA)

    def read(self, thing: str, name: str) -> Document:
        """The document; version 0 if there never was one."""
        row = self._db.execute(
            "SELECT version, timestamp, present, document FROM shadows WHERE thing = ? AND name = ?", (thing, name)
        ).fetchone()
        if row is None:
            return Document()
        version, timestamp, present, body = row
        content = json.loads(body)
        return Document(content["state"], content["metadata"], version, timestamp, exists=bool(present))

    def write(self, thing: str, name: str, document: Document) -> None:
        """Store and commit."""
        self._db.execute(WRITE, _row(thing, name, document))

    def write_many(self, documents: Iterable[tuple[str, str, Document]]) -> None:
        """Store many and commit once: (thing, shadow's name, document) each."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(WRITE, (_row(*each) for each in documents))
        self._db.execute("COMMIT")

    def names(self, thing: str) -> list[str]:
        """The named shadows that a thing has, in order."""
        rows = self._db.execute(
            "SELECT name FROM shadows WHERE thing = ? AND present AND name != '' ORDER BY name", (thing,)
        )
        return [name for (name,) in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def _row(thing: str, name: str, document: Document) -> tuple[str, str, int, int, bool, bytes]:
    body = compact({"state": document.state, "metadata": document.metadata})
    return thing, name, document.version, document.timestamp, document.exists, body
