"""What the broker lets a client do, and what it does not."""

import itertools
import json
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from tests.iot_cloud.devices import PahoDevice
from tests.iot_cloud.running import RunningCloud, wait_until

_tokens = itertools.count()
Connect = Callable[..., PahoDevice]


def sync(device: PahoDevice) -> None:
    """Wait until everything that the device sent before was handled: its own `get` comes after it."""
    token = f"sync-{next(_tokens)}"
    device.publish(f"{device.prefix}/get", {"clientToken": token})
    device.expect("/get/accepted", clientToken=token)


def publish_without_right(device: PahoDevice, topic: str, body: Any) -> None:
    """Publish, and wait until the broker has ended the session for it and the device is back."""
    before = device.disconnects
    device.client.publish(topic, json.dumps(body), qos=1)
    wait_until(lambda: device.disconnects > before, f"the end of the session after a publish on {topic}")
    device.online()


@pytest.fixture
def other(cloud: RunningCloud, connect: Connect, thing: str) -> PahoDevice:
    """A second device with a shadow."""
    made = connect(f"{thing}-other")
    assert made.subscribe(f"{made.prefix}/#")
    made.update({"reported": {"gate": "LOCKED"}}, clientToken="first")
    made.expect("/update/accepted", clientToken="first")
    return made


@pytest.mark.row("N3")
def test_a_device_cannot_read_another_one(device: PahoDevice, other: PahoDevice) -> None:
    """Subscriptions to another's shadow, to wildcards over things and to the broker's own topics are refused."""
    for topic in (f"{other.prefix}/#", "$aws/things/+/shadow/#", "#", "$SYS/#", "lading/+/events", "$aws/events/#"):
        assert not device.subscribe(topic), topic


@pytest.mark.row("N3")
def test_a_device_cannot_write_another_ones_shadow_or_its_own_answers(
    device: PahoDevice, other: PahoDevice, cloud: RunningCloud
) -> None:
    """A publish on another's topics, on its own delta, or on the control topics changes nothing and reaches nobody."""
    device.update({"reported": {"gate": "LOCKED"}}, clientToken="mine")
    forged = {"state": {"desired": {"forged": True}}, "seq": 1}
    for topic in (
        f"{other.prefix}/update",
        f"{device.prefix}/update/delta",
        f"{other.prefix}/update/delta",
        f"lading/{other.name}/events",
        "$SYS/broker/uptime",
    ):
        publish_without_right(device, topic, forged)
    expel = {"commands": [{"command": "deleteClient", "username": other.name}]}
    publish_without_right(device, "$CONTROL/dynamic-security/v1", expel)
    sync(device)
    sync(other)
    assert not [body for _, body in device.received + other.received if "forged" in str(body)]
    assert other.bodies("/get/accepted")[-1]["state"] == {"reported": {"gate": "LOCKED"}}
    assert other.disconnects == 0


def test_the_web_application_commands_through_the_operators_shadow_only(
    connect: Connect, device: PahoDevice, thing: str
) -> None:
    """It hears documents, events and status of all; it writes the named shadow `operator` and nothing else."""
    web = connect(f"{thing}-web", role="web")
    assert web.subscribe("$aws/things/+/shadow/update/documents", "lading/+/events", "lading/+/status", "$aws/events/#")
    assert not web.subscribe(f"{device.prefix}/get/accepted")
    device.update({"reported": {"gate": "LOCKED"}}, clientToken="here")
    assert web.expect(f"{thing}/shadow/update/documents", clientToken="here")["current"]["version"] == 1
    publish_without_right(web, f"{device.prefix}/update", {"state": {"desired": {"open": True}}})
    publish_without_right(web, f"{device.prefix}/name/other/update", {"state": {"desired": {"open": True}}})
    web.publish(f"{device.prefix}/name/operator/update", {"state": {"desired": {"command": {"id": "1"}}}})
    assert device.expect("/name/operator/update/delta")["state"] == {"command": {"id": "1"}}
    sync(device)
    assert device.bodies("/get/accepted")[-1]["state"] == {"reported": {"gate": "LOCKED"}}
    assert not device.bodies("/name/other/update/accepted")


@pytest.mark.row("N3")
def test_a_client_without_certificate_does_not_connect(cloud: RunningCloud) -> None:
    """The handshake fails before MQTT begins."""
    facts: dict[str, Any] = cloud.ready
    context = ssl.create_default_context(cafile=facts["ca"])
    with (
        socket.create_connection((facts["host"], facts["mqtt_port"])) as raw,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        _say_hello(context.wrap_socket(raw, server_hostname=facts["host"]))


def _say_hello(secured: ssl.SSLSocket) -> None:
    # Under TLS 1.3 the refusal of the client's side arrives with the first bytes read.
    with secured:
        secured.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")
        if not secured.recv(4):
            raise ConnectionResetError
