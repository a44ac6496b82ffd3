"""The writer's seat: of all processes that share a database one has it; another takes it when that one is gone."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from webapp.database import Database

SILENT_S = 3
"""A holder that says nothing for so long, because it hangs or its machine is gone, loses the seat."""


def seat_of(database: Database, name: str) -> "Seat":
    """Return the seat of this name for whoever shares this database."""
    if database.sqlite:
        return FileSeat(Path(database.engine.url.database or "web").with_suffix(f".{name}-seat"))
    return AdvisorySeat(database, name)


class Seat:
    """What may be held by one process only."""

    def held(self) -> bool:
        """Take the seat if it is free; whether it is this process's now. Asked often: asking keeps it."""
        raise NotImplementedError

    def leave(self) -> None:
        """Let another have it at once."""
        raise NotImplementedError


class FileSeat(Seat):
    """SQLite: all processes are on this machine, and the kernel frees a file's lock with its holder."""

    def __init__(self, path: Path) -> None:
        """Lock this file."""
        self._path = path
        self._file: IO[str] | None = None

    def held(self) -> bool:
        """Lock the file, or say that another has."""
        if self._file is None:
            file = self._path.open("w")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return False
            self._file = file
        return True

    def leave(self) -> None:
        """Unlock it."""
        if self._file is not None:
            self._file.close()
            self._file = None


class AdvisorySeat(Seat):
    """PostgreSQL: an advisory lock of a session of its own, which the server ends with its process or its silence."""

    def __init__(self, database: Database, name: str) -> None:
        """Use a lock of this name."""
        self._engine = database.engine
        self._name = name
        self._session: Connection | None = None
        self._mine = False

    def held(self) -> bool:
        """Take the lock, or hear whether the session that has it still lives."""
        try:
            session = self._session or self._open()
            if self._mine:
                session.execute(text("SELECT 1"))
            else:
                asked = text("SELECT pg_try_advisory_lock(hashtext(:name))")
                self._mine = bool(session.scalar(asked, {"name": f"seat:{self._name}"}))
        except SQLAlchemyError:
            self.leave()
        return self._mine

    def _open(self) -> Connection:
        session = self._session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        session.detach()  # it is this seat's for good: closing it ends it
        for setting, value in (
            ("application_name", f"lading {self._name} {os.getpid()}"),
            ("idle_session_timeout", f"{SILENT_S}s"),
            ("tcp_keepalives_idle", "1"),
            ("tcp_keepalives_interval", "1"),
            ("tcp_keepalives_count", str(SILENT_S)),
        ):
            session.execute(text(f"SET {setting} = '{value}'"))
        return session

    def leave(self) -> None:
        """End the session; the next question opens another."""
        session, self._session, self._mine = self._session, None, False
        if session is not None:
            with contextlib.suppress(SQLAlchemyError):
                session.close()
