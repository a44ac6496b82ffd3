"""Many devices connected at once: the memory of broker and service."""

import asyncio
import contextlib
import resource
import time

import psutil

from iot_cloud.bench.stand import Stand
from iot_cloud.connection import tls_context

AT_ONCE = 50
MEGABYTE = 2**20


def crowd(stand: Stand) -> dict[str, float]:
    """Connect every thing, look at the processes, disconnect."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return asyncio.run(_measure(stand))


async def _measure(stand: Stand) -> dict[str, float]:
    before = _memory(stand.broker_pid)
    started = time.perf_counter()
    writers = await connect_all(stand)
    taken = time.perf_counter() - started
    figures = {
        "things": len(writers),
        "connected_in_s": round(taken, 1),
        "broker_mb": round(_memory(stand.broker_pid), 1),
        "broker_mb_before": round(before, 1),
        "service_mb": round(_memory(stand.service_pid), 1),
    }
    await close_all(writers)
    return figures


async def connect_all(stand: Stand) -> list[asyncio.StreamWriter]:
    """A session for every thing."""
    gate = asyncio.Semaphore(AT_ONCE)
    return await asyncio.gather(*(_connect(stand, thing, gate) for thing in stand.things))


async def close_all(writers: list[asyncio.StreamWriter]) -> None:
    """End the sessions, whatever state they are in."""
    for writer in writers:
        writer.close()
    for writer in writers:
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _connect(stand: Stand, thing: str, gate: asyncio.Semaphore) -> asyncio.StreamWriter:
    endpoint = stand.endpoint(thing)
    async with gate:
        reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=tls_context(endpoint))
        # CONNECT, MQTT 3.1.1, clean session, keep-alive 600 s, empty client id: the certificate says who it is.
        writer.write(b"\x10\x0c\x00\x04MQTT\x04\x02\x02\x58\x00\x00")
        answer = await reader.readexactly(4)
    if answer != b"\x20\x02\x00\x00":
        raise ConnectionError(f"{thing} was not let in: {answer.hex()}")
    return writer


def _memory(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / MEGABYTE
