"""A chain and a cloud for all tests of the Pi; each test brings doors and sales of its own."""

from collections.abc import Iterator

import pytest

from tests.contracts.nodes import anvil
from tests.contracts.world import World
from tests.iot_client.warehouse import Door, Warehouse
from tests.iot_cloud.running import RunningCloud


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Anvil with a block every second, the contracts, and the cloud."""
    folder = tmp_path_factory.mktemp("warehouse")
    with anvil(folder, chain_id=20261128) as node:
        world = World.build(node, folder / "deployments.json")
        cloud = RunningCloud.start()
        warehouse = Warehouse(world, cloud)
        node.rpc("evm_setIntervalMining", 1)
        try:
            yield warehouse
        finally:
            warehouse.remove()
            cloud.remove()


@pytest.fixture(scope="session")
def shared_door(warehouse: Warehouse) -> Door:
    """A door for tests that leave it as they found it: locked and idle."""
    return warehouse.door("gate-shared")


@pytest.fixture
def door(shared_door: Door) -> Door:
    """The shared door, locked again."""
    shared_door.locked()
    return shared_door
