"""Readings, events, status and presence: stored under the id of the certificate, told to who may know."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from iot_cloud.connection import Endpoint
from iot_cloud.records import Records
from iot_cloud.shadow.errors import InvalidRequestError
from tests.iot_cloud.devices import PahoDevice
from tests.iot_cloud.running import RunningCloud, wait_until

Connect = Callable[..., PahoDevice]


def fetch(cloud: RunningCloud, endpoint: Endpoint, path: str) -> requests.Response:
    """What plain HTTPS with a client certificate gets."""
    return requests.get(
        f"{cloud.ready['http']}{path}",
        cert=(str(endpoint.certificate), str(endpoint.key)),
        verify=str(endpoint.ca),
        timeout=60,
    )


@pytest.mark.row("B15")
@pytest.mark.row("M12")
def test_readings_are_stored_once_under_the_certificates_id(
    cloud: RunningCloud, device: PahoDevice, thing: str
) -> None:
    """A reading sent twice is stored once, and under the sender's own id whatever it claims to be."""
    reading = {"sensor": "door", "seq": 1, "at": 1_800_000_000.5, "value": 1, "unit": "open", "thing": "another"}
    for body in (reading, reading, reading | {"seq": 2, "value": 0}, reading | {"seq": "x"}, "{"):
        device.publish(f"lading/{thing}/readings", body)
    endpoint = cloud.endpoint(thing)

    def stored() -> Any:
        found = fetch(cloud, endpoint, f"/things/{thing}/readings").json()["readings"]
        return len(found) == 2 and found

    first, second = wait_until(stored, "two readings")
    assert (first["sensor"], first["seq"], first["value"], second["seq"]) == ("door", 1, 1.0, 2)
    path = f"/things/{thing}/readings?after={first['id']}&limit=1&sensor=door"
    assert [each["seq"] for each in fetch(cloud, endpoint, path).json()["readings"]] == [2]
    assert fetch(cloud, endpoint, "/things/another/readings").status_code == 403
    assert fetch(cloud, endpoint, f"/things/{thing}/readings?limit=x").status_code == 400


def test_events_reach_the_store_and_the_web_application(cloud: RunningCloud, connect: Connect, thing: str) -> None:
    """The web application hears an event as it happens and can ask for all of them later; a device cannot."""
    gate, web = connect(thing), connect(f"{thing}-web", role="web")
    assert web.subscribe("lading/+/events")
    gate.publish(f"lading/{thing}/events", {"seq": 7, "kind": "refused", "reason": "expired", "thing": "another"})
    assert web.expect(f"lading/{thing}/events", seq=7)["reason"] == "expired"
    path = f"/things/{thing}/events"
    found = wait_until(lambda: fetch(cloud, cloud.endpoint(web.name), path).json()["events"], "the event")
    assert found[0]["event"]["kind"] == "refused"
    assert fetch(cloud, cloud.endpoint(web.name), "/things/another/events").json() == {"events": []}


@pytest.mark.row("M10")
def test_last_will_and_presence_tell_that_a_device_is_gone(cloud: RunningCloud, connect: Connect, thing: str) -> None:
    """A device that vanishes leaves its last will as status, and `connected` and `disconnected` are announced."""
    web = connect(f"{thing}-web", role="web")
    assert web.subscribe("$aws/events/#", f"lading/{thing}/status")
    gate = connect(thing, will=(f"lading/{thing}/status", '{"online": false}'))
    assert web.expect(f"presence/connected/{thing}")["clientId"] == thing
    gate.publish(f"lading/{thing}/status", {"online": True})
    assert web.expect(f"lading/{thing}/status", online=True)
    assert gate.subscribe(f"{gate.prefix}/update/delta")
    subscribed = web.expect(f"subscriptions/subscribed/{thing}")
    assert subscribed["topics"] == [f"{gate.prefix}/update/delta"]
    gate.client.loop_stop()
    gate.client.socket().close()
    gone = web.expect(f"presence/disconnected/{thing}")
    assert (gone["clientInitiatedDisconnect"], gone["disconnectReason"]) == (False, "CONNECTION_LOST")
    web.expect(f"lading/{thing}/status", online=False)
    path = f"/things/{thing}/status"
    wait_until(lambda: fetch(cloud, cloud.endpoint(web.name), path).json()["status"] == {"online": False}, "the status")


@pytest.mark.parametrize("kind", ["readings", "events"])
def test_only_the_newest_are_kept(tmp_path: Any, kind: str) -> None:
    """Beyond the setting the oldest records of a thing go, whatever it numbers them; those of another stay."""
    records = Records(tmp_path / "records.sqlite", keep_readings=10, keep_events=10, now=lambda: 1.0)
    body = b'{"sensor": "t", "seq": %d, "at": 1, "value": 1, "unit": "C"}'
    records.take("b", kind, body % 1)
    for seq in range(985, 1005):
        records.take("a", kind, body % seq)
    kept = getattr(records, kind)
    assert [each.get("event", each)["seq"] for each in kept("a")] == list(range(995, 1005))
    assert len(kept("b")) == 1
    records.close()


@pytest.mark.parametrize(
    "change",
    [{"sensor": ""}, {"sensor": "x" * 129}, {"unit": 1}, {"seq": -1}, {"seq": 2**63}, {"at": "x"}, {"value": True}],
)
def test_a_reading_that_is_none_is_refused(tmp_path: Any, change: dict[str, Any]) -> None:
    """Each field has its kind and its bounds."""
    records = Records(tmp_path / "records.sqlite", keep_readings=10, keep_events=10)
    body = {"sensor": "t", "seq": 1, "at": 1, "value": 1, "unit": "C"} | change
    with pytest.raises(InvalidRequestError):
        records.take("a", "readings", repr(body).replace("'", '"').replace("True", "true").encode())
    assert records.readings("a") == []
    records.close()
