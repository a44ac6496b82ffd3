"""A code held in front of a camera for ten seconds is one scan."""

HELD_S = 10.0


class Held:
    """Remembers the last text and when it was seen last."""

    def __init__(self, held_s: float = HELD_S) -> None:
        self._held_s = held_s
        self._text: str | None = None
        self._seen = float("-inf")

    def is_new(self, text: str, now: float) -> bool:
        """Whether this text begins a new scan; every sight of it prolongs the old one."""
        new = text != self._text or now - self._seen >= self._held_s
        self._text, self._seen = text, now
        return new
