"""The chain's side of a release: sends it, follows it, proves it again before anything opens.

What waits for the network is done by the worker and comes back on the loop's thread.
"""

import logging
import time

from contracts.errors import LadingError
from contracts.verdict import Reason, Verdict
from iot_client.chain.settlement import Progress, Settlement
from iot_client.equipment import Equipment
from iot_client.in_hand import InHand
from iot_client.journal import Key
from iot_client.loop import Failed
from iot_client.machine import Event

log = logging.getLogger("iot_client")

PROOF_FRESH_S = 2.0
PULSE_WITHIN_S = 1.0
"""How long writing an intent and pulsing may take; nearer to `openBefore` none is begun."""
UNDOES = frozenset({Reason.ALREADY_COLLECTED, Reason.REFUNDED, Reason.OTHER_ATTEMPT, Reason.OTHER_DEVICE})


class Following:
    """Asks the chain about the releases in hand, one question at a time for each."""

    def __init__(self, equipment: Equipment, settlement: Settlement, releases: InHand) -> None:
        self._worker = equipment.worker
        self._screen = equipment.screen
        self._settlement = settlement
        self._releases = releases

    def send_release(self, key: Key) -> None:
        """Send what `begin` has put on disk."""
        self._screen.step("Paid for. The release goes to the chain …", do="This takes some blocks; stay here.")
        self._worker.do(lambda: self._settlement.send_release(key), lambda result: self._sent(key, result))

    def _sent(self, key: Key, result: object) -> None:
        if key in self._releases:
            self._releases.hand(key).mark("sent")
        if isinstance(result, Failed):
            self._screen.step("The chain does not answer.", do="The release is sent again until it does.")
        self.ask(key)

    def proven(self, key: Key, event: Event) -> None:
        """Have this event happen if the release is proven: now if the proof is fresh, else once it is proven again."""
        hand = self._releases.hand(key)
        if hand.proven_at is not None and time.monotonic() - hand.proven_at <= PROOF_FRESH_S:
            self._releases.happen(key, event)
        else:
            self.prove_again(key, event)

    def prove_again(self, key: Key, event: Event) -> None:
        """Have this event happen once the release is proven, if there is time enough left then."""
        hand = self._releases.hand(key)
        if hand.polling:
            return
        hand.polling = True

        def then(verdict: Verdict | Failed) -> None:
            hand.polling = False
            if isinstance(verdict, Verdict) and self._take_proof(key, verdict):
                self._releases.happen(key, event)

        self._worker.do(lambda: self._settlement.is_releasing(key), then)

    def _take_proof(self, key: Key, verdict: Verdict) -> bool:
        if key not in self._releases:
            return False
        if verdict.accepted:
            self._releases.hand(key).proven_at = time.monotonic()
            return not self._releases.late(key, PULSE_WITHIN_S)
        if verdict.reason in UNDOES:
            self._releases.happen(key, Event.RELEASE_UNDONE, verdict.reason)
        return False

    def ask_every(self, key: Key, every_s: float) -> None:
        """Ask what became of it, if the last answer is so old."""
        if time.monotonic() - self._releases.hand(key).polled_at >= every_s:
            self.ask(key)

    def ask(self, key: Key) -> None:
        """Ask what became of it, and do what this needs: send, replace, report."""
        if key not in self._releases or self._releases.hand(key).polling:
            return
        self._releases.hand(key).polling = True
        state = self._releases.record(key).state
        self._worker.do(lambda: self._settlement.progress(key, state), lambda found: self._answered(key, found))

    def _answered(self, key: Key, found: Progress | Failed) -> None:
        if key not in self._releases:
            return
        hand = self._releases.hand(key)
        hand.polling, hand.polled_at = False, time.monotonic()
        if isinstance(found, Failed):
            if not isinstance(found.error, LadingError):
                log.error("asking the chain failed", exc_info=found.error)
            return
        if found.event is Event.RELEASE_PROVEN:
            hand.proven_at = time.monotonic()
        if found.event is not None:
            self._releases.happen(key, found.event, found.detail)
