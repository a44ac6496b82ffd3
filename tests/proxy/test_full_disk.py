"""A full disk closes the door, says why, and a disk with room opens it again."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proxy.authority import Authority
from tests.proxy.conftest import PLENTY
from tests.proxy.node import Node
from tests.proxy.running import Running, ask, await_until, rpc

CHAIN_ID = rpc("eth_chainId")
SMALL_DISK = """
mkdir -p "$LADING_HOME/gateway"
mount -t tmpfs -o size=6m,mode=700 tmpfs "$LADING_HOME/gateway"
exec "$@"
"""


class OnSmallDisk(Running):
    """A gateway whose folder is a disk of 6 MB in a mount namespace of its own."""

    inside = ("unshare", "--map-root-user", "--mount", "--", "sh", "-ec", SMALL_DISK, "sh")

    @property
    def folder(self) -> Path:
        """As the process sees it."""
        return Path(f"/proc/{self.process.pid}/root{self.home}/gateway") if self.process else super().folder


@pytest.fixture
def small(home: Path, authority: Authority, shared_node: Node) -> Iterator[OnSmallDisk]:
    """Root of a user namespace may not become nobody, so the workers stay root there."""
    gateway = OnSmallDisk(home, authority, [shared_node.url], worker_user="root", **PLENTY)
    gateway.up()
    yield gateway
    gateway.down()


def test_full_disk_closes_says_why_and_room_opens_again(small: OnSmallDisk, shared_node: Node) -> None:
    """Filled to the last byte: 503 on both blocks, nothing reaches the node, no admission is lost."""
    device = small.admit("gate-1")
    _fill(small.folder / "filler")
    await_until(lambda: "is full: nothing passes" in small.health()["trouble"], "a health that says why")
    shared_node.seen.clear()
    for line in (small.wallets(), small.devices(device)):
        refused = ask(line, CHAIN_ID)
        assert (refused.status, refused.reason, refused.headers["Retry-After"]) == (503, "log_disk", "1")
    assert shared_node.calls() == []
    assert [small.status(path)[0] for path in ("/healthz", "/readyz")] == [503, 503]
    _fill(small.folder / "rest")
    assert small.admin("POST", "/devices", {"name": "gate-2", "serial": "77"})[1]["error"]["code"] == "disk"
    for name in ("filler", "rest"):
        (small.folder / name).unlink()
    await_until(lambda: ask(small.devices(device), CHAIN_ID).status == 200, "the open door")
    await_until(lambda: small.status("/healthz")[0] == 200, "the health")
    assert [one["name"] for one in small.admin("GET", "/devices")[1]["devices"]] == ["gate-1"]


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(os.urandom(4096))
        except OSError:
            """Not one byte is left."""
