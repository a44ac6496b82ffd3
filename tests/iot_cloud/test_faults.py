"""Broker and service killed, overrun, lied to: no accepted update is lost, and the rest goes on."""

import itertools
import os
import random
import signal
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from iot_cloud.shadow.errors import InternalError
from iot_cloud.shadow.service import Message, Shadows
from iot_cloud.shadow.store import ShadowStore
from iot_cloud.shadow.topics import ShadowTopic
from tests.iot_cloud.devices import PahoDevice
from tests.iot_cloud.running import WAIT_S, RunningCloud, wait_until

RESEND_S = 2.0


@pytest.fixture(scope="module")
def fragile() -> Iterator[RunningCloud]:
    """A cloud that may be harmed."""
    running = RunningCloud.start(order="random", duplicates=0.3, requests_per_s=200, burst=200)
    yield running
    running.remove()


class Requester:
    """Counts up in `reported`, sending each number until it is accepted, as every requester must."""

    def __init__(self, device: PahoDevice) -> None:
        self.device = device
        self.accepted = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        for number in itertools.count(1):
            while not self._is_accepted(number):
                if self.stopping.is_set():
                    return
            self.accepted = number

    def _is_accepted(self, number: int) -> bool:
        body = f'{{"state": {{"reported": {{"n": {number}}}}}, "clientToken": "n{number}"}}'
        self.device.client.publish(f"{self.device.prefix}/update", body, qos=1)
        came = threading.Event()
        waited = 0.0
        while waited < RESEND_S and not self.stopping.is_set():
            if any(each.get("clientToken") == f"n{number}" for each in self.device.bodies("/update/accepted")):
                return True
            came.wait(0.005)
            waited += 0.005
        return False

    def stop(self) -> int:
        """The last number that was accepted."""
        self.stopping.set()
        self.thread.join(WAIT_S)
        return self.accepted


def read_back(device: PahoDevice, token: str) -> Any:
    """The shadow, asked for until it comes."""

    def answered() -> Any:
        device.client.publish(f"{device.prefix}/get", f'{{"clientToken": "{token}"}}', qos=1)
        bodies = [each for each in device.bodies("/get/accepted") if each.get("clientToken") == token]
        return bodies and bodies[0]

    return wait_until(answered, "the shadow")


BOTH = ("broker", "service")
ONE_AND_ALL = [("broker",), ("service",), BOTH]
RANDOM = random.Random(7).choices(ONE_AND_ALL, k=30)


@pytest.mark.slow
@pytest.mark.row("B21")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "kills", [ONE_AND_ALL, pytest.param(RANDOM, marks=pytest.mark.long)], ids=["one and all", "30 at random"]
)
def test_killed_under_load_no_accepted_update_is_lost(fragile: RunningCloud, kills: list[tuple[str, ...]]) -> None:
    """Whatever was accepted before, between and after the kills is in the shadow, and what is outstanding in `get`."""
    name = f"load-{len(kills)}"
    device = PahoDevice(name, fragile.provision(name)).online()
    assert device.subscribe(f"{device.prefix}/#")
    device.update({"desired": {"open": True}}, clientToken="outstanding")
    device.expect("/update/accepted", clientToken="outstanding")
    requester = Requester(device)
    pause = random.Random(11)
    for victims in kills:
        goal = requester.accepted + pause.randrange(5, 30)
        wait_until(lambda goal=goal: requester.accepted > goal, "load")
        for victim in victims:
            os.kill(alive(fragile, victim), signal.SIGKILL)
    goal = requester.accepted + 20
    wait_until(lambda: requester.accepted > goal, "load after the kills")
    accepted = requester.stop()
    found = read_back(device, "after")
    assert found["state"]["reported"]["n"] >= accepted
    assert found["state"]["delta"] == {"open": True}
    assert found["version"] >= max(each["version"] for each in device.bodies("/update/accepted"))
    print(f"{len(kills)} kills, {accepted} updates accepted, none lost; version {found['version']}")
    device.close()


