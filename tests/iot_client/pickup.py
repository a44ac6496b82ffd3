"""One paid order and whoever collects it: the Pi dies on the way, and the buyer comes until the goods are out."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.events import Aborted, Released, Releasing, decode_log
from contracts.sale import Sale
from iot_client.errors import PiError
from iot_client.gate import GateState
from iot_client.gate.simulated import Timing, read_door, set_mode, state_of
from tests.iot_client import power
from tests.iot_client.faults import arm, disarm
from tests.iot_client.warehouse import Door

QUICK = {"open_within_s": 30.0, "abort_after_s": 6.0, "sense_within_s": 3.0, "pulse_s": 0.2, "resend_s": 1.0,
         "poll_s": 0.8}  # fmt: skip
SHOW_EVERY_S = 6.0
LOOK_EVERY_S = 0.2
LOST_AFTER_S = 1_800.0
TIMING = Timing(open_s=0.2)
SETTLES_S = 0.3
AT_REST = {GateState.LOCKED, GateState.JAMMED}
ON_CHAIN = {"completed": ("Releasing", "Released"), "aborted": ("Releasing", "Aborted"), "refused": ()}


@dataclass(frozen=True)
class Order:
    """What is done to the Pi that hands this order out."""

    number: int
    fault: str
    second: str
    mode: str
    comes_back: bool
    power: bool
    escrow: bool

    @property
    def muted(self) -> bool:
        """Whether the cloud hears nothing until it is too late."""
        return self.fault.endswith("move:late")

    @property
    def revoked(self) -> bool:
        """Whether the buyer makes the voucher void while the Pi is down with its release not yet sent."""
        return self.fault.endswith("move:refused")


@dataclass
class Outcome:
    """What became of it: by the journal, by the chain, and by the door itself."""

    order: Order
    sale: str
    ends: list[str] = field(default_factory=list)
    deaths: int = 0
    cuts: int = 0
    by_operator: int = 0
    intents: int = 0
    late: bool = False
    openings: int = 0
    pulses: int = 0
    chain: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> str:
        """What must not be, in words; empty if all is well."""
        if self.openings > 1 or self.pulses > self.intents:
            return "opened twice"
        if self.late:
            return "opened after openBefore"
        if self.ends[-1:] != ["completed"]:
            return "neither opened nor handed to the operator"
        return "" if self.openings == 1 and self.told == self.chain else "journal, chain and door disagree"

    @property
    def told(self) -> list[str]:
        """What the chain must say if the journal is right."""
        return [event for end in self.ends for event in ON_CHAIN[end]]


@dataclass
class Pickup:
    """One order at one door; the buyer signs a voucher for an attempt, and can make all vouchers void."""

    door: Door
    order: Order
    sale: Sale
    sign: Callable[[int], str]
    revoke: Callable[[], object]
    alone: bool = False
    shown_at: float = float("-inf")

    def run(self) -> Outcome:
        """Come until the goods are out; an order that does not end is told as such."""
        outcome, before = Outcome(self.order, self.sale.address), read_door(self.gate)
        self._prepare()
        deadline = time.monotonic() + LOST_AFTER_S
        while outcome.ends[-1:] != ["completed"] and time.monotonic() < deadline:
            self._attempt(outcome, deadline)
            self._mend(outcome, deadline)
        after = read_door(self.gate)
        outcome.openings, outcome.pulses = after.openings - before.openings, after.pulses - before.pulses
        outcome.chain = self._chain(outcome.told)
        return outcome

    @property
    def gate(self) -> Path:
        """The door itself: a file that outlives the Pi."""
        return self.door.folder / "gate.json"

    def _prepare(self) -> None:
        (self.door.folder / "mode").write_text(self.order.mode)
        arm(self.door.folder, "before:send:0" if self.order.revoked else self.order.fault)
        if self.order.muted:
            (self.door.folder / "mute").touch()

    def _attempt(self, outcome: Outcome, deadline: float) -> None:
        """One receipt, until the journal says what came of it."""
        attempt, began, opened = self.sale.attempt(), time.time(), read_door(self.gate).openings
        text, self.shown_at, self.alone = self.sign(attempt), float("-inf"), False
        while time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)
            if self.door.died:
                self._revive(outcome, self._next_fault(outcome))
                continue
            state = self._state(attempt, began)
            if state in ON_CHAIN:
                outcome.ends.append(state)
                self._look_back(outcome, attempt)
                return
            if state == "case":
                outcome.by_operator += self._ask_operator(attempt, opened)
            elif self._show(text, state) and state is None and self.sale.attempt() != attempt:
                return  # the buyer has a newer receipt

    def _next_fault(self, outcome: Outcome) -> str:
        """Where it has to die once more; what the buyer does while it lies there."""
        if outcome.deaths:
            return ""
        if not self.order.revoked:
            return self.order.second
        self.revoke()
        return self.order.fault

    def _revive(self, outcome: Outcome, fault: str) -> None:
        """Start the dead Pi; after a power cut its journal has what was synced."""
        outcome.deaths += 1
        disarm(self.door.folder)
        if self.order.power:
            outcome.cuts += 1
            power.cut(self.door.folder)
        arm(self.door.folder, fault)
        self.alone = not self.order.comes_back
        self.door.launch(mortal=True, **QUICK)

    def _show(self, text: str, state: str | None) -> bool:
        """Hold the receipt up every few seconds; who left comes back only for a release that never began."""
        late = state == "late"
        if late:
            (self.door.folder / "mute").unlink(missing_ok=True)
        if state not in {None, "late"} or (late and self.alone):
            return False
        if time.monotonic() - self.shown_at < (1 if late else SHOW_EVERY_S):
            return False
        if self.door.status()["cloud"] is not True:
            return False
        self.shown_at = time.monotonic()
        self.door.show(text)
        return True

    def _ask_operator(self, attempt: int, opened: int) -> int:
        """The operator looks at the door and says what is true; 1 if that was taken."""
        if not self._rests() or not self.door.serves:
            return 0
        kind = "opened" if read_door(self.gate).openings > opened else "not-opened"
        try:
            return int(self.door.order(kind, self.sale, attempt, "looked at the camera") == "done")
        except PiError:
            return 0

    def _look_back(self, outcome: Outcome, attempt: int) -> None:
        """Whether it was in time, by the journal and by the door."""
        query = ("SELECT open_before, intent.at FROM release JOIN intent USING (chain_id, sale, attempt)"
                 " WHERE sale = ? AND attempt = ?")  # fmt: skip
        for open_before, at in self._read(query, self.sale.address, attempt):
            pulsed_at = read_door(self.gate).pulsed_at
            outcome.intents += 1
            outcome.late |= max(at, pulsed_at) >= open_before

    def _mend(self, outcome: Outcome, deadline: float) -> None:
        """Before the next receipt: the Pi lives, the gate is at rest and works."""
        fault, patience = self.door.folder / "fault", time.monotonic() + 0.5
        while fault.exists() and fault.read_text().startswith("after:move") and time.monotonic() < patience:
            time.sleep(LOOK_EVERY_S)
        disarm(self.door.folder, also=("mute", "mode"))
        while time.monotonic() < deadline and not (self.door.status()["cloud"] and self._rests()):
            if self.door.died:
                self._revive(outcome, "")
            time.sleep(LOOK_EVERY_S)
        set_mode(self.gate, "ok")

    def _rests(self) -> bool:
        """Whether nothing moves, and an opening that was is counted: nobody else writes the file then."""
        door = read_door(self.gate)
        still = state_of(door, TIMING, time.time() - SETTLES_S) in AT_REST
        return still and (door.counted or door.mode in {"jam", "stick"})

    def _state(self, attempt: int, since: float) -> str | None:
        query = "SELECT state, started FROM release WHERE sale = ? AND attempt = ?"
        found = self._read(query, self.sale.address, attempt)
        stale = bool(found) and found[0][0] == "refused" and found[0][1] < since
        return None if not found or stale else str(found[0][0])

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        path = self.door.folder / "journal.sqlite"
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
                return db.execute(query, values).fetchall()
        except sqlite3.OperationalError:
            return []  # it is being born, or has just died

    def _chain(self, told: list[str]) -> list[str]:
        """The sale's events, once they are as told; whatever they are after a minute."""
        deadline = time.monotonic() + 60
        while True:
            logs = self.sale.w3.eth.get_logs({"address": self.sale.address, "fromBlock": 0})
            events = [event for log in logs if (event := decode_log(log)) is not None]
            found = [type(event).__name__ for event in events if isinstance(event, Releasing | Released | Aborted)]
            if found == told or time.monotonic() > deadline:
                return found
            time.sleep(1)
