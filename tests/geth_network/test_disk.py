"""A full disk under one node. Needs root, for a small file system of its own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.geth_network.chain import Chain, await_that

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]
LEFT_BYTES = 6_000_000  # geth looks every half minute, and stops below 32 MB


@pytest.fixture
def small_disk(chain: Chain) -> Iterator[Path]:
    """100 MB under the data of one RPC node."""
    chain.new(rpc_nodes=2)
    folder = chain.folder.data("rpc-2")
    key = (folder / "geth" / "nodekey").read_text()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m,mode=0700", "tmpfs", str(folder)], check=True)
    try:
        (folder / "geth").mkdir(mode=0o700)
        (folder / "geth" / "nodekey").write_text(key)
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_stops_one_node_and_no_other(chain: Chain, small_disk: Path) -> None:
    """Geth ends by itself while there is still room to end cleanly; with space again it follows."""
    with chain.up():
        room = os.statvfs(small_disk)
        (small_disk / "ballast").write_bytes(bytes(room.f_bavail * room.f_bsize - LEFT_BYTES))
        await_that(lambda: "rpc-2 ended" in chain.words(), "the node's end")
        assert "Low disk space. Gracefully shutting down" in chain.folder.log("rpc-2").read_text()
        with suppress(OSError), (small_disk / "rest").open("wb", buffering=0) as rest:
            while rest.write(bytes(4096)):
                pass  # to the last byte: not even its settings can be written
        await_that(lambda: "rpc-2 could not be started" in chain.words(), "a start without any room")
        chain.await_progress("seller", "buyer", "operator", "rpc-1", blocks=5)
        (small_disk / "rest").unlink()
        (small_disk / "ballast").unlink()
        chain.await_agreement(chain.await_progress())
