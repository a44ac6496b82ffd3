"""One reader a process for all who listen: it looks for new rows and wakes them; a listener costs no query."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from webapp.database import Database
from webapp.telling import Message, Place, messages_after, newest

EVERY_S = 0.04
KEPT = 4_000
PATIENCE_S = 1.0


class Hub:
    """Reads while somebody listens."""

    def __init__(self, database: Database, chain_id: int, most: int) -> None:
        """Let at most this many listen at once."""
        self._database = database
        self._chain_id = chain_id
        self._room = threading.BoundedSemaphore(most)
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._listeners = 0
        self._place = Place(0, 0)
        self._kept: deque[Message] = deque(maxlen=KEPT)
        self._count = 0

    @contextmanager
    def listening(self) -> Iterator[bool]:
        """Be one of those who listen; false where there is no room."""
        if not self._room.acquire(blocking=False):
            yield False
            return
        try:
            self._join()
            yield True
        finally:
            self._leave()
            self._room.release()

    def catch_up(self, place: Place) -> list[Message]:
        """Return what comes after this place, from the database."""
        with self._database.read() as session:
            return messages_after(session, self._chain_id, place)

    def wait(self, seen: int, patience_s: float = PATIENCE_S) -> tuple[int, list[Message] | None]:
        """Return how many messages there were, and those since `seen`; `None` where they are no longer kept."""
        with self._changed:
            if self._count == seen:
                self._changed.wait(patience_s)
            missed = self._count - seen
            if not missed:
                return seen, []
            kept = list(self._kept)[-missed:] if 0 < missed <= len(self._kept) else None
            return self._count, kept

    @property
    def count(self) -> int:
        """How many messages this process has read."""
        return self._count

    def _join(self) -> None:
        with self._changed:
            self._listeners += 1
            if self._listeners > 1:
                return
            self._stop = threading.Event()
            with self._database.read() as session:
                self._place = newest(session, self._chain_id)
            threading.Thread(target=self._read, args=(self._stop, self._place), name="hub", daemon=True).start()

    def _leave(self) -> None:
        with self._changed:
            self._listeners -= 1
            if not self._listeners:
                self._stop.set()

    def _read(self, stop: threading.Event, place: Place) -> None:
        while not stop.wait(EVERY_S):
            try:
                fresh = self.catch_up(place)
            except SQLAlchemyError:
                continue  # the database is away: they wait, and the place is kept
            for message in fresh:
                place = place.after(message)
            if fresh:
                self._spread(fresh, stop)

    def _spread(self, fresh: list[Message], stop: threading.Event) -> None:
        with self._changed:
            if stop.is_set():
                return
            self._kept.extend(fresh)
            self._count += len(fresh)
            self._changed.notify_all()
