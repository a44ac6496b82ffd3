"""Requests over raw sockets, as cheap as Python can send them."""

import select
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Flow:
    """What a round has measured."""

    requests_s: float
    cpu_us: float


def request_of(body: bytes) -> bytes:
    """A whole HTTP request on a kept connection."""
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def flow(
    address: tuple[str, int], request: bytes, workers: list[psutil.Process], seconds: float, lines: int = 16
) -> Flow:
    """Requests a second over some connections, and the workers' CPU time a request."""
    peers = [socket.create_connection(address) for _ in range(lines)]
    poll = select.epoll()
    by_number = {peer.fileno(): peer for peer in peers}
    before, start, count = _cpu_s(workers), time.perf_counter(), 0
    for peer in peers:
        poll.register(peer, select.EPOLLIN)
        peer.sendall(request)
    while time.perf_counter() - start < seconds:
        for number, _ in poll.poll(1):
            _expect_200(by_number[number].recv(65536))
            by_number[number].sendall(request)
            count += 1
    passed, spent = time.perf_counter() - start, _cpu_s(workers) - before
    for peer in peers:
        peer.close()
    return Flow(count / passed, spent / count * 1e6)


def timed_in_turns(
    addresses: tuple[tuple[str, int], tuple[str, int]], request: bytes, count: int
) -> tuple[list[float], list[float]]:
    """Microseconds of each of `count` requests on one kept connection to each address, in turns."""
    lines = [socket.create_connection(address) for address in addresses]
    for line in lines:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times = [[timed(line, request) * 1e6 for line in lines] for _ in range(count)]
    for line in lines:
        line.close()
    warm = times[count // 10 :]
    return [pair[0] for pair in warm], [pair[1] for pair in warm]


def timed(line: socket.socket, request: bytes) -> float:
    """Seconds that one request took."""
    start = time.perf_counter()
    line.sendall(request)
    _expect_200(line.recv(65536))
    return time.perf_counter() - start


def _expect_200(answer: bytes) -> None:
    if b" 200 " not in answer[:20]:
        raise RuntimeError(f"answered {answer[:300]!r}")


def _cpu_s(workers: list[psutil.Process]) -> float:
    """Nanoseconds from the scheduler: the times that psutil reads are counted in hundredths of a second."""
    return sum(int(Path(f"/proc/{worker.pid}/schedstat").read_text().split()[0]) for worker in workers) / 1e9
