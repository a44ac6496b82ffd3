"""A code held in front of a door for ten seconds is one scan, whichever of its scanners see it."""

import threading

HELD_S = 10.0


class Held:
    """Remembers when each text was seen last; shared by the scanners of a door."""

    def __init__(self, held_s: float = HELD_S) -> None:
        self._held_s = held_s
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_new(self, text: str, now: float) -> bool:
        """Whether this text begins a new scan; every sight of it prolongs the old one."""
        with self._lock:
            self._seen = {known: at for known, at in self._seen.items() if now - at < self._held_s}
            new = text not in self._seen
            self._seen[text] = now
            return new
