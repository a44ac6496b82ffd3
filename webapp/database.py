"""The database: SQLite by default, PostgreSQL by URL; one engine a process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session

MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """Hands out sessions: `read()` never blocks a writer, `write()` holds the write lock from its start."""

    def __init__(self, url: str) -> None:
        """Open the database at a SQLAlchemy URL; tables are made by `migrate`."""
        self.url = url
        self.sqlite = url.startswith("sqlite")
        self.engine = _sqlite(url) if self.sqlite else _server(url)
        self._writer = self.engine.execution_options(write=True)

    def migrate(self) -> None:
        """Bring the tables to this version."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.write() as session:
            self._lock(session, "lading-migrations")
            config.attributes["connection"] = session.connection()
            command.upgrade(config, "head")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self, lock: str = "") -> Iterator[Session]:
        """A session that commits at its end; `lock` names what no two writers may do at once."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            if lock:
                self._lock(session, lock)
            yield session

    def _lock(self, session: Session, name: str) -> None:
        # SQLite's BEGIN IMMEDIATE already admits one writer only.
        if not self.sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _server(url: str) -> Engine:
    # A connection from before the server's restart is found dead when it is taken from the pool, not in a query.
    return create_engine(
        url, pool_size=10, max_overflow=40, pool_timeout=10, pool_pre_ping=True, connect_args={"connect_timeout": 5}
    )


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 60, "check_same_thread": False}, pool_size=10, max_overflow=60)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN comes too late to take the write lock first.
        connection.isolation_level = None
        connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
            "PRAGMA busy_timeout=60000; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;"
        )

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
