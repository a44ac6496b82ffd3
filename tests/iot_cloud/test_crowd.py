"""Thousands of devices, and the broker killed under them."""

import asyncio
import os
import signal
import socket

import pytest

from iot_cloud.bench.crowd import close_all, connect_all
from iot_cloud.bench.stand import Stand
from tests.iot_cloud.running import WAIT_S

COUNT = 3000


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_three_thousand_return_at_once_after_a_broker_restart() -> None:
    """All sessions end with the broker, and all are let in again when it is back."""
    with Stand.build(int(os.environ.get("LADING_TEST_CROWD", COUNT))) as stand:
        asyncio.run(kill_and_return(stand))


async def kill_and_return(stand: Stand) -> None:
    """Connect, kill, wait for the broker, connect again."""
    writers = await connect_all(stand)
    os.kill(stand.broker_pid, signal.SIGKILL)
    await close_all(writers)
    await asyncio.wait_for(listening(stand), WAIT_S)
    again = await connect_all(stand)
    assert len(again) == len(stand.things)
    await close_all(again)


async def listening(stand: Stand) -> None:
    """Return when the broker's port takes connections."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((stand.facts["host"], stand.facts["mqtt_port"])) == 0:
                return
        await asyncio.sleep(0.05)
