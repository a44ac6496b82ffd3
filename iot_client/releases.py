"""The releases in hand: moves them through the machine, journals first, then acts.

Runs on the loop's thread alone. What waits for the network is done by the worker and comes back as an event.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from contracts.errors import LadingError
from contracts.verdict import Reason, Verdict
from iot_client.chain.settlement import Progress, Settlement
from iot_client.cloud.documents import OpenRequest, last_release
from iot_client.equipment import Equipment
from iot_client.errors import GateError, NotNow
from iot_client.gate import GateState
from iot_client.journal import Key, Record, Sending
from iot_client.loop import Failed
from iot_client.machine import AWAITS_CHAIN, ENDS, OCCUPIES_DOOR, Effect, Event, State, advance, permits
from iot_client.reasons import Refusal

log = logging.getLogger("iot_client")

OUTCOMES = {State.SENSED: "opened", State.ABORTING: "not-opened", State.CASE: "unknown", State.COMPLETED: "opened",
            State.ABORTED: "not-opened"}  # fmt: skip
REFUSALS = {State.LATE: Refusal.TOO_LATE, State.ABORTING: Refusal.STAYED_SHUT, State.REFUSED: Refusal.NOT_MINED}
PROOF_FRESH_S = 2.0
PULSE_WITHIN_S = 1.0
"""How long writing an intent and pulsing may take; nearer to `openBefore` none is begun."""


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


class Releases:
    """Everything after the checks: from `submitted` to an end."""

    def __init__(self, equipment: Equipment, settlement: Settlement) -> None:
        self._settings = equipment.settings
        self._journal = equipment.journal
        self._gate = equipment.gate
        self._shadow = equipment.shadow
        self._worker = equipment.worker
        self._screen = equipment.screen
        self._now = equipment.now
        self._settlement = settlement
        self._records: dict[Key, Record] = {}
        self._hands: dict[Key, Hand] = {}
        self._gate_at: GateState | None = None
        self.opened = 0
        self._effects: dict[Effect, Callable[[Key], None]] = {
            Effect.SEND_RELEASE: self._send_release,
            Effect.REQUEST_OPEN: self._request_open,
            Effect.CLEAR_REQUEST: self._clear_request,
            Effect.PULSE: self._pulse,
            Effect.WATCH: self._watch,
            Effect.REPORT: self._report,
            Effect.SEND_COMPLETE: self._poll_now,
            Effect.SEND_ABORT: self._poll_now,
            Effect.CALL_OPERATOR: self._call_operator,
            Effect.TELL: self._tell,
        }

    # What is in hand

    @property
    def at_door(self) -> Record | None:
        """The release that occupies the door, if one does."""
        return next((record for record in self._records.values() if record.state in OCCUPIES_DOOR), None)

    def record(self, key: Key) -> Record | None:
        """The release with this key, also one that has ended."""
        return self._records.get(key) or self._journal.release(key)

    @property
    def in_hand(self) -> list[Record]:
        """Every release that has not ended."""
        return list(self._records.values())

    def newest_attempt(self, sale: str) -> int:
        """The newest attempt of a sale that this door knows; 0 if none."""
        return max((record.key.attempt for record in self._journal.releases(sale)), default=0)

    # Beginning

    def recover(self) -> None:
        """Take up what a restart interrupted; an open intent is never pulsed again."""
        for record in self._journal.unfinished():
            self._records[record.key], self._hands[record.key] = record, Hand()
            if record.state in {State.INTENT, State.ACTUATED}:
                self._recover_intent(record.key)
            elif record.state not in AWAITS_CHAIN:
                self._screen.step("Taken up again after a restart.", f"{record.key.sale} is {record.state}")

    def _recover_intent(self, key: Key) -> None:
        state = self._gate.state
        if state is GateState.OPEN and self._gate.senses:
            self.happen(key, Event.OPENED, "seen open after a restart")
        elif state in {GateState.UNLOCKING, GateState.LOCKING} and self._gate.senses:
            # The sensor may still see it open; if not, nobody watched from the beginning, and the operator decides.
            self._hands[key].watch_until = time.monotonic() + self._settings.sense_within_s
        else:
            self.happen(key, Event.UNSURE, "restarted between intent and sensor")

    def begin(self, record: Record, sending: Sending, hand: Hand) -> None:
        """A release that can be finished: on disk, then on the wire."""
        advance(State.OWNED, Event.READY)
        self._journal.begin(record, sending, self._event(record, "ready"))
        self._records[record.key], self._hands[record.key] = record, hand
        hand.mark("submitted")
        self._effects[Effect.SEND_RELEASE](record.key)

    # Moving

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
        hand = self._hands[key]
        hand.mark(transition.to)
        hand.last = event
        self.opened += transition.to is State.SENSED
        moved = replace(record, state=transition.to, updated=self._now())
        self._journal.move(
            key, event, transition.to, self._event(moved, event.name.lower(), detail), detail=detail, marks=hand.marks
        )
        if transition.to is State.INTENT:
            hand.marks["intent_fsync"] = round(self._journal.fsync_ms, 3)
        self._records[key] = moved
        for effect in transition.effects:
            self._effects[effect](key)
        if transition.to in ENDS:
            self._end(key)
        return True

    def _end(self, key: Key) -> None:
        record, hand = self._records.pop(key), self._hands.pop(key)
        if hand.marks:
            self._journal.mark(key, hand.marks)
        if record.state is State.COMPLETED:
            self._screen.yes("Completed on chain.", f"{key.sale} {_timing(hand.marks)}".strip())
        elif record.state is State.ABORTED:
            self._screen.step("Aborted on chain.", key.sale, "It can be collected with a new receipt.")

    def shown_again(self, key: Key) -> bool:
        """The voucher of a release in hand was shown again: a new `openBefore`, if nothing was intended yet."""
        record = self._records.get(key)
        if record is None or not permits(record.state, Event.SHOWN_AGAIN):
            return False
        self._prolong(key)
        return self.happen(key, Event.SHOWN_AGAIN)

    def _prolong(self, key: Key) -> None:
        before = self._now() + self._settings.open_within_s
        self._journal.prolong(key, before)
        self._records[key] = replace(self._records[key], open_before=before)
        self._hands[key].proven_at = None

    # The cloud's side

    def wanted(self, request: OpenRequest) -> None:
        """A delta wants a door open: only a proven release of this journal, before its `openBefore`."""
        key = next((key for key in self._records if request.is_for(key)), None)
        if key is None or not permits(self._records[key].state, Event.OPEN_WANTED):
            self._refuse_request(request, key)
            return
        self._hands[key].mark("delta")
        if request.open_before != int(self._records[key].open_before):
            log.info("a delta with another openBefore than this journal's is not acted on")
            return
        self._open(key, Event.OPEN_WANTED)

    def _refuse_request(self, request: OpenRequest, key: Key | None) -> None:
        if key is not None and self._records[key].state not in ENDS:
            return  # a repeated delta, or one that waits for the chain
        log.warning("a request that this journal does not know was refused", extra={"fields": {"sale": request.sale}})
        self._journal.add_event(
            {"event": "request-refused", "at": self._now(), "sale": request.sale, "attempt": request.attempt}
        )
        self._shadow.clear()

    def accepted(self, request: OpenRequest) -> None:
        """The cloud took the request."""
        key = next((key for key in self._records if request.is_for(key)), None)
        if key is not None and self._records[key].state is State.CONSUMED:
            self._records[key] = replace(self._records[key], state=advance(State.CONSUMED, Event.REQUEST_SENT).to)
            self._hands[key].mark("requested")

    def _open(self, key: Key, event: Event) -> None:
        """Open now if the proof is fresh, else prove again first."""
        if self._late(key, PULSE_WITHIN_S):
            return
        proven_at = self._hands[key].proven_at
        if proven_at is not None and time.monotonic() - proven_at <= PROOF_FRESH_S:
            self.happen(key, event)
            return
        self._prove_again(key, event)

    def _late(self, key: Key, margin_s: float = 0.0) -> bool:
        return self._now() + margin_s >= self._records[key].open_before

    def _prove_again(self, key: Key, event: Event) -> None:
        hand = self._hands[key]
        if hand.polling:
            return
        hand.polling = True

        def then(verdict: Verdict | Failed) -> None:
            hand.polling = False
            if isinstance(verdict, Verdict) and self._take_proof(key, verdict) and not self._late(key, PULSE_WITHIN_S):
                self.happen(key, event)

        self._worker.do(lambda: self._settlement.is_releasing(key), then)

    def _take_proof(self, key: Key, verdict: Verdict) -> bool:
        if verdict.accepted:
            self._hands[key].proven_at = time.monotonic()
            return True
        if verdict.reason in {Reason.ALREADY_COLLECTED, Reason.REFUNDED, Reason.OTHER_ATTEMPT, Reason.OTHER_DEVICE}:
            self.happen(key, Event.RELEASE_UNDONE, verdict.reason)
        return False

    def order_open(self, key: Key, before: float) -> bool:
        """The operator orders this release opened, past its own `openBefore` if need be."""
        record = self._records.get(key)
        if record is None or not permits(record.state, Event.ORDERED_OPEN) or self._gate.state is not GateState.LOCKED:
            return False
        self._journal.prolong(key, before)
        self._records[key] = replace(record, open_before=before)
        self._prove_again(key, Event.ORDERED_OPEN)
        return True

    # The gate's side

    def gate_changed(self, state: GateState | None) -> None:
        """The sensor or the relay says something new."""
        self._gate_at = state
        self._shadow.report(gate=state)
        for key, record in list(self._records.items()):
            if record.state in {State.INTENT, State.ACTUATED}:
                self._sensed(key, state)

    def _sensed(self, key: Key, state: GateState | None) -> None:
        hand = self._hands[key]
        if state is GateState.OPEN and self._gate.senses:
            self.happen(key, Event.OPENED)
        elif state is GateState.JAMMED:
            self.happen(key, Event.UNSURE, "the gate is jammed")
        elif state is GateState.LOCKED and self._records[key].state is State.ACTUATED:
            shut = hand.watched and self._gate.senses
            self.happen(key, Event.STAYED_SHUT if shut else Event.UNSURE, "" if shut else "nobody watched it through")

    # Effects

    def _send_release(self, key: Key) -> None:
        self._screen.step("Paid for. The release goes to the chain …", do="This takes some blocks; stay here.")
        self._worker.do(lambda: self._settlement.send_release(key), lambda result: self._sent(key, result))

    def _sent(self, key: Key, result: object) -> None:
        if key in self._hands:
            self._hands[key].mark("sent")
        if isinstance(result, Failed):
            self._screen.step("The chain does not answer.", do="The release is sent again until it does.")
        self._poll_now(key)

    def _request_open(self, key: Key) -> None:
        record, hand = self._records[key], self._hands[key]
        hand.asked_at = time.monotonic()
        if self._late(key):
            return
        if self._shadow.ask(key, record.open_before):
            hand.mark("asked")
        elif self._settings.open_without_cloud:
            self._journal.mark(key, {}, local=True)
            self._screen.step("Opening by the local path.", "(the cloud is away)")
            self._open(key, Event.OPEN_WANTED)

    def _clear_request(self, _key: Key) -> None:
        self._shadow.clear()

    def _pulse(self, key: Key) -> None:
        self._hands[key].watched = self._gate.senses and self._gate_at is GateState.LOCKED
        if self._late(key):  # the disk was slow
            self.happen(key, Event.UNSURE, "the intent was written too late, and not pulsed")
            return
        try:
            self._gate.pulse()
        except GateError as error:
            self.happen(key, Event.UNSURE, str(error))
            return
        self.happen(key, Event.PULSED)

    def _watch(self, key: Key) -> None:
        self._hands[key].watch_until = time.monotonic() + self._settings.sense_within_s
        self._gate.show(True)
        self._screen.yes("Unlocked.", do="Please open the gate.")
        if not self._gate.senses:
            self.happen(key, Event.UNSURE, "this gate has no door sensor")

    def _report(self, key: Key) -> None:
        outcome = OUTCOMES.get(self._records[key].state, "unknown")
        self._shadow.clear(last_release(key, outcome, self._now()))

    def _call_operator(self, key: Key) -> None:
        self._screen.no(Refusal.OPERATOR)
        log.warning("a case for the operator", extra={"fields": {"sale": key.sale, "attempt": key.attempt}})

    def _tell(self, key: Key) -> None:
        state = self._records[key].state
        if state is State.SENSED:
            self._screen.yes("OPEN.", _timing(self._hands[key].marks), "Take your goods, and close the gate.")
        else:
            self._gate.show(False)
            self._screen.no(Refusal.UNDONE if self._hands[key].last is Event.RELEASE_UNDONE else REFUSALS[state])

    # Time

    def tick(self) -> None:
        """Deadlines, questions to the chain, requests that were not accepted yet."""
        for key in list(self._records):
            record = self._records.get(key)
            if record is not None:
                self._due(key, record)

    def _due(self, key: Key, record: Record) -> None:
        hand = self._hands[key]
        if record.state in {State.CONSUMED, State.REQUESTED}:
            self._waiting(key, hand)
        elif record.state is State.LATE:
            if self._now() >= record.open_before + self._settings.abort_after_s:
                self.happen(key, Event.GIVEN_UP)
        elif record.state in {State.INTENT, State.ACTUATED}:
            if hand.watch_until is not None and time.monotonic() > hand.watch_until:
                self.happen(key, Event.UNSURE, "the gate did not come to rest")
        elif record.state in AWAITS_CHAIN or record.state is State.CASE:
            self._poll(key, hand, self._settings.poll_s if record.state in AWAITS_CHAIN else 2.0)

    def _waiting(self, key: Key, hand: Hand) -> None:
        if self._late(key):
            self.happen(key, Event.DEADLINE)
        elif hand.asked_at is None or time.monotonic() - hand.asked_at > self._settings.resend_s:
            self._request_open(key)

    def _poll(self, key: Key, hand: Hand, every_s: float) -> None:
        if not hand.polling and time.monotonic() - hand.polled_at >= every_s:
            self._poll_now(key)

    def _poll_now(self, key: Key) -> None:
        hand, record = self._hands.get(key), self._records.get(key)
        if hand is None or record is None or hand.polling:
            return
        hand.polling = True
        self._worker.do(lambda: self._settlement.progress(key, record.state), lambda found: self._polled(key, found))

    def _polled(self, key: Key, found: Progress | Failed) -> None:
        hand = self._hands.get(key)
        if hand is None:
            return
        hand.polling, hand.polled_at = False, time.monotonic()
        if isinstance(found, Failed):
            if not isinstance(found.error, LadingError):
                log.error("asking the chain failed", exc_info=found.error)
            return
        if found.event is Event.RELEASE_PROVEN:
            hand.proven_at = time.monotonic()
        if found.event is not None:
            self.happen(key, found.event, found.detail)

    def _event(self, record: Record, what: str, detail: str = "") -> dict[str, object]:
        key = record.key
        return {"event": "release", "at": self._now(), "sale": key.sale, "attempt": key.attempt,
                "state": record.state, "by": what, "detail": detail}  # fmt: skip


def _timing(marks: dict[str, float]) -> str:
    """Scan to open, the time that the chain took apart."""
    if not {"sensed", "sent", "consumed"} <= marks.keys():
        return ""
    chain = marks["consumed"] - marks["sent"]
    return f"Scan to open {marks['sensed']:.0f} ms, of which {chain:.0f} ms for blocks and confirmations."
