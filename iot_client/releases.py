"""Everything after the checks, from `submitted` to an end: which part acts on which effect, and what time brings.

Runs on the loop's thread alone.
"""

import logging
import time

from iot_client.chain.settlement import Settlement
from iot_client.equipment import Equipment
from iot_client.following import Following
from iot_client.in_hand import InHand
from iot_client.journal import Key, Record
from iot_client.machine import AWAITS_CHAIN, Effect, Event, State
from iot_client.opening import Opening
from iot_client.reasons import Refusal

log = logging.getLogger("iot_client")

REFUSALS = {State.LATE: Refusal.TOO_LATE, State.ABORTING: Refusal.STAYED_SHUT, State.REFUSED: Refusal.NOT_MINED}
CASE_POLL_S = 2.0


class Releases:
    """The releases in hand with the chain's side and the door's side of them."""

    def __init__(self, equipment: Equipment, settlement: Settlement) -> None:
        self._settings = equipment.settings
        self._journal = equipment.journal
        self._gate = equipment.gate
        self._screen = equipment.screen
        self._now = equipment.now
        self.in_hand = InHand(equipment)
        self._following = Following(equipment, settlement, self.in_hand)
        self.opening = Opening(equipment, self.in_hand, self._following)
        self.in_hand.effects.update({
            Effect.SEND_RELEASE: self._following.send_release,
            Effect.SEND_COMPLETE: self._following.ask,
            Effect.SEND_ABORT: self._following.ask,
            Effect.REQUEST_OPEN: self.opening.request,
            Effect.CLEAR_REQUEST: self.opening.clear,
            Effect.PULSE: self.opening.pulse,
            Effect.WATCH: self.opening.watch,
            Effect.REPORT: self.opening.report,
            Effect.CALL_OPERATOR: self._call_operator,
            Effect.TELL: self._tell,
        })  # fmt: skip

    def record(self, key: Key) -> Record | None:
        """The release with this key, also one that has ended."""
        return self.in_hand.record(key) if key in self.in_hand else self._journal.release(key)

    def newest_attempt(self, sale: str) -> int:
        """The newest attempt of a sale that this door knows; 0 if none."""
        return max((record.key.attempt for record in self._journal.releases(sale)), default=0)

    def recover(self) -> None:
        """Take up what a restart interrupted."""
        for record in self.in_hand.take_up():
            if record.state in {State.INTENT, State.ACTUATED}:
                self.opening.recover(record.key)
            elif record.state not in AWAITS_CHAIN:
                self._screen.step("Taken up again after a restart.", f"{record.key.sale} is {record.state}")

    def shown_again(self, key: Key) -> bool:
        """The voucher of a release in hand was shown again: a new `openBefore`, if nothing was intended yet."""
        if not self.in_hand.permits(key, Event.SHOWN_AGAIN):
            return False
        self.in_hand.prolong(key, self._now() + self._settings.open_within_s)
        self.in_hand.hand(key).proven_at = None
        return self.in_hand.happen(key, Event.SHOWN_AGAIN)

    # What people are told

    def _call_operator(self, key: Key) -> None:
        self._screen.no(Refusal.OPERATOR)
        log.warning("a case for the operator", extra={"fields": {"sale": key.sale, "attempt": key.attempt}})

    def _tell(self, key: Key) -> None:
        state, hand = self.in_hand.record(key).state, self.in_hand.hand(key)
        if state is State.SENSED:
            self._screen.yes("OPEN.", hand.timing, "Take your goods, and close the gate.")
        else:
            self._gate.show(False)
            self._screen.no(Refusal.UNDONE if hand.last is Event.RELEASE_UNDONE else REFUSALS[state])

    # Time

    def tick(self) -> None:
        """Deadlines, questions to the chain, requests that were not accepted yet."""
        for record in self.in_hand:
            if record.key in self.in_hand:
                self._due(record.key, self.in_hand.record(record.key).state)

    def _due(self, key: Key, state: State) -> None:
        if state in {State.CONSUMED, State.REQUESTED}:
            self._wait_for_cloud(key)
        elif state is State.LATE:
            self._give_up_in_time(key)
        elif state in {State.INTENT, State.ACTUATED}:
            self._watch_in_time(key)
        elif state is State.CASE:
            self._following.ask_every(key, CASE_POLL_S)
        elif state in AWAITS_CHAIN:
            self._following.ask_every(key, self._settings.poll_s)

    def _wait_for_cloud(self, key: Key) -> None:
        asked_at = self.in_hand.hand(key).asked_at
        if self.in_hand.late(key):
            self.in_hand.happen(key, Event.DEADLINE)
        elif asked_at is None or time.monotonic() - asked_at > self._settings.resend_s:
            self.opening.request(key)

    def _give_up_in_time(self, key: Key) -> None:
        if self.in_hand.late(key, -self._settings.abort_after_s):
            self.in_hand.happen(key, Event.GIVEN_UP)

    def _watch_in_time(self, key: Key) -> None:
        until = self.in_hand.hand(key).watch_until
        if until is not None and time.monotonic() > until:
            self.in_hand.happen(key, Event.UNSURE, "the gate did not come to rest")
