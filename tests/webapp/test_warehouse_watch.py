"""What devices tell the real cloud is taken in once, whatever restarts; a gate that cannot be asked is unknown."""

import json
import threading
import time

import pytest
from conftest import wait_for
from sqlalchemy import select

from tests.iot_cloud.devices import PahoDevice
from webapp.cloud import Cloud
from webapp.device_models import DeviceEvent, GateRow, Watch
from webapp.doorbell import Doorbell
from webapp.gates import Gates, gate_of
from webapp.leases import give_up, hold
from webapp.models import ThingRow
from webapp.watching import Watcher


@pytest.fixture
def parts(world, cloud):
    """The application's parts, its run folder beside the cloud's."""
    settings = world.parts.settings.model_copy(update={"home": cloud.folder})
    for thing in ("watched-1", "watched-2"):
        with world.parts.database.write() as session:
            facts = {"chain_id": world.parts.chain.chain_id, "device_id": None, "site": 1, "steps": {}}
            session.add(ThingRow(thing=thing, state="provisioned", updated_at=0, **facts))
    return world.parts, settings


def a_watcher(parts) -> tuple[Watcher, Cloud]:
    """A process's own watcher."""
    services, settings = parts
    cloud = Cloud(settings, timeout_s=30)
    return Watcher(services.database, services.chain.chain_id, cloud, Doorbell(settings, cloud)), cloud


def rows(parts, thing="watched-1", **facts):
    """The log's rows, oldest first."""
    with parts[0].database.read() as session:
        query = select(DeviceEvent).where(DeviceEvent.thing == thing).order_by(DeviceEvent.id)
        return [row for row in session.scalars(query) if all(getattr(row, key) == facts[key] for key in facts)]


def told(thing, seq, **more):
    """An event as a Pi publishes it."""
    return f"lading/{thing}/events", {"seq": seq, "event": "scan", "at": 1_800_000_000 + seq, **more}


