"""Bad input on the data plane: refused, logged, and the rest goes on."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.iot_cloud.refused_documents import CASES
from tests.iot_cloud.running import RunningCloud


@pytest.fixture
def session(cloud: RunningCloud, thing: str) -> Iterator[requests.Session]:
    """HTTPS as the device `thing`."""
    endpoint = cloud.provision(thing)
    with requests.Session() as made:
        # Else a REQUESTS_CA_BUNDLE in the environment would win.
        made.trust_env = False
        made.cert = (str(endpoint.certificate), str(endpoint.key))
        made.verify = str(endpoint.ca)
        yield made


@pytest.mark.parametrize("case", CASES, ids=[f"{case[1]}-{case[3][:20]}" for case in CASES])
def test_refusals_have_aws_codes_types_and_texts(
    cloud: RunningCloud, session: requests.Session, thing: str, case: tuple[bytes, int, str, str]
) -> None:
    """What boto3 makes its exceptions from."""
    body, status, aws_type, message = case
    answer = session.post(f"{cloud.ready['http']}/things/{thing}/shadow", data=body, timeout=60)
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (status, aws_type)
    assert answer.json()["message"] == message
    again = session.post(f"{cloud.ready['http']}/things/{thing}/shadow", data=b'{"state": {}}', timeout=60)
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("GET /", 404),
        ("GET /things", 404),
        ("GET /things/THING/door", 404),
        ("GET /things/THING/shadow", 404),
        ("GET /things/THING/status", 404),
        ("GET /things/another/shadow", 403),
        ("GET /things/THING%2F..%2Fanother/shadow", 400),
        ("GET /things/THING/shadow?name=a%20b", 400),
        ("POST /things/THING/readings", 405),
        ("DELETE /things/THING/events", 405),
        ("GET /api/things/shadow/ListNamedShadowsForThing/THING?pageSize=-1", 400),
        ("PUT /things/THING/shadow", 501),
    ],
)
def test_paths_and_verbs(
    cloud: RunningCloud, session: requests.Session, thing: str, request_: str, status: int
) -> None:
    """Foreign paths, other things, other verbs."""
    method, path = request_.replace("THING", thing).split(" ")
    url = cloud.ready["http"] + path
    assert session.request(method, url, timeout=60).status_code == status
    if status != 501:
        cloud.await_log("service", f"refused {method} {path!r} of {thing} at 127.0.0.1: {status}")


def test_a_flood_over_https_is_refused(cloud: RunningCloud, session: requests.Session, thing: str) -> None:
    """429 beyond the thing's own limit, in AWS's words."""
    url = f"{cloud.ready['http']}/things/{thing}/shadow"
    answers = (session.post(url, data=b'{"state": {}}', timeout=60) for _ in range(1000))
    refused = next(each for each in answers if each.status_code != 200)
    assert (refused.status_code, refused.headers["x-amzn-ErrorType"]) == (429, "ThrottlingException")
    assert refused.json()["message"] == "Too many requests"


@pytest.mark.row("B16")
def test_nobody_is_nobody(cloud: RunningCloud) -> None:
    """Without certificate and signature: 403 in AWS's words."""
    answer = requests.get(f"{cloud.ready['http']}/things/gate/shadow", verify=cloud.ready["ca"], timeout=60)
    assert (answer.status_code, answer.json()["message"]) == (403, "Missing Authentication Token")


def test_silent_and_garbled_connections_hold_nobody_up(
    cloud: RunningCloud, session: requests.Session, thing: str
) -> None:
    """Connections that say nothing, or no TLS, or half a request: others are answered meanwhile."""
    host, port = cloud.ready["http"].removeprefix("https://").split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(20)]
    silent[0].sendall(b"GET / HTTP/1.0\r\n\r\n")
    context = ssl.create_default_context(cafile=cloud.ready["ca"])
    half: Any = http.client.HTTPSConnection(host, int(port), context=context)
    half.connect()
    half.sock.sendall(b"POST /things/x/shadow HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
    url = f"{cloud.ready['http']}/things/{thing}/shadow"
    assert session.post(url, data=b'{"state": {}}', timeout=60).status_code == 200
    half.close()
    for connection in silent:
        connection.close()


def test_whoever_still_sends_what_was_refused_reads_why(cloud: RunningCloud) -> None:
    """The answer comes before the body was read; what is still sent then is taken in, not answered with a reset."""
    host, port = cloud.ready["http"].removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=cloud.ready["ca"])
    body = b"x" * 8_000_000
    with context.wrap_socket(socket.create_connection((host, int(port)), timeout=60), server_hostname=host) as sock:
        sock.sendall(b"POST /things/x/shadow HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body))
        answer = sock.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"\r\nConnection: close\r\n" in answer
        sock.sendall(body)
