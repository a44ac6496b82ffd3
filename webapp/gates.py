"""What is known of a gate, from its shadow: unknown is unknown. Pure but for the asking."""

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from webapp.cloud import Cloud
from webapp.errors import CloudError

LOG = 50
ASK = 200
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


@dataclass(frozen=True)
class Entry:
    """One line of a gate's log."""

    at: float
    title: str
    words: str
    sale: str | None
    refused: bool


def entry_of(told: dict[str, Any]) -> Entry:
    """Read an event as the cloud keeps it; whatever a device told, something readable comes out."""
    event = _table(told.get("event")) or {}
    at, sale, says = event.get("at"), event.get("sale"), event.get("says")
    outcome = event.get("state") or event.get("outcome") or ""
    kind = str(event.get("event") or "event")
    words = [str(event[key]) for key in ("says", "reason", "detail") if event.get(key)]
    return Entry(
        at=at if isinstance(at, int | float) else float(told.get("received_at") or 0),
        title=f"{kind}: {outcome}"[:60] if outcome else kind[:60],
        words=" · ".join(dict.fromkeys(words))[:300],
        sale=sale if isinstance(sale, str) and sale.startswith("0x") else None,
        refused=bool(says) or "refused" in kind,
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
        self._logs: dict[str, tuple[int, deque[Entry]]] = {}

    def look(self, thing: str) -> Gate:
        """Return the gate now; where the cloud does not answer, it says so and knows nothing."""
        with self._lock:
            at, gate = self._known.get(thing, (0.0, None))
            if gate is not None and time.monotonic() - at < self._keep_s:
                return gate
            gate = self._ask(thing)
            self._known[thing] = (time.monotonic(), gate)
            return gate

    def log(self, thing: str) -> list[Entry]:
        """Return the newest events of a thing, newest first; only what is new is asked for."""
        with self._lock:
            last, kept = self._logs.get(thing, (0, deque(maxlen=LOG)))
            try:
                while fresh := self._cloud.events(thing, after=last, limit=ASK):
                    last = max(last, *(int(event["id"]) for event in fresh))
                    kept.extend(entry_of(event) for event in fresh)
                    if len(fresh) < ASK:
                        break
            except CloudError:
                pass  # `look` says that the cloud is silent; what is known stays known
            self._logs[thing] = (last, kept)
            return list(reversed(kept))

    def _ask(self, thing: str) -> Gate:
        try:
            return gate_of(thing, self._cloud.shadow(thing), self._cloud.status(thing))
        except CloudError as error:
            return Gate(thing, None, None, None, None, None, str(error))
