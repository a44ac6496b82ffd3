"""The whole Pi, put together: real parts are chosen here, tests hand in others."""

import fcntl
import json
import logging
import os
import queue
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from iot_client.admin import AdminServer, Answer
from iot_client.attendant import Attendant
from iot_client.chain.belief import make_verifier
from iot_client.chain.examiner import Examiner
from iot_client.chain.node import Node, reach
from iot_client.chain.sender import Sender
from iot_client.chain.settlement import Settlement
from iot_client.cloud.documents import COMMANDS
from iot_client.cloud.link import Endpoint, Link
from iot_client.cloud.shadow import Listeners, Shadow
from iot_client.equipment import Equipment
from iot_client.errors import PiError
from iot_client.gate import Gate
from iot_client.gate.simulated import SimulatedGate, Timing
from iot_client.health import judge
from iot_client.identity.files import write_public
from iot_client.identity.keys import load_chain_key
from iot_client.journal import Journal
from iot_client.loop import Loop, Worker
from iot_client.monitor import monitored
from iot_client.orders import Orders
from iot_client.page import DoorPage
from iot_client.releases import Releases
from iot_client.scanner import Scanner
from iot_client.scanner.folder import FolderScanner
from iot_client.scanner.hand import HandScanner
from iot_client.scanner.held import Held
from iot_client.scanner.lines import LineScanner
from iot_client.screen import CLOUD_AWAY, READY, Screen
from iot_client.settings import PiSettings, ScannerName
from iot_client.signals import on_stop
from iot_client.watchdog import Watchdog

log = logging.getLogger("iot_client")

VERSION = "0.1.0"


def make_gate(settings: PiSettings) -> Gate:
    """The gate of the configuration."""
    match settings.gate:
        case "simulated":
            return SimulatedGate(settings.folder / "gate.json", Timing(open_s=settings.pulse_s))
        case "pins":
            from iot_client.gate.pins import PinGate, Pins

            lamps = (settings.green_pin, settings.red_pin, settings.buzzer_pin)
            return PinGate(Pins(settings.lock_pin, settings.sensor_pin, *lamps), settings.pulse_s)


def make_scanners(settings: PiSettings) -> list[Scanner]:
    """The scanners of the configuration."""
    held = Held()
    return [_scanner(name, settings, held) for name in settings.scanners]


def _scanner(name: ScannerName, settings: PiSettings, held: Held) -> Scanner:
    match name:
        case "inbox":
            return FolderScanner(settings.path("inbox"), "inbox", remote=True, delete=True)
        case "images":
            return FolderScanner(settings.path("images"), "images")
        case "lines":
            return LineScanner(sys.stdin, held)
        case "usb":
            return HandScanner(settings.hand, held)
        case "camera":
            from iot_client.scanner.camera import CameraScanner

            return CameraScanner(settings.camera, held)


def make_page(settings: PiSettings, screen: Screen) -> DoorPage | None:
    """The door's page, if the configuration wants one."""
    if not settings.door_page:
        return None
    return DoorPage(settings.door_page, f"{settings.thing} · site {settings.site}", screen)


@dataclass(frozen=True)
class Parts:
    """What a Pi is made of; whoever hands in another gate or journal gets a Pi with it."""

    settings: PiSettings
    journal: Journal
    gate: Gate
    screen: Screen


