"""Things and their certificates in SQLite: what the cloud knows about who may connect."""

import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS certificates (
    serial TEXT PRIMARY KEY, thing TEXT NOT NULL, role TEXT NOT NULL, fingerprint TEXT NOT NULL UNIQUE,
    public_key_sha256 TEXT NOT NULL, certificate TEXT NOT NULL, not_after INTEGER NOT NULL,
    issued_at INTEGER NOT NULL, issuer TEXT NOT NULL, superseded_at INTEGER, revoked_at INTEGER
);
CREATE INDEX IF NOT EXISTS certificates_of_thing ON certificates (thing);
CREATE INDEX IF NOT EXISTS certificates_of_key ON certificates (public_key_sha256);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class Certificate:
    """One issued client certificate. Times are Unix seconds; `issuer` is the authority's fingerprint."""

    serial: str
    thing: str
    role: str
    fingerprint: str
    public_key_sha256: str
    certificate: str
    not_after: int
    issued_at: int
    issuer: str
    superseded_at: int | None = None
    revoked_at: int | None = None

    def public(self) -> dict[str, Any]:
        """What a list shows: all but the PEM text."""
        return {key: value for key, value in asdict(self).items() if key != "certificate"}


class Registry:
    """Reads and writes certificates; a write is committed when the method returns."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(SCHEMA)

    def add(self, certificate: Certificate) -> None:
        """Record an issued certificate."""
        marks = ", ".join("?" * len(astuple(certificate)))
        self._db.execute(f"INSERT INTO certificates VALUES ({marks})", astuple(certificate))  # noqa: S608

    def active(self, thing: str) -> list[Certificate]:
        """A thing's certificates that are not revoked, the newest first."""
        return self._select("thing = ? AND revoked_at IS NULL ORDER BY issued_at DESC, rowid DESC", thing)

    def all_active(self) -> list[Certificate]:
        """Every certificate that is not revoked, by thing."""
        return self._select("revoked_at IS NULL ORDER BY thing, issued_at DESC, rowid DESC")

    def of_thing(self, thing: str) -> list[Certificate]:
        """All certificates that a thing ever had, the newest first."""
        return self._select("thing = ? ORDER BY issued_at DESC, rowid DESC", thing)

    def of_key(self, public_key_sha256: str) -> list[Certificate]:
        """All certificates ever given to a key."""
        return self._select("public_key_sha256 = ?", public_key_sha256)

    def by_fingerprint(self, fingerprint: str) -> Certificate | None:
        """The certificate with this SHA-256, revoked or not."""
        return next(iter(self._select("fingerprint = ?", fingerprint)), None)

    def revoked(self, issuer: str) -> list[Certificate]:
        """What an authority's revocation list must name."""
        return self._select("revoked_at IS NOT NULL AND issuer = ?", issuer)

    def supersede(self, serials: Iterable[str], at: int) -> None:
        """Mark certificates as followed by a newer one."""
        self._db.executemany(
            "UPDATE certificates SET superseded_at = coalesce(superseded_at, ?) WHERE serial = ?",
            [(at, serial) for serial in serials],
        )

    def revoke(self, serials: Iterable[str], at: int) -> None:
        """Mark certificates as revoked."""
        self._db.executemany(
            "UPDATE certificates SET revoked_at = coalesce(revoked_at, ?) WHERE serial = ?",
            [(at, serial) for serial in serials],
        )

    def next_number(self, counter: str) -> int:
        """The next of a counter that never goes back."""
        row = self._db.execute(
            "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (counter,),
        ).fetchone()
        return int(row[0])

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _select(self, condition: str, *values: str) -> list[Certificate]:
        rows = self._db.execute(f"SELECT * FROM certificates WHERE {condition}", values)  # noqa: S608
        return [Certificate(*row) for row in rows]
