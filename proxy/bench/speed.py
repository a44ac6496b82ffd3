"""Full gateway against a bare proxy_pass, in turns; handshakes; memory of idle devices."""

import json
import socket
import ssl
import statistics
import time
from collections.abc import Iterator
from typing import Any

import psutil

from proxy.bench.load import flow, p50_us, request_of
from proxy.bench.rig import SELECTOR, TRIVIAL, Identity, Rig, bare_answer, rig

Figure = dict[str, Any]


def call_of(to: str, data: str) -> bytes:
    """An eth_call as web3.py writes it."""
    call = {"jsonrpc": "2.0", "method": "eth_call", "params": [{"to": to, "data": data}, "latest"], "id": 1}
    return json.dumps(call).encode()


DEFAULT_CALL = call_of("0x" + "ab" * 20, SELECTOR + "00" * 12 + "cd" * 20)


def measure(upstream: str | None, body: bytes, rounds: int, seconds: float) -> Iterator[Figure]:
    """Everything about speed and memory."""
    with rig() as it:
        node = upstream or "http://" + it.plain_nginx("node", TRIVIAL)
        it.selectors.add(json.loads(body)["params"][0]["data"][:10])
        it.up([node])
        bare = it.plain_nginx("bare", *bare_answer(node))
        time.sleep(0.5)
        yield from _ratio(it, bare, request_of(body), rounds, seconds)
        device = it.device("bench-1")
        yield from _handshakes(it, device)
        yield _idle(it, device, 2000)


def _ratio(it: Rig, bare: str, request: bytes, rounds: int, seconds: float) -> Iterator[Figure]:
    bare_address = ("127.0.0.1", int(bare.rpartition(":")[2]))
    full_address, full_workers, bare_workers = it.address("wallets"), it.workers(), _workers_of(bare_address)
    full, plain, p50s = [], [], []
    for _ in range(rounds):
        plain.append(flow(bare_address, request, bare_workers, seconds))
        full.append(flow(full_address, request, full_workers, seconds))
        p50s.append((p50_us(bare_address, request, 2000), p50_us(full_address, request, 2000)))
    ratios = [f.requests_s / b.requests_s for f, b in zip(full, plain, strict=True)]
    added = [f - b for b, f in p50s]
    yield _spread("requests a second, bare proxy_pass", [b.requests_s for b in plain])
    yield _spread("requests a second, gateway", [f.requests_s for f in full])
    yield _spread("gateway / bare", ratios, 3)
    yield _spread("CPU a request, bare (us)", [b.cpu_us for b in plain], 1)
    yield _spread("CPU a request, gateway (us)", [f.cpu_us for f in full], 1)
    yield _spread("p50 on one connection, bare (us)", [b for b, _ in p50s], 1)
    yield _spread("added p50 on one connection (us)", added, 1)


def _handshakes(it: Rig, device: Identity) -> Iterator[Figure]:
    context = context_of(it, device)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < 3:
        _connect(it, context).close()
        count += 1
    yield {"figure": "mutual TLS handshakes a second, one client", "median": round(count / 3)}


def _idle(it: Rig, device: Identity, count: int) -> Figure:
    context = context_of(it, device)
    before = _memory_mb(it)
    lines = [_connect(it, context) for _ in range(count)]
    request = request_of(DEFAULT_CALL)
    for line in lines[:: count // 20]:
        line.sendall(request)
        line.recv(65536)
    used = _memory_mb(it) - before
    for line in lines:
        line.close()
    return {"figure": f"memory of {count} idle device connections (MB)", "median": round(used, 1)}


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


def _spread(name: str, values: list[float], digits: int = 0) -> Figure:
    low, middle, high = min(values), statistics.median(values), max(values)
    return {"figure": name, "median": round(middle, digits), "low": round(low, digits), "high": round(high, digits)}
