"""Every thing's own limit of requests: one that floods is refused, the others never notice."""

import threading
import time
from collections.abc import Callable

from iot_cloud.shadow.errors import TooManyRequestsError

FORGET_ABOVE = 100_000


class RateLimit:
    """Token buckets, one a thing."""

    def __init__(self, per_second: float, burst: int, now: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._now = per_second, burst, now
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def admit(self, thing: str) -> None:
        """Let one request of this thing pass, or raise TooManyRequestsError."""
        now = self._now()
        with self._lock:
            if len(self._buckets) > FORGET_ABOVE:
                self._buckets.clear()
            tokens, then = self._buckets.get(thing, (float(self._burst), now))
            tokens = min(self._burst, tokens + (now - then) * self._per_second)
            self._buckets[thing] = (max(tokens - 1, 0.0) if tokens >= 1 else tokens, now)
        if tokens < 1:
            raise TooManyRequestsError
