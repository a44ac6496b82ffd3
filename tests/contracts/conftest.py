"""Real nodes with the contracts on them; every test lists goods of its own, so that they share the chains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.contracts.nodes import Node, anvil, ganache, geth
from tests.contracts.world import PEOPLE, World, account

settings.register_profile("lading", derandomize=True, deadline=None, database=None, print_blob=False)
settings.load_profile("lading")


@pytest.fixture(scope="package")
def anvil_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """An anvil for all tests."""
    with anvil(tmp_path_factory.mktemp("anvil")) as node:
        yield node


@pytest.fixture(scope="package")
def ganache_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A ganache for all tests."""
    with ganache(tmp_path_factory.mktemp("ganache")) as node:
        yield node


@pytest.fixture(scope="package")
def anvil_world(anvil_node: Node, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The contracts on anvil."""
    return World.build(anvil_node, tmp_path_factory.mktemp("world") / "deployments.json")


@pytest.fixture(scope="package")
def ganache_world(ganache_node: Node, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The contracts on ganache."""
    return World.build(ganache_node, tmp_path_factory.mktemp("world") / "deployments.json")


@pytest.fixture(scope="package")
def geth_node() -> Iterator[Node]:
    """A private geth network for all tests."""
    with geth([account(name).address for name in PEOPLE]) as node:
        yield node


@pytest.fixture(scope="package")
def geth_world(geth_node: Node, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The contracts on geth."""
    return World.build(geth_node, tmp_path_factory.mktemp("world") / "deployments.json")


@pytest.fixture(params=["anvil", "ganache", pytest.param("geth", marks=pytest.mark.slow)])
def any_world(request: pytest.FixtureRequest) -> World:
    """The contracts on every kind of node in turn; geth makes a block a second."""
    found: World = request.getfixturevalue(f"{request.param}_world")
    return found


@pytest.fixture(params=["anvil", "ganache", pytest.param("geth", marks=pytest.mark.long)])
def world(request: pytest.FixtureRequest) -> World:
    """The contracts on the nodes that mine at once, and in the long run on geth as well."""
    found: World = request.getfixturevalue(f"{request.param}_world")
    return found


@pytest.fixture(params=["anvil", "ganache"])
def clock_world(request: pytest.FixtureRequest) -> World:
    """The contracts on the nodes whose clocks can be moved."""
    found: World = request.getfixturevalue(f"{request.param}_world")
    return found


@pytest.fixture
def deployments(tmp_path: Path) -> Path:
    """Where a list of deployments may be written."""
    return tmp_path / "contracts" / "deployments.json"
