"""The shadow service over MQTT, with real devices on the real broker."""

import json
import queue
import threading

import pytest
from AWSIoTPythonSDK.MQTTLib import AWSIoTMQTTShadowClient

from tests.iot_cloud.devices import PahoDevice, configured, sdk_client
from tests.iot_cloud.running import WAIT_S, RunningCloud


@pytest.mark.row("B20")
def test_desired_comes_back_as_delta_until_reported(device: PahoDevice) -> None:
    """Desired → delta → reported; once the two are equal there is no further delta."""
    device.update({"desired": {"light": True}}, clientToken="one")
    assert device.expect("/update/delta", clientToken="one")["state"] == {"light": True}
    device.update({"reported": {"light": True}}, clientToken="two")
    accepted = device.expect("/update/accepted", clientToken="two")
    assert accepted["version"] == 2
    device.publish(f"{device.prefix}/get", {"clientToken": "three"})
    assert "delta" not in device.expect("/get/accepted", clientToken="three")["state"]
    assert len(device.bodies("/update/delta")) == 1


def test_refusals_come_back_in_aws_words(device: PahoDevice) -> None:
    """A refused update answers on `rejected` with code, text and token."""
    device.publish(f"{device.prefix}/update", {"clientToken": "x"})
    refused = device.expect("/update/rejected", clientToken="x")
    assert (refused["code"], refused["message"]) == (400, "Missing required node: state")
    device.publish(f"{device.prefix}/get", "")
    assert device.expect("/get/rejected") == {
        "code": 404,
        "message": f"No shadow exists with name: '{device.name}'",
    }


@pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLS is deprecated")  # the SDK's own
def test_aws_python_sdk_works_unchanged(cloud: RunningCloud, thing: str) -> None:
    """AWSIoTPythonSDK as a device sends desired and receives its delta."""
    client = sdk_client(thing, cloud.provision(thing))
    assert client.connect()
    came = threading.Event()
    deltas: list[dict[str, object]] = []

    def on_delta(_client: object, _userdata: object, message: object) -> None:
        deltas.append(json.loads(message.payload))  # type: ignore[attr-defined]
        came.set()

    prefix = f"$aws/things/{thing}/shadow"
    assert client.subscribe(f"{prefix}/update/delta", 1, on_delta)
    body = {"state": {"desired": {"release": {"sale": "0x1", "attempt": 0}}}}
    assert client.publish(f"{prefix}/update", json.dumps(body), 1)
    assert came.wait(WAIT_S)
    assert deltas[0]["state"] == body["state"]["desired"]
    client.disconnect()


@pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLS is deprecated")  # the SDK's own
def test_aws_python_sdk_s_shadow_handler_works_unchanged(cloud: RunningCloud, thing: str) -> None:
    """The SDK's own shadow client gets, is refused and updates as on AWS."""
    client = configured(AWSIoTMQTTShadowClient(thing), cloud.provision(thing))
    assert client.connect()
    shadow = client.createShadowHandlerWithName(thing, True)
    answers: queue.Queue[tuple[str, dict[str, object]]] = queue.Queue()

    def note(payload: str, status: str, _token: str) -> None:
        answers.put((status, json.loads(payload)))

    shadow.shadowGet(note, 60)
    status, body = answers.get(timeout=WAIT_S)
    assert (status, body["code"]) == ("rejected", 404)
    shadow.shadowUpdate('{"state": {"reported": {"gate": "LOCKED"}}}', note, 60)
    status, body = answers.get(timeout=WAIT_S)
    assert (status, body["version"]) == ("accepted", 1)
    shadow.shadowGet(note, 60)
    status, body = answers.get(timeout=WAIT_S)
    assert (status, body["state"]) == ("accepted", {"reported": {"gate": "LOCKED"}})
    client.disconnect()
