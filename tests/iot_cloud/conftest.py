"""One cloud for all tests that do not harm it."""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.iot_cloud.devices import PahoDevice
from tests.iot_cloud.running import RunningCloud

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def cloud() -> Iterator[RunningCloud]:
    """A cloud that all tests share; each brings its own things."""
    folder = Path(tempfile.mkdtemp(prefix="lc", dir="/tmp"))
    running = RunningCloud.start(folder, monitor=f"unix:{folder}/monitor.sock")
    yield running
    running.remove()


@pytest.fixture
def thing() -> str:
    """A name that no other test uses."""
    return f"gate-{next(_numbers)}"


@pytest.fixture
def connect(cloud: RunningCloud) -> Iterator[Callable[..., PahoDevice]]:
    """Connects devices that are closed afterwards; provisions them first."""
    opened: list[PahoDevice] = []

    def connect_one(name: str, role: str = "device", will: tuple[str, str] | None = None) -> PahoDevice:
        device = PahoDevice(name, cloud.provision(name, role), will)
        opened.append(device)
        return device.online()

    yield connect_one
    for device in opened:
        device.close()


@pytest.fixture
def device(thing: str, connect: Callable[..., PahoDevice]) -> PahoDevice:
    """A device that listens to its own shadow."""
    made = connect(thing)
    assert made.subscribe(f"{made.prefix}/#")
    return made
