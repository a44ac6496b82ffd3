"""The gateway against a bare proxy_pass, in turns; handshakes; memory of idle devices."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from proxy.bench.figure import Figure, middle, spread
from proxy.bench.load import Flow, flow, request_of, timed_in_turns
from proxy.bench.rig import SELECTOR, TRIVIAL, Identity, Rig, bare_answer, rig
from proxy.bench.sale import call_of, sold_item

ROUNDS = 24
ROUND_S = 0.25
PAIRS = 3000
IDLE = 2000
TRIVIAL_CALL = call_of("0x" + "ab" * 20, SELECTOR + "00" * 12 + "cd" * 20)
SCRIPT_CALL = TRIVIAL_CALL.replace(b'"id": 1', b'"id": "1"')
BARE = "bare proxy_pass"


def measure() -> Iterator[Figure]:
    """Everything about speed and memory."""
    with rig() as it:
        node, call = sold_item(it)
        it.selectors.add(json.loads(call)["params"][0]["data"][:10])
        yield from _real(Pair(it, node), call)
    with rig() as it:
        yield from _trivial(Pair(it, "http://" + it.plain_nginx("node", TRIVIAL)))
        device = it.device("bench-1")
        yield _handshakes(it, device)
        yield _idle(it, device)


class Pair:
    """A gateway and a bare proxy before the same node."""

    def __init__(self, it: Rig, node: str) -> None:
        it.up([node])
        self._bare = ("127.0.0.1", int(it.plain_nginx("bare", *bare_answer(node)).rpartition(":")[2]))
        self._full = it.address("wallets")
        time.sleep(0.5)
        self._workers = {self._bare: _workers_of(self._bare), self._full: it.workers()}

    def rounds(self, call: bytes) -> "Rounds":
        """The same load on both in turns."""
        bare: list[Flow] = []
        full: list[Flow] = []
        for number in range(ROUNDS):
            for address, flows in ((self._bare, bare), (self._full, full))[:: 1 if number % 2 else -1]:
                flows.append(flow(address, request_of(call), self._workers[address], ROUND_S))
        return Rounds(bare, full)

    def added_us(self, call: bytes) -> tuple[float, float]:
        """The median time of one connection's request at the bare proxy, and what the gateway adds to it."""
        bare, full = timed_in_turns((self._bare, self._full), request_of(call), PAIRS)
        return middle(bare, 1), round(middle(full, 1) - middle(bare, 1), 1)


@dataclass(frozen=True)
class Rounds:
    """What rounds in turns have measured."""

    bare: list[Flow]
    full: list[Flow]

    def requests(self, what: str, target: str = "") -> Figure:
        """Requests a second, and the ratio of each pair of rounds."""
        ratios = [f.requests_s / b.requests_s for b, f in zip(self.bare, self.full, strict=True)]
        values = [f.requests_s for f in self.full], [b.requests_s for b in self.bare]
        return Figure(
            what, middle(values[0]), "1/s", middle(values[1]), BARE, middle(ratios, 3), target,
            f"ratio {spread(ratios, 2)}",
        )  # fmt: skip

    def cpu(self, what: str) -> Figure:
        """CPU time a request."""
        full, bare = [f.cpu_us for f in self.full], [b.cpu_us for b in self.bare]
        ratio = round(middle(full, 1) / middle(bare, 1), 2)
        return Figure(what, middle(full, 1), "us", middle(bare, 1), BARE, ratio, "", spread(full, 1))


def _real(pair: Pair, call: bytes) -> Iterator[Figure]:
    rounds = pair.rounds(call)
    yield rounds.requests("verifyOwnership on geth, 16 connections", ">= 0.85 of bare")
    yield rounds.cpu("the same, CPU of nginx a request")
    bare, added = pair.added_us(call)
    yield Figure("verifyOwnership, one connection, added p50", added, "us", bare, BARE, target="<= 50 us")


def _trivial(pair: Pair) -> Iterator[Figure]:
    rounds = pair.rounds(TRIVIAL_CALL)
    yield rounds.requests("trivial node, 16 connections")
    yield rounds.cpu("trivial node, CPU of nginx a request")
    yield pair.rounds(SCRIPT_CALL).cpu("the same by the filter's script")
    bare, added = pair.added_us(TRIVIAL_CALL)
    yield Figure("trivial node, one connection, added p50", added, "us", bare, BARE)


def _handshakes(it: Rig, device: Identity) -> Figure:
    context = context_of(it, device)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < 3:
        _connect(it, context).close()
        count += 1
    return Figure("mutual TLS handshakes, one client", round(count / 3), "1/s")


def _idle(it: Rig, device: Identity) -> Figure:
    context = context_of(it, device)
    before = _memory_mb(it)
    lines = [_connect(it, context) for _ in range(IDLE)]
    request = request_of(TRIVIAL_CALL)
    for line in lines:
        line.sendall(request)
    for line in lines:
        line.recv(65536)
    used = _memory_mb(it) - before
    for line in lines:
        line.close()
    what = f"memory of {IDLE} idle device connections"
    return Figure(what, round(used, 1), "MB", round(before, 1), "without", target="<= 120 MB")


def context_of(it: Rig, device: Identity | None) -> ssl.SSLContext:
    """TLS as a device speaks it."""
    context = ssl.create_default_context(cafile=str(it.home / "ca.pem"))
    if device is not None:
        context.load_cert_chain(device.certificate, device.key)
    return context


def _connect(it: Rig, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection(it.address("devices")), server_hostname="127.0.0.1")


def _workers_of(address: tuple[str, int]) -> list[psutil.Process]:
    owners = {
        c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr[1] == address[1] and c.status == "LISTEN"
    }
    found = [psutil.Process(pid) for pid in owners if pid]
    return [process for process in found if "worker process" in " ".join(process.cmdline())] or [
        child for process in found for child in process.children()
    ]


def _memory_mb(it: Rig) -> float:
    return sum(worker.memory_full_info().pss for worker in it.workers()) / 1e6
