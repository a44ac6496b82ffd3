"""What clients feel when a node is killed, hangs or lags, when a device is revoked, and under a flood."""

import base64
import http.client
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

from proxy.bench.figure import Figure
from proxy.bench.rig import Rig, rig, wait_until
from proxy.bench.speed import context_of
from proxy.listeners import bind

HEAD = b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'
HONEST = 200
FAULT_S = 6.0
JSON = {"Content-Type": "application/json"}


def measure() -> Iterator[Figure]:
    """All faults, one after the other."""
    with rig() as it:
        pair = Pair(it)
        it.up(pair.urls)
        yield from reads("killed", it, pair.kill, pair.restart)
        yield from reads("stopped (SIGSTOP)", it, pair.freeze, pair.thaw)
        yield stale(it, pair)
        yield from none_alive(it, pair)
        yield revocation(it)
    with rig() as it:
        pair = Pair(it)
        it.up(pair.urls, stranger_rate=5, stranger_burst=20)
        yield flood(it)


class Pair:
    """Two trivial nodes."""

    def __init__(self, it: Rig) -> None:
        self._it = it
        self._ports = _free_ports()
        self._heads = [it.home / f"head-{number}" for number in range(2)]
        self.urls = [f"http://127.0.0.1:{port}" for port in self._ports]
        for head in self._heads:
            head.write_text("0x64")
        self._nodes = [self._start(number) for number in range(2)]

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "proxy.bench.node", str(self._ports[number]), str(self._heads[number])]
        process = self._it.start(command)
        wait_until(lambda: _call("127.0.0.1", self._ports[number])[0] == 200, "a node")
        return process

    def kill(self, number: int = 0) -> None:
        """Kill a node."""
        self._nodes[number].kill()
        self._nodes[number].wait()

    def restart(self, number: int = 0) -> None:
        """Start it again."""
        self._nodes[number] = self._start(number)

    def freeze(self) -> None:
        """Stop the first without a word."""
        self._nodes[0].send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._nodes[0].send_signal(signal.SIGCONT)

    def advance(self, number: int) -> None:
        """One node is 10 blocks on."""
        self._heads[number].write_text("0x6e")


def reads(name: str, it: Rig, break_it: Callable[[], None], mend: Callable[[], None]) -> Iterator[Figure]:
    """Reads at a steady pace across the fault: failed ones and the slowest."""
    failed, slowest, count, start, broken = 0, 0.0, 0, time.perf_counter(), False
    while (now := time.perf_counter() - start) < FAULT_S:
        if now > 1 and not broken:
            break_it()
            broken = True
        asked = time.perf_counter()
        failed += _call(*it.address("wallets"))[0] != 200
        slowest, count = max(slowest, time.perf_counter() - asked), count + 1
        time.sleep(0.005)
    mend()
    time.sleep(2)
    yield Figure(f"a node {name}: failed reads", failed, f"of {count}", target="<= 0")
    yield Figure("the same, slowest read", round(slowest, 3), "s", target="<= 2 s")


def stale(it: Rig, pair: Pair) -> Figure:
    """Seconds from one node's lead until no answer is the other's."""
    pair.advance(0)
    start, last = time.perf_counter(), 0.0
    while time.perf_counter() - start < 4:
        if _call(*it.address("wallets"))[1].find(b"0x64") >= 0:
            last = time.perf_counter() - start
    pair.advance(1)
    time.sleep(2)
    return Figure("window of stale answers from a lagging node", round(last, 3), "s", target="<= 1 s")


def none_alive(it: Rig, pair: Pair) -> Iterator[Figure]:
    """With both nodes gone: how soon 502 comes, and how soon service after they are back."""
    for number in range(2):
        pair.kill(number)
    time.sleep(2)
    asked = time.perf_counter()
    status = _call(*it.address("wallets"))[0]
    refused = time.perf_counter() - asked
    pair.restart(1)
    back = wait_until(lambda: _call(*it.address("wallets"))[0] == 200, "service")
    pair.restart(0)
    yield Figure(f"no node alive: time to {status}", round(refused, 3), "s", target="<= 0.1 s")
    yield Figure("service after a node is back", round(back, 3), "s", target="<= 2 s")


def revocation(it: Rig) -> Figure:
    """Seconds from the new list until an open connection and a new one are refused."""
    device = it.device("bench-2")
    context = context_of(it, device)
    line = http.client.HTTPSConnection(*it.address("devices"), context=context)
    line.request("POST", "/", HEAD, JSON)
    line.getresponse().read()
    it.revoke(device)
    took = wait_until(lambda: _ended(line), "the end of the open connection")
    return Figure("a revoked device's open connection ends after", round(took, 3), "s", target="<= 2 s")


def flood(it: Rig) -> Figure:
    """An honest device's answered requests while wrong credentials pour in from another address."""
    device, stop = it.device("bench-3"), threading.Event()
    poured = [0]

    def pour() -> None:
        header = {"Authorization": "Basic " + base64.b64encode(b"bench-3:wrong").decode(), **JSON}
        line = http.client.HTTPSConnection(
            *it.address("devices"), context=context_of(it, None), source_address=("127.0.0.2", 0)
        )
        while not stop.is_set():
            line.request("POST", "/", HEAD, header)
            line.getresponse().read()
            poured[0] += 1

    thread = threading.Thread(target=pour)
    thread.start()
    honest = http.client.HTTPSConnection(*it.address("devices"), context=context_of(it, device))
    served = 0
    for _ in range(HONEST):
        honest.request("POST", "/", HEAD, JSON)
        answer = honest.getresponse()
        answer.read()
        served += answer.status == 200
        time.sleep(0.01)
    stop.set()
    thread.join()
    what, wrong = "an honest device under wrong credentials: served", f"{poured[0]:,} wrong ones"
    return Figure(what, served, f"of {HONEST}", target=f">= {HONEST}", spread=wrong)


def _call(host: str, port: int) -> tuple[int, bytes]:
    line = http.client.HTTPConnection(host, port, timeout=10)
    try:
        line.request("POST", "/", HEAD, JSON)
        answer = line.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        line.close()


def _ended(line: http.client.HTTPSConnection) -> bool:
    try:
        line.request("POST", "/", HEAD, JSON)
        answer = line.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return True
    return answer.status != 200


def _free_ports() -> list[int]:
    bound = bind({"a": ("127.0.0.1", 0), "b": ("127.0.0.1", 0)})
    ports = [int(listener.getsockname()[1]) for listener in bound.values()]
    for listener in bound.values():
        listener.close()
    return ports