def alive(cloud: RunningCloud, name: str) -> int:
    """A process of the cloud, once it runs."""
    return int(wait_until(lambda: cloud.children().get(name), name))


@pytest.mark.row("B17", "N10")
def test_a_flood_is_refused_and_others_do_not_notice(cloud: RunningCloud, connect: Any, thing: str) -> None:
    """Beyond its limit a device gets 429; another one's update passes meanwhile."""
    flood, calm = connect(f"{thing}-flood"), connect(thing)
    assert flood.subscribe(f"{flood.prefix}/update/rejected")
    assert calm.subscribe(f"{calm.prefix}/update/accepted")
    for number in range(300):
        flood.client.publish(f"{flood.prefix}/update", f'{{"state": {{"reported": {{"n": {number}}}}}}}', qos=1)
    calm.update({"reported": {"gate": "LOCKED"}}, clientToken="calm")
    assert calm.expect("/update/accepted", clientToken="calm")["version"] == 1
    refused = flood.expect("/update/rejected")
    assert (refused["code"], refused["message"]) == (429, "Too many requests")


def test_two_devices_with_one_certificate_take_turns(cloud: RunningCloud, connect: Any, thing: str) -> None:
    """The later one ends the earlier one's session, as at AWS, and the event says so."""
    web = connect(f"{thing}-web", role="web")
    assert web.subscribe("$aws/events/#")
    first = connect(thing)
    second = PahoDevice(thing, cloud.endpoint(thing)).online()
    wait_until(lambda: first.disconnects > 0, "the end of the first session")
    assert web.expect(f"presence/disconnected/{thing}")["disconnectReason"] == "DUPLICATE_CLIENTID"
    second.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ShadowStore]:
    """A store of its own."""
    made = ShadowStore(tmp_path / "shadows.sqlite")
    yield made
    made.close()


def service(store: ShadowStore) -> tuple[Shadows, list[Message]]:
    """The service's heart and what it publishes."""
    sent: list[Message] = []
    return Shadows(store, sent.extend, lambda _thing: None), sent


UPDATE = ShadowTopic.parse("$aws/things/gate-1/shadow/update")
GET = ShadowTopic.parse("$aws/things/gate-1/shadow/get")


@pytest.mark.slow
def test_a_locked_database_refuses_and_recovers(store: ShadowStore, tmp_path: Path) -> None:
    """While another process holds the file, an update is refused with 500 and nothing else is published."""
    shadows, sent = service(store)
    assert UPDATE
    other = sqlite3.connect(tmp_path / "shadows.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    shadows.ask(UPDATE, b'{"state": {"desired": {"a": 1}}, "clientToken": "t"}')
    assert [message.topic for message in sent] == [f"{UPDATE}/rejected"]
    assert sent[0].body["code"] == 500
    assert sent[0].body["message"] == "Internal service failure"
    other.execute("ROLLBACK")
    other.close()
    shadows.ask(UPDATE, b'{"state": {"desired": {"a": 1}}}')
    assert {message.topic for message in sent[1:]} >= {f"{UPDATE}/accepted", f"{UPDATE}/delta"}


def test_a_full_disk_refuses_and_keeps_what_was_accepted(store: ShadowStore) -> None:
    """An update that cannot be written is refused; the shadow stays as it was."""
    shadows, _ = service(store)
    assert UPDATE
    assert GET
    shadows.carry_out(UPDATE, b'{"state": {"desired": {"a": 1}}}')
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    big = b'{"state": {"desired": {"b": "%s"}}}' % (b"x" * 7000)
    with pytest.raises(InternalError):
        shadows.carry_out(UPDATE, big)
    found = shadows.carry_out(GET, b"")
    assert (found["version"], found["state"]["desired"]) == (1, {"a": 1})
    store._db.execute("PRAGMA max_page_count = 1000000")
    assert shadows.carry_out(UPDATE, big)["version"] == 2
