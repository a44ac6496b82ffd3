"""The releases in hand: each is moved through the machine, on disk first, and only then acted upon.

Runs on the loop's thread alone.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from iot_client.equipment import Equipment
from iot_client.errors import NotNow
from iot_client.journal import Key, Record, Sending
from iot_client.machine import ENDS, OCCUPIES_DOOR, Effect, Event, State, advance, permits

log = logging.getLogger("iot_client")


@dataclass
class Hand:
    """What is known of a release beside its record, and lost in a restart."""

    began_ns: int = 0
    proven_at: float | None = None
    asked_at: float | None = None
    polled_at: float = 0.0
    polling: bool = False
    watched: bool = False
    watch_until: float | None = None
    last: Event | None = None
    marks: dict[str, float] = field(default_factory=dict)

    def mark(self, name: str) -> None:
        """How many milliseconds after the scan this was."""
        if self.began_ns:
            self.marks[name] = round((time.monotonic_ns() - self.began_ns) / 1e6, 3)

    @property
    def timing(self) -> str:
        """Scan to open, the time that the chain took apart."""
        if not {"sensed", "sent", "consumed"} <= self.marks.keys():
            return ""
        chain = self.marks["consumed"] - self.marks["sent"]
        return f"Scan to open {self.marks['sensed']:.0f} ms, of which {chain:.0f} ms for blocks and confirmations."


class InHand:
    """Every release that has not ended, by its key."""

    def __init__(self, equipment: Equipment) -> None:
        self._journal = equipment.journal
        self._screen = equipment.screen
        self._now = equipment.now
        self._records: dict[Key, Record] = {}
        self._hands: dict[Key, Hand] = {}
        self.opened = 0
        self.effects: dict[Effect, Callable[[Key], None]] = {}

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._records.values()))

    def __contains__(self, key: Key) -> bool:
        return key in self._records

    def record(self, key: Key) -> Record:
        """The record of a release in hand."""
        return self._records[key]

    def hand(self, key: Key) -> Hand:
        """What is known of it beside its record."""
        return self._hands[key]

    @property
    def at_door(self) -> Record | None:
        """The release that occupies the door, if one does."""
        return next((record for record in self if record.state in OCCUPIES_DOOR), None)

    def permits(self, key: Key, event: Event) -> bool:
        """Whether it is in hand and the table lists this event in its state."""
        return key in self._records and permits(self._records[key].state, event)

    def late(self, key: Key, margin_s: float = 0.0) -> bool:
        """Whether its `openBefore` has come, or comes within the margin."""
        return self._now() + margin_s >= self._records[key].open_before

    def take_up(self) -> list[Record]:
        """Take up what a restart interrupted."""
        for record in self._journal.unfinished():
            self._records[record.key], self._hands[record.key] = record, Hand()
        return list(self)

    def begin(self, record: Record, sending: Sending, hand: Hand) -> None:
        """A release that can be finished: on disk, then on the wire."""
        transition = advance(State.OWNED, Event.READY)
        self._journal.begin(record, sending, self._event(record, "ready"))
        self._records[record.key], self._hands[record.key] = record, hand
        hand.mark("submitted")
        self._act(record.key, transition.effects)

    def happen(self, key: Key, event: Event, detail: str = "") -> bool:
        """Move a release by an event: the journal first, then the effects. False where the table has no such move."""
        record = self._records.get(key)
        if record is None:
            return False
        try:
            transition = advance(record.state, event)
        except NotNow as refused:
            log.info("%s", refused, extra={"fields": {"sale": key.sale, "attempt": key.attempt}})
            return False
        self._move(replace(record, state=transition.to, updated=self._now()), event, detail)
        self._act(key, transition.effects)
        if transition.to in ENDS:
            self._end(key)
        return True

    def _move(self, moved: Record, event: Event, detail: str) -> None:
        key, hand = moved.key, self._hands[moved.key]
        hand.mark(moved.state)
        hand.last = event
        self.opened += moved.state is State.SENSED
        told = self._event(moved, event.name.lower(), detail)
        self._journal.move(key, event, moved.state, told, detail=detail, marks=hand.marks)
        if moved.state is State.INTENT:
            hand.marks["intent_fsync"] = round(self._journal.fsync_ms, 3)
        self._records[key] = moved

    def _act(self, key: Key, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            self.effects[effect](key)

    def _end(self, key: Key) -> None:
        record, hand = self._records.pop(key), self._hands.pop(key)
        if hand.marks:
            self._journal.mark(key, hand.marks)
        if record.state is State.COMPLETED:
            self._screen.yes("Completed on chain.", f"{key.sale} {hand.timing}".strip())
        elif record.state is State.ABORTED:
            self._screen.step("Aborted on chain.", key.sale, "It can be collected with a new receipt.")

    def requested(self, key: Key) -> None:
        """The cloud took its request: known only while this process lives, since nothing was done yet."""
        self._records[key] = replace(self._records[key], state=advance(State.CONSUMED, Event.REQUEST_SENT).to)
        self._hands[key].mark("requested")

    def prolong(self, key: Key, before: float) -> None:
        """Another `openBefore`, on disk too."""
        self._journal.prolong(key, before)
        self._records[key] = replace(self._records[key], open_before=before)

    def _event(self, record: Record, what: str, detail: str = "") -> dict[str, object]:
        key = record.key
        return {"event": "release", "at": self._now(), "sale": key.sale, "attempt": key.attempt,
                "state": record.state, "by": what, "detail": detail}  # fmt: skip
