"""The door's side of a release: a delta wants it open, the lock is pulsed, the sensor says what came of it."""

import logging
import time

from iot_client.cloud.documents import OpenRequest, last_release
from iot_client.equipment import Equipment
from iot_client.errors import GateError
from iot_client.following import PULSE_WITHIN_S, Following
from iot_client.gate import GateState
from iot_client.in_hand import InHand
from iot_client.journal import Key
from iot_client.machine import ENDS, Event, State

log = logging.getLogger("iot_client")

OUTCOMES = {State.SENSED: "opened", State.ABORTING: "not-opened", State.CASE: "unknown", State.COMPLETED: "opened",
            State.ABORTED: "not-opened"}  # fmt: skip


class Opening:
    """Asks the cloud for the opening, opens once it is wanted, and watches."""

    def __init__(self, equipment: Equipment, releases: InHand, following: Following) -> None:
        self._settings = equipment.settings
        self._journal = equipment.journal
        self._gate = equipment.gate
        self._shadow = equipment.shadow
        self._screen = equipment.screen
        self._now = equipment.now
        self._releases = releases
        self._following = following
        self._gate_at: GateState | None = None

    # The cloud

    def request(self, key: Key) -> None:
        """Ask the cloud to want this door open; without a cloud open by the local path, where the settings allow it."""
        hand = self._releases.hand(key)
        hand.asked_at = time.monotonic()
        if self._releases.late(key):
            return
        if self._shadow.ask(key, self._releases.record(key).open_before):
            hand.mark("asked")
        elif self._settings.open_without_cloud:
            self._journal.mark(key, {}, local=True)
            self._screen.step("Opening by the local path.", "(the cloud is away)")
            self._open(key)

    def accepted(self, request: OpenRequest) -> None:
        """The cloud took the request."""
        key = self._key_of(request)
        if key is not None and self._releases.record(key).state is State.CONSUMED:
            self._releases.requested(key)

    def wanted(self, request: OpenRequest) -> None:
        """A delta wants a door open: only a proven release of this journal, before its `openBefore`."""
        key = self._key_of(request)
        if key is None or not self._releases.permits(key, Event.OPEN_WANTED):
            self._refuse(request, key)
            return
        self._releases.hand(key).mark("delta")
        if request.open_before != int(self._releases.record(key).open_before):
            log.info("a delta with another openBefore than this journal's is not acted on")
            return
        self._open(key)

    def _key_of(self, request: OpenRequest) -> Key | None:
        return next((record.key for record in self._releases if request.is_for(record.key)), None)

    def _refuse(self, request: OpenRequest, key: Key | None) -> None:
        if key is not None and self._releases.record(key).state not in ENDS:
            return  # a repeated delta, or one that waits for the chain
        log.warning("a request that this journal does not know was refused", extra={"fields": {"sale": request.sale}})
        self._journal.add_event(
            {"event": "request-refused", "at": self._now(), "sale": request.sale, "attempt": request.attempt}
        )
        self._shadow.clear()

    # Opening

    def _open(self, key: Key) -> None:
        if not self._releases.late(key, PULSE_WITHIN_S):
            self._following.proven(key, Event.OPEN_WANTED)

    def order(self, key: Key, before: float) -> bool:
        """The operator orders this release opened, past its own `openBefore` if need be."""
        if not self._releases.permits(key, Event.ORDERED_OPEN) or self._gate.state is not GateState.LOCKED:
            return False
        self._releases.prolong(key, before)
        self._following.prove_again(key, Event.ORDERED_OPEN)
        return True

    def pulse(self, key: Key) -> None:
        """The intent is on disk: pulse the lock, once."""
        self._releases.hand(key).watched = self._gate.senses and self._gate_at is GateState.LOCKED
        if self._releases.late(key):  # the disk was slow
            self._releases.happen(key, Event.UNSURE, "the intent was written too late, and not pulsed")
            return
        try:
            self._gate.pulse()
        except GateError as error:
            self._releases.happen(key, Event.UNSURE, str(error))
            return
        self._releases.happen(key, Event.PULSED)

    # The gate

    def watch(self, key: Key) -> None:
        """Wait for what the sensor says."""
        self._releases.hand(key).watch_until = time.monotonic() + self._settings.sense_within_s
        self._gate.show(True)
        self._screen.yes("Unlocked.", do="Please open the gate.")
        if not self._gate.senses:
            self._releases.happen(key, Event.UNSURE, "this gate has no door sensor")

    def gate_changed(self, state: GateState | None) -> None:
        """The sensor or the relay says something new."""
        self._gate_at = state
        self._shadow.report(gate=state)
        for record in self._releases:
            if record.state in {State.INTENT, State.ACTUATED}:
                self._sensed(record.key, state)

    def _sensed(self, key: Key, state: GateState | None) -> None:
        if state is GateState.OPEN and self._gate.senses:
            self._releases.happen(key, Event.OPENED)
        elif state is GateState.JAMMED:
            self._releases.happen(key, Event.UNSURE, "the gate is jammed")
        elif state is GateState.LOCKED and self._releases.record(key).state is State.ACTUATED:
            shut = self._releases.hand(key).watched and self._gate.senses
            detail = "" if shut else "nobody watched it through"
            self._releases.happen(key, Event.STAYED_SHUT if shut else Event.UNSURE, detail)

    def recover(self, key: Key) -> None:
        """An intent that a restart interrupted is never pulsed again: the sensor decides, else the operator."""
        state = self._gate.state
        if state is GateState.OPEN and self._gate.senses:
            self._releases.happen(key, Event.OPENED, "seen open after a restart")
        elif state in {GateState.UNLOCKING, GateState.LOCKING} and self._gate.senses:
            # The sensor may still see it open; if not, nobody watched from the beginning, and the operator decides.
            self._releases.hand(key).watch_until = time.monotonic() + self._settings.sense_within_s
        else:
            self._releases.happen(key, Event.UNSURE, "restarted between intent and sensor")

    # Afterwards

    def clear(self, _key: Key) -> None:
        """Want nothing any more."""
        self._shadow.clear()

    def report(self, key: Key) -> None:
        """Tell the cloud what the door did."""
        outcome = OUTCOMES.get(self._releases.record(key).state, "unknown")
        self._shadow.clear(last_release(key, outcome, self._now()))
