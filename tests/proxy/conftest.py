"""Real nginx in front of recording nodes."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.proxy.authority import Authority, Identity
from tests.proxy.node import Node
from tests.proxy.running import Running

PLENTY = {"device_rate": 100000, "device_burst": 100000, "wallet_rate": 100000, "wallet_burst": 100000}
PLENTY |= {"stranger_rate": 100000, "stranger_burst": 100000}


@contextmanager
def run_folder() -> Iterator[Path]:
    """A run folder with a short path: Unix sockets allow 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="l g-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    """A run folder for one test."""
    with run_folder() as folder:
        yield folder


@pytest.fixture
def authority(home: Path) -> Authority:
    """A CA for one test."""
    return Authority(home / "ca")


@pytest.fixture
def node() -> Iterator[Node]:
    """One recording node."""
    running = Node()
    yield running
    running.close()


@pytest.fixture
def gateway(home: Path, authority: Authority, node: Node) -> Iterator[Running]:
    """A gateway for one test, in front of one node."""
    running = Running(home, authority, [node.url], **PLENTY)
    running.up()
    yield running
    running.down()


@pytest.fixture(scope="package")
def shared_home() -> Iterator[Path]:
    """A run folder for the whole run."""
    with run_folder() as folder:
        yield folder


@pytest.fixture(scope="package")
def shared_node() -> Iterator[Node]:
    """One recording node for the whole run."""
    running = Node()
    yield running
    running.close()


@pytest.fixture(scope="package")
def shared(shared_home: Path, shared_node: Node) -> Iterator[Running]:
    """A gateway for the whole run, without tight limits."""
    running = Running(shared_home, Authority(shared_home / "ca"), [shared_node.url], **PLENTY)
    running.up()
    yield running
    running.down()


@pytest.fixture(scope="package")
def device(shared: Running) -> Identity:
    """An admitted device of the shared gateway."""
    return shared.admit("gate-1")
