"""What stands still on the chain, looked up by one process of each machine for all pages of that machine."""

import threading

from sqlalchemy import select

from webapp.alarm_rules import AlarmKind
from webapp.device_models import AlarmRow
from webapp.perseverance import persevere
from webapp.services import Services

KEPT = "Everything here can be read as it was; what you sign is kept and goes on by itself."
STOPPED = f"The chain makes no new blocks at the moment. {KEPT}"
SILENT = (
    "No node of the chain answers at the moment. Everything here can be read as it was, and what was signed before"
    " goes on by itself; nothing new can be signed until one answers."
)
STANDSTILL = (AlarmKind.CHAIN_STOPPED, AlarmKind.NODE_SILENT)
BANNER = "standstill"
LOOK_AGAIN_S = 1.0


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
