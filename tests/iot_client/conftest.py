"""A chain and a cloud for all tests of the Pi; each test brings doors and sales of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from iot_client.gate import GateState
from iot_client.gate.simulated import Timing, read_door, state_of
from tests.contracts.nodes import Node, anvil
from tests.contracts.world import World
from tests.iot_client import power
from tests.iot_client.warehouse import Door, Warehouse, wait_until
from tests.iot_client.zygote import Zygote
from tests.iot_cloud.running import RunningCloud

BLOCK_EVERY_S = 0.25


@pytest.fixture(scope="package")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Anvil that goes on by itself, the contracts, and the cloud, which delivers in any order and often twice."""
    folder = tmp_path_factory.mktemp("warehouse")
    with anvil(folder, chain_id=20261128) as node:
        cloud = RunningCloud.start(requests_per_s=1000, burst=1000, order="random", duplicates=0.3)
        zygote, ended = Zygote(power.build(folder)), threading.Event()
        warehouse = Warehouse(World.build(node, folder / "deployments.json"), cloud, zygote)
        miner = threading.Thread(target=_mine, args=(node, ended), daemon=True)
        miner.start()
        try:
            yield warehouse
        finally:
            ended.set()
            miner.join()
            warehouse.remove()
            zygote.close()
            cloud.remove()


def _mine(node: Node, ended: threading.Event) -> None:
    """Blocks without transactions, so that confirmations grow; its clock runs ahead, which these doors allow."""
    while not ended.wait(BLOCK_EVERY_S):
        with suppress(KeyError):  # pytest changes the environment while requests reads it
            node.rpc("evm_mine")


@pytest.fixture(scope="package")
def shared_door(warehouse: Warehouse) -> Door:
    """A door for tests that leave it as they found it: locked and idle."""
    return warehouse.door("gate-shared")


@pytest.fixture(scope="package")
def resting_door(warehouse: Warehouse) -> Door:
    """A door whose process is not started."""
    return warehouse.door("gate-spare", start=False)


@pytest.fixture
def spare_door(resting_door: Door) -> Door:
    """A door that tests start with settings of their own; it has locked by itself, which the file does not tell."""
    path, timing = resting_door.folder / "gate.json", Timing(open_s=resting_door.config()["pulse_s"])
    wait_until(lambda: state_of(read_door(path), timing, time.time()) is GateState.LOCKED, "the gate locks")
    return resting_door


@pytest.fixture
def door(shared_door: Door) -> Door:
    """The shared door, locked again."""
    shared_door.locked()
    return shared_door
