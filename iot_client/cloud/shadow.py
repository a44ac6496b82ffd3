"""The thing's shadow: asks for an opening, hears what is wanted, reports what is."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from iot_client.cloud.documents import Command, OpenRequest, Partial, cleared, command_in, parse, request, wanted_by
from iot_client.errors import CloudUnreachable
from iot_client.journal import Journal, Key

log = logging.getLogger("iot_client.cloud")


class Publisher(Protocol):
    """What the shadow needs of a connection; `Link` is one."""

    @property
    def connected(self) -> bool:
        """Whether every subscription stands."""

    def update(self, document: dict[str, object], name: str | None = None) -> None:
        """Publish a shadow update."""

    def get(self, name: str | None = None) -> None:
        """Ask for a whole document."""

    def publish(self, topic: str, document: dict[str, object], acknowledged: Callable[[], None] | None = None) -> None:
        """Publish on any topic."""


@dataclass(frozen=True)
class Listeners:
    """Who is told of what comes in; all on the loop's thread."""

    wanted: Callable[[OpenRequest], None]
    accepted: Callable[[OpenRequest], None]
    command: Callable[[Command], None]
    online: Callable[[bool], None]


class Shadow:
    """Never raises for an absent cloud: what could not be said is said again later."""

    def __init__(self, thing: str, publisher: Publisher, journal: Journal) -> None:
        self._thing = thing
        self._link = publisher
        self._journal = journal
        self._in_flight: set[int] = set()
        self._acknowledged: list[int] = []
        self.reported: dict[str, object] = {}

    @property
    def connected(self) -> bool:
        """Whether the cloud hears and is heard."""
        return self._link.connected

    def receive(self, topic: str, payload: bytes, to: Listeners) -> None:
        """One message, on the loop's thread."""
        document = parse(payload)
        state = document.get("state")
        operator = "/name/operator/" in topic
        if topic.endswith("/get/accepted"):
            state = state.get("delta") if isinstance(state, dict) else None
        if operator:
            self._take_command(command_in(state), to)
        elif topic.endswith("/update/accepted"):
            asked = wanted_by(state.get("desired") if isinstance(state, dict) else None)
            if isinstance(asked, OpenRequest):
                to.accepted(asked)
        elif topic.endswith("/update/rejected"):
            log.warning("the shadow refused an update: %s", document.get("message"))
        else:
            self._take_request(wanted_by(state), to)

    def _take_request(self, wanted: OpenRequest | Partial | None, to: Listeners) -> None:
        if isinstance(wanted, Partial):
            self._try(self._link.get)
        elif wanted is not None:
            to.wanted(wanted)

    def _take_command(self, command: Command | Partial | None, to: Listeners) -> None:
        if isinstance(command, Partial):
            self._try(lambda: self._link.get("operator"))
        elif command is not None:
            to.command(command)

    def fetch(self) -> None:
        """Ask for both documents: a shadow is no queue, and a delta may have been missed."""
        self._try(self._link.get)
        self._try(lambda: self._link.get("operator"))

    def ask(self, key: Key, open_before: float) -> bool:
        """Publish `desired`; false while offline."""
        return self._try(lambda: self._link.update(request(key, open_before)))

    def clear(self, last: dict[str, object] | None = None) -> bool:
        """Clear the request, and report what came of it."""
        if last is not None:
            self.reported["lastRelease"] = last
        return self._try(lambda: self._link.update(cleared(last, self.reported)))

    def report(self, **state: object) -> bool:
        """Report parts of the state; kept, and said whole on the next connect."""
        self.reported.update(state)
        return self._try(lambda: self._link.update({"state": {"reported": dict(state)}}))

    def report_all(self) -> None:
        """Report everything that is known, after a connect."""
        self._try(lambda: self._link.update({"state": {"reported": dict(self.reported)}}))
        self._try(lambda: self._link.publish(f"lading/{self._thing}/status", {"online": True}))

    def obeyed(self, command_id: str, outcome: str) -> None:
        """Clear an operator's command and say what came of it."""
        document: dict[str, object] = {
            "state": {"desired": {"command": None}, "reported": {"lastCommand": {"id": command_id, "outcome": outcome}}}
        }
        self._try(lambda: self._link.update(document, "operator"))

    def send_events(self) -> None:
        """Publish what the journal holds unsent, in order; a repeated one has the same `seq`."""
        if self._acknowledged:
            done, self._acknowledged = self._acknowledged, []
            self._journal.events_sent(done)
            self._in_flight.difference_update(done)
        if not self._link.connected:
            self._in_flight.clear()
            return
        for seq, body in self._journal.unsent_events():
            if seq not in self._in_flight and not self._send_event(seq, body):
                return

    def _send_event(self, seq: int, body: dict[str, object]) -> bool:
        self._in_flight.add(seq)
        topic = f"lading/{self._thing}/events"
        done = self._try(
            lambda: self._link.publish(topic, {"seq": seq, **body}, lambda: self._acknowledged.append(seq))
        )
        if not done:
            self._in_flight.discard(seq)
        return done

    def _try(self, act: Callable[[], None]) -> bool:
        try:
            act()
        except CloudUnreachable as error:
            log.info("not sent: %s", error)
            return False
        return True
