"""What is known of a gate, from its shadow: unknown is unknown. Pure but for the asking."""

import threading
import time
from dataclasses import dataclass
from typing import Any

from webapp.cloud import Cloud
from webapp.errors import CloudError

WORDS = {
    "LOCKED": "Locked",
    "UNLOCKING": "Unlocking",
    "OPEN": "Open",
    "LOCKING": "Locking",
    "JAMMED": "Jammed",
}


@dataclass(frozen=True)
class Gate:
    """A gate as its device last reported it."""

    thing: str
    state: str | None
    online: bool | None
    asked: dict[str, Any] | None
    last: dict[str, Any] | None
    version: int | None
    trouble: str = ""

    @property
    def words(self) -> str:
        """The state for people."""
        return WORDS.get(self.state or "", "Unknown")


def gate_of(thing: str, shadow: dict[str, Any] | None, status: dict[str, Any]) -> Gate:
    """Read a shadow document."""
    state = (shadow or {}).get("state") or {}
    reported, desired = state.get("reported") or {}, state.get("desired") or {}
    online = status.get("online")
    told = reported.get("gate")
    return Gate(
        thing=thing,
        state=told if told in WORDS else None,
        online=online if isinstance(online, bool) else None,
        asked=_table(desired.get("release")),
        last=_table(reported.get("lastRelease")),
        version=(shadow or {}).get("version"),
    )


def _table(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


class Gates:
    """Asks the cloud at most once a moment for each gate, however many people watch."""

    def __init__(self, cloud: Cloud, keep_s: float = 0.25) -> None:
        """Ask this cloud."""
        self._cloud = cloud
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Gate]] = {}

    def look(self, thing: str) -> Gate:
        """Return the gate now; where the cloud does not answer, it says so and knows nothing."""
        with self._lock:
            at, gate = self._known.get(thing, (0.0, None))
            if gate is not None and time.monotonic() - at < self._keep_s:
                return gate
            gate = self._ask(thing)
            self._known[thing] = (time.monotonic(), gate)
            return gate

    def _ask(self, thing: str) -> Gate:
        try:
            return gate_of(thing, self._cloud.shadow(thing), self._cloud.status(thing))
        except CloudError as error:
            return Gate(thing, None, None, None, None, None, str(error))