def test_of_many_watchers_each_event_is_taken_in_once(parts, cloud):
    """Four watchers at once, events told twice, a cloud that forgot its records: nothing lost, nothing doubled."""
    device = PahoDevice("watched-1", cloud.provision("watched-1")).online()
    for seq in range(700):
        device.client.publish(
            *[json.dumps(part) if isinstance(part, dict) else part for part in told("watched-1", seq)], 1
        )
    device.publish(*told("watched-1", 0))
    watchers = [a_watcher(parts) for _ in range(4)]

    def all_there() -> bool:
        threads = [threading.Thread(target=watcher.look) for watcher, _ in watchers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(rows(parts, kind="scan")) >= 700

    wait_for(all_there)
    assert sorted(row.body["seq"] for row in rows(parts, kind="scan")) == list(range(700))
    with parts[0].database.write() as session:  # as if this were another cloud than the one it came from
        from webapp.device_models import DeviceStream

        session.get(DeviceStream, "watched-1").digest = "of another cloud"
    device.publish(*told("watched-1", 700, sale="0x" + "ab" * 20, outcome="expired", says="This receipt has expired."))
    wait_for(lambda: watchers[0][0].look() or rows(parts, outcome="expired"))
    assert sorted(row.body["seq"] for row in rows(parts, kind="scan")) == list(range(701))
    device.close()
    for _, client in watchers:
        client.close()


@pytest.mark.slow
@pytest.mark.row("M10")
def test_a_gate_is_unknown_while_the_cloud_is_down(parts, cloud):
    """The doorbell brings each change; cloud killed: unknown since then; back: as it is, without a lost event."""
    device = PahoDevice(
        "watched-2", cloud.provision("watched-2"), ("lading/watched-2/status", '{"online": false}')
    ).online()
    device.publish("lading/watched-2/status", {"online": True})
    device.update({"reported": {"gate": "LOCKED"}})
    watcher, client = a_watcher(parts)
    stop, gates = threading.Event(), Gates(parts[0].database)
    thread = threading.Thread(target=watcher.run, args=(stop, 0.5))
    thread.start()
    try:
        wait_for(lambda: gates.look("watched-2").state == "LOCKED")
        for state in ("UNLOCKING", "OPEN", "LOCKED"):
            device.update({"reported": {"gate": state}})
            wait_for(lambda state=state: gates.look("watched-2").state == state)
        cloud.stop()
        wait_for(lambda: gates.look("watched-2").state is None)
        gate = gates.look("watched-2")
        assert "does not answer" in gate.trouble
        assert "It was Locked before" in gate.trouble
        assert abs(time.time() - gate.since) < 60
        since = gate.since
        cloud.process = cloud._launch(cloud.environment, cloud.folder)
        cloud.wait_ready()
        again = PahoDevice("watched-2", cloud.endpoint("watched-2")).online()
        again.publish("lading/watched-2/status", {"online": True})
        again.publish(*told("watched-2", 1, outcome="no-code"))
        wait_for(lambda: gates.look("watched-2").state == "LOCKED" and rows(parts, "watched-2", outcome="no-code"))
        again.publish("lading/watched-2/status", {"online": False})
        wait_for(lambda: gates.look("watched-2").online is False)
        assert gates.look("watched-2").state is None
        assert gates.look("watched-2").trouble == "The device is offline. It said Locked before."
        unknown = rows(parts, "watched-2", kind="gate", outcome="UNKNOWN")
        assert since in [row.at for row in unknown]
        again.close()
    finally:
        stop.set()
        thread.join(30)
        client.close()
        device.close()
    seen = [row.outcome for row in rows(parts, "watched-2", kind="gate") if row.outcome != "UNKNOWN"]
    assert seen[:4] == ["LOCKED", "UNLOCKING", "OPEN", "LOCKED"]


def test_a_gate_is_unknown_when_nobody_watches(parts):
    """A watcher that died leaves its last word behind; it is not shown as if it were so now."""
    database = parts[0].database
    with database.write() as session:
        chain = parts[0].chain.chain_id
        session.add(GateRow(thing="watched-1", chain_id=chain, state="OPEN", since=1.0, online=True, trouble=""))
        session.add(Watch(name="devices", holder="somebody", beat_at=time.time()))
    gates = Gates(database)
    assert gates.look("watched-1").state == "OPEN"
    with database.write() as session:
        session.get(Watch, "devices").beat_at -= 60
    gate = gates.look("watched-1")
    assert (gate.state, gate.words) == (None, "Unknown")
    assert "Nobody has asked the gate since" in gate.trouble


def test_a_lease_goes_to_one_and_to_another_when_it_is_silent(world):
    """Held by one at a time; given up, or silent for its time, it is another's."""
    database = world.parts.database
    assert hold(database, "devices", "a", 60)
    assert hold(database, "devices", "a", 60)
    assert not hold(database, "devices", "b", 60)
    give_up(database, "devices", "b")
    assert not hold(database, "devices", "b", 60)
    give_up(database, "devices", "a")
    assert hold(database, "devices", "b", 60)
    assert hold(database, "devices", "c", 0)


def test_a_shadow_full_of_nonsense_is_no_release():
    """Whatever a device writes under `release`, only what a page can show is taken."""
    odd = {"sale": 7, "at": 1e300, "attempt": True, "outcome": ["x"], "more": {}}
    shadow = {"state": {"reported": {"gate": "OPEN", "lastRelease": odd}, "desired": {"release": "open!"}}}
    gate = gate_of("watched-1", shadow, {}, 50.0)
    assert (gate.asked, gate.last) == (None, None)


@pytest.mark.parametrize(
    ("shadow", "status", "state", "since"),
    [
        (None, {}, None, 50.0),
        ({"state": {"reported": {"gate": "OPEN"}}}, {}, "OPEN", 50.0),
        ({"state": {"reported": {"gate": "AJAR"}}}, {}, None, 50.0),
        ({"state": {"reported": {"gate": None}}}, {"received_at": 7.0, "status": {"online": True}}, None, 50.0),
        ({"state": {"reported": {"gate": "OPEN"}}}, {"received_at": 7.0, "status": {"online": False}}, None, 7.0),
        (
            {
                "state": {"reported": {"gate": "JAMMED"}},
                "metadata": {"reported": {"gate": {"timestamp": 9}}},
                "timestamp": 12,
            },
            {"received_at": 7.0, "status": {"online": True}},
            "JAMMED",
            9.0,
        ),
    ],
)
def test_a_gate_is_what_its_shadow_says_unless_it_is_offline(shadow, status, state, since):
    """Unknown words, no word, an offline device: unknown, and since when."""
    gate = gate_of("watched-1", shadow, status, 50.0)
    assert (gate.state, gate.since) == (state, since)
