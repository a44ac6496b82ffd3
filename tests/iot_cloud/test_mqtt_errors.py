"""Bad input over MQTT: refused in AWS's words, logged, and the rest goes on."""

import json
import socket
import ssl

import pytest

from iot_cloud.bench.session import CONNACK, CONNECT, PUBLISH_QOS1
from iot_cloud.connection import tls_context
from tests.iot_cloud.devices import PahoDevice
from tests.iot_cloud.refused_documents import CASES
from tests.iot_cloud.running import RunningCloud, wait_until


@pytest.mark.row("B16")
def test_refusals_have_aws_codes_and_texts(cloud: RunningCloud, device: PahoDevice, thing: str) -> None:
    """The same table as over HTTPS; each refusal stands in the log, and the device goes on."""
    small = [case for case in CASES if len(case[0]) < 100_000]
    for number, (body, code, _, message) in enumerate(small, 1):
        device.publish(f"{device.prefix}/update", body)
        refused = wait_until(lambda number=number: device.bodies("/update/rejected")[number - 1 :], message)[0]
        assert (refused["code"], refused["message"]) == (code, message)
        cloud.await_log("service", f"of {thing}: {code} {message}")
    for verb in ("get", "delete"):
        device.publish(f"{device.prefix}/{verb}", {"clientToken": verb})
        refused = device.expect(f"/{verb}/rejected", clientToken=verb)
        assert (refused["code"], refused["message"]) == (404, f"No shadow exists with name: '{thing}'")
    device.publish(f"{device.prefix}/name/{'x' * 65}/get", "")
    device.update({"reported": {"here": True}}, clientToken="still")
    assert device.expect("/update/accepted", clientToken="still")["version"] == 1
    assert device.disconnects == 0


TOPICS = ["$aws/things/+/shadow/update", "$aws/things/#", "lading/THING/events/#", "lading/\0/events", b"lading/\xff/x"]


@pytest.mark.parametrize("topic", TOPICS, ids=map(repr, TOPICS))
def test_topics_that_are_none_end_the_session(cloud: RunningCloud, thing: str, topic: str | bytes) -> None:
    """A publish on a wildcard, on NUL or on bytes that are not UTF-8 ends its sender's session and nobody else's."""
    name = topic if isinstance(topic, bytes) else topic.replace("THING", thing).encode()
    packet = len(name).to_bytes(2, "big") + name + b"\x00\x01" + json.dumps({"state": {}}).encode()
    with sent(cloud, thing, bytes([PUBLISH_QOS1, len(packet)]) + packet) as secured:
        assert secured.recv(4) == b""


def test_a_message_beyond_the_limit_ends_the_session(cloud: RunningCloud, thing: str) -> None:
    """AWS takes 128 KB a message; the header alone is enough to refuse more."""
    with sent(cloud, thing, bytes([PUBLISH_QOS1]) + b"\xff\xff\xff\x7f" + b"x" * 1000) as secured:
        assert secured.recv(4) == b""


def sent(cloud: RunningCloud, thing: str, packet: bytes) -> ssl.SSLSocket:
    """A session that has sent this after its CONNECT."""
    endpoint = cloud.provision(thing)
    raw = socket.create_connection((endpoint.host, endpoint.port), timeout=60)
    secured = tls_context(endpoint).wrap_socket(raw, server_hostname=endpoint.host)
    secured.sendall(CONNECT)
    assert secured.recv(4) == CONNACK
    secured.sendall(packet)
    return secured
