"""Which process does what only one may do: a row that its holder renews, taken over when it stays silent."""

import os
import socket
import time

from webapp.database import Database
from webapp.device_models import Watch

LEASE_S = 3.0


def hold(database: Database, name: str, holder: str = "", lease_s: float = LEASE_S) -> bool:
    """Take or renew a lease; False while another process holds it and is alive."""
    holder, at = holder or _me(), time.time()
    with database.write(f"lease:{name}") as session:
        row = session.get(Watch, name)
        if row is None:
            session.add(Watch(name=name, holder=holder, beat_at=at))
            return True
        if row.holder != holder and at - row.beat_at < lease_s:
            return False
        row.holder, row.beat_at = holder, at
        return True


def give_up(database: Database, name: str, holder: str = "") -> None:
    """Let another process take over at once."""
    with database.write(f"lease:{name}") as session:
        row = session.get(Watch, name)
        if row is not None and row.holder == (holder or _me()):
            row.beat_at = 0.0


def _me() -> str:
    # Not a constant: gunicorn's workers are forked.
    return f"{socket.gethostname()[:32]}:{os.getpid()}"
