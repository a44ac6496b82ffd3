"""What people are told while the database does not answer, or the chain stands still."""

import threading
from typing import Any

from flask import g, render_template, request
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError  # noqa: A004  # the pool's own

from webapp.alarm_rules import AlarmKind
from webapp.api.problems import problem
from webapp.device_models import AlarmRow
from webapp.perseverance import persevere
from webapp.services import Services, services

TITLE = "Not right now"
WORDS = (
    "The site's database does not answer at the moment. What was signed before is kept and goes on;"
    " what you just sent may not have arrived. Reload in a minute; a form sent again counts once."
)


KEPT = "Everything here can be read as it was; what you sign is kept and goes on by itself."
STOPPED = f"The chain makes no new blocks at the moment. {KEPT}"
SILENT = (
    "No node of the chain answers at the moment. Everything here can be read as it was, and what was signed before"
    " goes on by itself; nothing new can be signed until one answers."
)
STANDSTILL = (AlarmKind.CHAIN_STOPPED, AlarmKind.NODE_SILENT)
BANNER = "standstill"
LOOK_AGAIN_S = 1.0
KINDS = (OperationalError, InterfaceError, TimeoutError)


def away(_error: Exception) -> Any:
    """Answer with status 503, in words."""
    # The page must ask the database nothing, not even who is signed in.
    g.user = None
    headers = {"Retry-After": "5"}
    if request.path.startswith("/api/"):
        return problem(503, "unavailable", WORDS, headers=headers)
    if request.accept_mimetypes.best == "application/json":
        return {"error": WORDS}, 503, headers
    return render_template("error.html", status=503, title=TITLE, words=WORDS), 503, headers


def standstill() -> dict[str, str]:
    """Give every page a banner while no block is made or no node answers; it costs no query."""
    try:
        return {"standstill": (services().settings.folder / BANNER).read_text()}
    except FileNotFoundError:
        return {}


class Banner:
    """What one process of each machine looks up for all pages of that machine."""

    def __init__(self, shop: Services) -> None:
        """Write beside this shop's other files."""
        self._shop = shop
        self._path = shop.settings.folder / BANNER

    def run(self, stop: threading.Event, every_s: float) -> None:
        """Look until told to stop."""
        try:
            persevere(stop, max(every_s, LOOK_AGAIN_S), "banner", self.look)
        finally:
            self._path.unlink(missing_ok=True)

    def look(self) -> bool:
        """Write the words for what stands still, or take them away."""
        chain_id, words = self._shop.chain.chain_id, ""
        standing = (AlarmRow.chain_id == chain_id, AlarmRow.ended_at.is_(None), AlarmRow.kind.in_(STANDSTILL))
        with self._shop.database.read() as session:
            kinds = list(session.scalars(select(AlarmRow.kind).where(*standing)))
        if kinds.count(AlarmKind.NODE_SILENT) >= len(self._shop.settings.rpc_urls) > 0:
            words = SILENT
        elif AlarmKind.CHAIN_STOPPED in kinds:
            words = STOPPED
        if words:
            self._path.write_text(words)
        else:
            self._path.unlink(missing_ok=True)
        return False
