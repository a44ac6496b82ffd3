"""Slow and half requests, and floods of connections: they end by themselves and cost an honest device nothing."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from tests.proxy.authority import Authority, Identity
from tests.proxy.conftest import run_folder
from tests.proxy.node import Node
from tests.proxy.running import Running, ask, await_until, rpc

CHAIN_ID = rpc("eth_chainId")
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = b"Content-Length: 59\r\n\r\n" + b'{"jsonrpc"'
# How each connection begins; it never says more by itself.
HALVES = {"nothing": b"", "half-header": HEAD, "half-line": HEAD + b"X: ", "half-body": HEAD + BODY}


@pytest.fixture(scope="module")
def front(shared_node: Node) -> Iterator[tuple[Running, Identity]]:
    """A gateway with its own limits of connections, and plenty of requests."""
    rates = dict.fromkeys(("device_rate", "device_burst", "stranger_rate", "stranger_burst"), 100000)
    with run_folder() as home:
        running = Running(home, Authority(home / "ca"), [shared_node.url], **rates)
        running.up()
        yield running, running.admit("gate-1")
        running.down()


def secure(gateway: Running, source: str, identity: Identity | None = None) -> ssl.SSLSocket:
    """A TLS connection to the devices' block from this address."""
    host, port = "127.0.0.1", gateway.devices().port
    plain = socket.create_connection((host, port), timeout=60, source_address=(source, 0))
    return gateway.keep(gateway.context(identity).wrap_socket(plain, server_hostname=host))


def rest(line: socket.socket) -> bytes:
    """Everything until the gateway hangs up."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := line.recv(65536):
            received += part
    return received


@pytest.mark.slow
def test_half_requests_are_hung_up_and_never_reach_the_node(front: tuple[Running, Identity], shared_node: Node) -> None:
    """Halves of every kind at once, by strangers and by the device: each ends after its five seconds, unanswered."""
    gateway, device = front
    shared_node.seen.clear()
    lines: dict[tuple[str, str], ssl.SSLSocket] = {}
    for name, sent in HALVES.items():
        for who, identity in (("stranger", None), ("device", device)):
            lines[name, who] = secure(gateway, "127.0.0.5", identity)
            lines[name, who].sendall(sent)
    trickle = gateway.raw("wallets")
    stop = threading.Event()
    dripping = threading.Thread(target=_drip, args=(trickle, stop))
    dripping.start()
    assert {key: rest(line) for key, line in lines.items()} == dict.fromkeys(lines, b"")
    assert rest(trickle) == b""
    stop.set()
    dripping.join()
    assert shared_node.calls() == []
    gateway.hang_up()


def _drip(line: socket.socket, stop: threading.Event) -> None:
    """A header that goes on for ever, a letter every tenth of a second."""
    with contextlib.suppress(OSError):
        line.sendall(HEAD + b"X: ")
        while not stop.wait(0.1):
            line.sendall(b"x")


def test_slow_bodies_of_one_address_are_few_and_cost_nobody_else_anything(front: tuple[Running, Identity]) -> None:
    """Beyond the limit of connections the answer is 429; the device and another address are served meanwhile."""
    gateway, device = front
    slow = [secure(gateway, "127.0.0.6") for _ in range(20)]
    for line in slow:
        line.sendall(HEAD + BODY)
    line = secure(gateway, "127.0.0.6")
    await_until(lambda: _status(line) == 429, "the limit")
    assert ask(gateway.devices(device), CHAIN_ID).status == 200
    assert ask(gateway.devices(source="127.0.0.7"), CHAIN_ID).status == 401
    gateway.hang_up()


def test_flood_of_headers_and_open_connections_costs_a_device_nothing(front: tuple[Running, Identity]) -> None:
    """300 connections that say nothing, and on 20 more a header that is too long: 400, while a device is served."""
    gateway, device = front
    silent = [gateway.raw("devices") for _ in range(300)]
    honest = gateway.devices(device)
    for _ in range(20):
        flood = secure(gateway, "127.0.0.8")
        with contextlib.suppress(OSError):
            flood.sendall(HEAD + b"X: " + b"y" * 100 + b"\r\n" + b"X-Flood: z\r\n" * 5000)
        assert rest(flood)[:12] in {b"", b"HTTP/1.1 400"}
        assert ask(honest, CHAIN_ID).status == 200
    assert len(silent) == 300
    gateway.hang_up()


def _status(line: socket.socket) -> int:
    line.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
    return int(line.recv(65536).split(b" ", 2)[1])
