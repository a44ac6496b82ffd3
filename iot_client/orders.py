"""What the operator orders, by signature through the cloud or by hand on the machine; each is journalled."""

import logging
import time

from eth_utils.address import is_address, to_checksum_address

from contracts.command import NO_SALE
from iot_client.cloud.documents import Command
from iot_client.cloud.operator import refuse_command
from iot_client.equipment import Equipment
from iot_client.errors import GateError
from iot_client.gate import GateState
from iot_client.journal import Key
from iot_client.machine import Event
from iot_client.releases import Releases
from iot_client.screen import Mark

log = logging.getLogger("iot_client")


class Orders:
    """Executes each order once; runs on the loop's thread."""

    def __init__(self, equipment: Equipment, releases: Releases) -> None:
        self._settings = equipment.settings
        self._journal = equipment.journal
        self._gate = equipment.gate
        self._shadow = equipment.shadow
        self._screen = equipment.screen
        self._releases = releases

    def command(self, command: Command) -> None:
        """A command from the named shadow `operator`."""
        refused = refuse_command(
            command, chain_id=self._settings.chain_id, device_id=self._settings.device_id,
            operator=self._settings.operator, now=time.time(),
        )  # fmt: skip
        if refused is None and not self._journal.take_command(command.id, command.kind):
            return  # a repeated delta
        outcome = refused or self._execute(
            command.kind, command.sale, command.attempt, (command.before, command.reason)
        )
        order: dict[str, object] = {
            "id": command.id, "kind": command.kind, "sale": command.sale, "attempt": command.attempt,
            "reason": command.reason,
        }  # fmt: skip
        self._tell(order, outcome)
        self._shadow.obeyed(command.id, outcome)

    def by_hand(self, kind: str, sale: str, attempt: int, reason: str) -> str:
        """An order given on this machine."""
        outcome = self._execute(kind, sale, attempt, (time.time() + self._settings.open_within_s, reason))
        order: dict[str, object] = {"id": "by-hand", "kind": kind, "sale": sale, "attempt": attempt, "reason": reason}
        self._tell(order, outcome)
        return outcome

    def _execute(self, kind: str, sale: str, attempt: int, limit: tuple[float, str]) -> str:
        before, reason = limit
        if kind == "open" and sale in {"", NO_SALE}:
            return self._open_door()
        if not is_address(sale):
            return "no such sale"
        key = Key(self._settings.chain_id, to_checksum_address(sale), attempt)
        if kind == "open":
            opens = self._releases.opening.order(key, before)
            return "done" if opens else "nothing to open: not a release of this door"
        event = Event.SETTLED_OPENED if kind == "opened" else Event.SETTLED_SHUT
        return "done" if self._releases.in_hand.happen(key, event, reason) else "no such case"

    def _open_door(self) -> str:
        """In an emergency, for no sale; never while a release is at the door."""
        if self._releases.in_hand.at_door is not None:
            return "a release is at the door"
        if self._gate.state is not GateState.LOCKED:
            return "the gate is not locked"
        try:
            self._gate.pulse()
        except GateError as error:
            return str(error)
        self._screen.say(Mark.NOTE, "Opened by the operator.")
        return "done"

    def _tell(self, order: dict[str, object], outcome: str) -> None:
        body: dict[str, object] = {"event": "order", "at": time.time(), **order, "outcome": outcome}
        self._journal.add_event(body)
        log.warning("an order", extra={"fields": body})
