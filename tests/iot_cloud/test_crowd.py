"""Many devices, and the broker killed under them."""

import asyncio
import os
import signal
import socket

import pytest

from iot_cloud.bench.crowd import close_all, connect_all, raise_file_limit
from iot_cloud.bench.session import Session
from iot_cloud.bench.stand import Stand
from tests.iot_cloud.running import WAIT_S

ACTIVE_AT_ONCE = 100


@pytest.mark.slow
@pytest.mark.row("M15")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("count", [40, pytest.param(3000, marks=pytest.mark.long)])
def test_all_return_at_once_after_a_broker_restart(count: int) -> None:
    """All sessions end with the broker and all are let in again; no accepted update and no delta is lost."""
    raise_file_limit()
    with Stand.build(count) as stand:
        asyncio.run(kill_and_return(stand))


async def kill_and_return(stand: Stand) -> None:
    """Connect, have an update of each accepted, kill the broker, connect again, ask each for its shadow."""
    sessions = await connect_all(stand)
    wanted = {"state": {"desired": {"open": True}, "reported": {"here": 1}}}
    accepted = await ask_all(sessions, "update", wanted)
    assert [each["version"] for each in accepted] == [1] * len(sessions)
    os.kill(stand.broker_pid, signal.SIGKILL)
    await asyncio.gather(*(session.ended() for session in sessions))
    await close_all(sessions)
    await asyncio.wait_for(listening(stand), WAIT_S)
    again = await connect_all(stand)
    for found in await ask_all(again, "get", {}):
        assert found["version"] == 1
        assert found["state"]["reported"] == {"here": 1}
        assert found["state"]["delta"] == {"open": True}
    await close_all(again)


async def ask_all(sessions: list[Session], verb: str, body: dict[str, object]) -> list[dict[str, dict[str, object]]]:
    """The answers to one request of each, asked again where none comes: the service may still be away."""
    gate = asyncio.Semaphore(ACTIVE_AT_ONCE)

    async def one(session: Session) -> dict[str, dict[str, object]]:
        async with gate:
            await session.listen()
            while True:
                try:
                    return await asyncio.wait_for(session.ask(verb, body), 5)
                except TimeoutError:
                    continue

    return await asyncio.gather(*map(one, sessions))


async def listening(stand: Stand) -> None:
    """Return when the broker's port takes connections."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((stand.facts["host"], stand.facts["mqtt_port"])) == 0:
                return
        await asyncio.sleep(0.05)