class Pi:
    """Loop, worker, chain, cloud, gate and scanners."""

    def __init__(self, parts: Parts) -> None:
        settings = parts.settings
        account = load_chain_key(settings.path("keystore"), settings.path("password"))
        w3 = reach(settings)
        node = Node(w3, account.address)
        sender = Sender(node, account, parts.journal, settings.chain_id)
        examiner = Examiner(settings, make_verifier(settings, w3, parts.journal), node, sender)
        settlement = Settlement(node, sender, examiner, settings.confirmations)
        self.loop = Loop()
        self._parts = parts
        self._worker = Worker(self.loop, "chain")
        self._link = Link(_endpoint(settings), self._received, self._online)
        self.shadow = Shadow(settings.thing, self._link, parts.journal)
        equipment = Equipment(settings, parts.journal, parts.gate, self.shadow, self._worker, parts.screen)
        self.releases = Releases(equipment, settlement)
        self.attendant = Attendant(equipment, examiner, self.releases)
        self.orders = Orders(equipment, self.releases)
        self._listeners = Listeners(
            self.releases.opening.wanted, self.releases.opening.accepted, self.orders.command, self._is_online
        )
        self._scanners = make_scanners(settings)
        self._page: DoorPage | None = None
        self._next_get = 0.0

    def run(self) -> None:
        """Serve until stopped."""
        self._start()
        looks = monitored(self._parts.settings.monitor, lambda: judge(self._asked({"do": "status"})))
        try:
            with looks:
                self.loop.run()
        finally:
            self._stop()

    def _start(self) -> None:
        parts = self._parts
        parts.gate.listen(lambda state: self.loop.post(lambda: self.releases.opening.gate_changed(state)))
        self.releases.opening.gate_changed(parts.gate.state)
        self.shadow.reported.update(version=VERSION, gate=parts.gate.state)
        self.releases.recover()
        self.loop.every_tick(self.releases.tick)
        self.loop.every_tick(self.shadow.send_events)
        self.loop.every_tick(self._get_now_and_then)
        self._admin = AdminServer(parts.settings.folder / "admin.sock", self._asked)
        self._page = make_page(parts.settings, parts.screen)
        self._link.start()
        for scanner in self._scanners:
            scanner.start(lambda scan: self.loop.post(lambda: self.attendant.scanned(scan)))
        parts.screen.rest(READY)

    def _stop(self) -> None:
        self._admin.close()
        if self._page is not None:
            self._page.close()
        for scanner in self._scanners:
            scanner.stop()
        self._worker.stop()
        self._link.stop()
        self._parts.gate.close()
        self._parts.journal.close()

    @property
    def page(self) -> str | None:
        """Where the door's page is, if it is served."""
        return self._page.url if self._page else None

    def _asked(self, question: dict[str, object]) -> Answer:
        """A command of this machine; answered from the loop's thread."""
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.loop.post(lambda: answers.put(self._answer(question)))
        return answers.get(timeout=10)

    def _answer(self, question: dict[str, object]) -> Answer:
        kind, sale = str(question.get("do")), str(question.get("sale") or "")
        if kind == "status":
            return self._status()
        if kind not in COMMANDS:
            return {"error": f"unknown: {kind}"}
        attempt = question.get("attempt")
        number = attempt if isinstance(attempt, int) else self.releases.newest_attempt(sale)
        return {"outcome": self.orders.by_hand(kind, sale, number, str(question.get("reason") or ""))}

    def _status(self) -> Answer:
        gate = self._parts.gate
        return {
            "thing": self._parts.settings.thing, "gate": gate.state, "sensor": gate.senses,
            "cloud": self.shadow.connected,
            "releases": [{"sale": one.key.sale, "attempt": one.key.attempt, "state": one.state}
                         for one in self.releases.in_hand],
        }  # fmt: skip

    def _received(self, topic: str, payload: bytes) -> None:
        self.loop.post(lambda: self.shadow.receive(topic, payload, self._listeners))

    def _online(self, online: bool) -> None:
        self.loop.post(lambda: self._listeners.online(online))

    def _is_online(self, online: bool) -> None:
        log.info("cloud online" if online else "cloud offline")
        if online:
            self.shadow.report_all()
            self.shadow.fetch()
            self._next_get = time.monotonic() + self._parts.settings.get_every_s
            if self._parts.screen.idle is CLOUD_AWAY:
                self._parts.screen.rest(READY)
        else:
            self._parts.screen.rest(CLOUD_AWAY)

    def _get_now_and_then(self) -> None:
        if self.shadow.connected and time.monotonic() >= self._next_get:
            self._next_get = time.monotonic() + self._parts.settings.get_every_s
            self.shadow.fetch()


def _endpoint(settings: PiSettings) -> Endpoint:
    return Endpoint(
        settings.iot_host, settings.iot_port, settings.thing, settings.path("iot_ca"),
        settings.path("certificate"), settings.path("private_key"), settings.keep_alive_s,
    )  # fmt: skip


def make_parts(settings: PiSettings) -> Parts:
    """The real parts."""
    journal = Journal(settings.folder / "journal.sqlite")
    return Parts(settings, journal, make_gate(settings), Screen(settings.folder / "door.txt"))


def serve(settings: PiSettings, make: Callable[[PiSettings], Parts] = make_parts) -> None:
    """Run the Pi of this configuration in the foreground until SIGINT or SIGTERM."""
    lock = hold_lock(settings.folder / "lock")
    pi = Pi(make(settings))
    on_stop(pi.loop.stop)
    ready = settings.folder / "ready.json"

    def tell() -> None:
        facts = {"pid": os.getpid(), "thing": settings.thing, "inbox": str(settings.path("inbox")), "page": pi.page}
        write_public(ready, json.dumps(facts).encode() + b"\n")

    watchdog = Watchdog()
    pi.loop.post(tell)
    pi.loop.post(watchdog.ready)
    pi.loop.every_tick(watchdog.alive)
    try:
        pi.run()
    finally:
        watchdog.stopping()
        ready.unlink(missing_ok=True)
        os.close(lock)


def hold_lock(path: Path) -> int:
    """Hold the thing's lock file; released when the process ends."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PiError(f"a lading-pi for this thing runs already ({path})") from None
    return handle
