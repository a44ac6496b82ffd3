"""Many devices connected at once: the memory of broker and service."""

import asyncio
import resource
import time
from collections.abc import Iterator

import psutil

from iot_cloud.bench.figure import Figure
from iot_cloud.bench.session import Session
from iot_cloud.bench.stand import Stand

AT_ONCE = 50
MEGABYTE = 2**20


def crowd(stand: Stand) -> Iterator[Figure]:
    """Connect every thing, look at the processes, disconnect."""
    raise_file_limit()
    pids = {"broker": stand.broker_pid, "service": stand.service_pid}
    before = {name: _memory(pid) for name, pid in pids.items()}
    taken, after = asyncio.run(_measure(stand, pids))
    count = f"{len(stand.things):,}"
    for name in pids:
        yield Figure(f"{name} with {count} connected things", after[name], "MB", before[name], "with none")
    yield Figure(f"{count} things connect, the client on the same cores", round(taken, 1), "s")


def raise_file_limit() -> None:
    """Let this process open as many connections as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def connect_all(stand: Stand) -> list[Session]:
    """A session for every thing."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(thing: str) -> Session:
        async with gate:
            return await Session.open(thing, stand.endpoint(thing))

    return await asyncio.gather(*map(one, stand.things))


async def close_all(sessions: list[Session]) -> None:
    """End the sessions."""
    await asyncio.gather(*(session.close() for session in sessions))


async def _measure(stand: Stand, pids: dict[str, int]) -> tuple[float, dict[str, float]]:
    started = time.perf_counter()
    sessions = await connect_all(stand)
    taken = time.perf_counter() - started
    after = {name: _memory(pid) for name, pid in pids.items()}
    await close_all(sessions)
    return taken, after


def _memory(pid: int) -> float:
    return round(psutil.Process(pid).memory_info().rss / MEGABYTE, 1)
