"""Backups that equal the original; data folders that are damaged, stale, or another chain's."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from geth_network import backup, status
from geth_network.errors import BundleError, FolderError
from geth_network.folder import Folder
from geth_network.network import Role
from geth_network.preparation import MARK
from tests.geth_network.chain import Chain, await_that, left_behind

pytestmark = pytest.mark.slow


def blocks(chain: Chain, name: str, up_to: int) -> list[str | None]:
    """The hashes of a node's first blocks."""
    return [chain.block_hash(name, number) for number in range(up_to + 1)]


@pytest.mark.row("N11")
def test_a_restored_backup_equals_the_original_and_goes_on(chain: Chain, tmp_path: Path) -> None:
    """Same files, and its sealer seals on; then a node's data is corrupted: named at the start, fetched anew."""
    chain.new(sealers=1, rpc_nodes=1)
    with chain.up():
        goal = chain.await_progress(blocks=3)
        original = blocks(chain, "rpc-1", goal)
    archive = tmp_path / "chain.tar.gz"
    assert "keep it where only you can read it" in chain.run("backup", str(archive)).stdout
    assert archive.stat().st_mode & 0o777 == 0o600
    kept = kept_files(chain.folder)
    shutil.move(chain.folder.path, tmp_path / "lost")
    chain.run("restore", str(archive))
    assert kept_files(chain.folder) == kept

    ruin(chain.folder, "rpc-1")
    refused = chain.run("up", check=False)
    assert refused.returncode == 1
    assert "lading-chain resync rpc-1" in refused.stderr
    assert not left_behind(chain.home)
    chain.run("resync", "rpc-1")
    with chain.up():
        assert blocks(chain, "seller", goal) == original
        assert chain.await_agreement(goal) == original[-1]
        chain.await_progress()


def kept_files(folder: Folder) -> dict[str, bytes]:
    """What a backup holds, by name."""
    files = [path for path in folder.path.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder.path)): path.read_bytes()
        for path in files
        if not set(path.relative_to(folder.path).parts) & backup.LEFT_OUT
    }


def test_a_running_network_is_not_backed_up(shared: Chain, tmp_path: Path) -> None:
    """A copy of files that change is no backup."""
    refused = shared.run("backup", str(tmp_path / "x.tar.gz"), check=False)
    assert refused.returncode == 1
    assert "lading-chain down" in refused.stderr


def test_half_a_backup_is_refused(chain: Chain, tmp_path: Path) -> None:
    """Cut off, or something else: in words."""
    archive = tmp_path / "chain.tar.gz"
    chain.new(sealers=1, rpc_nodes=0)
    backup.back_up(chain.folder, archive)
    with pytest.raises(FolderError, match="already holds a chain"):
        backup.restore(chain.folder, archive)
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(BundleError, match="not a whole backup"):
        backup.restore(Folder(tmp_path / "chain"), archive)
    assert [path.name for path in (tmp_path / "chain").iterdir()] == ["lock"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chain", "chain.tar.gz"]


def ruin(folder: Folder, node: str) -> None:
    """Overwrites the middle of every table and log of a node's database."""
    for path in (folder.data(node) / "geth" / "chaindata").rglob("*"):
        if path.is_file() and path.suffix in {".ldb", ".log", ".sst", ".cdat", ".rdat"} | {""} and path.stat().st_size:
            path.write_bytes(os.urandom(path.stat().st_size))


@pytest.mark.long
def test_damage_under_a_running_network_ends_in_an_alarm_that_resync_mends(shared: Chain) -> None:
    """A minute of starts that fail, then the node stays down and `status` names the command; the others go on."""
    node = shared.pid("rpc-2")
    os.kill(node or 0, signal.SIGSTOP)
    ruin(shared.folder, "rpc-2")
    os.kill(node or 0, signal.SIGKILL)

    def alarm() -> str | None:
        (line,) = (line for line in status.read_status(shared.folder) if line.node == "rpc-2")
        return line.alarm

    assert "`lading-chain resync rpc-2` fetches the chain anew" in await_that(alarm, "the alarm", 180)
    shared.await_progress("seller", "buyer", "operator", "rpc-1")
    shared.run("resync", "rpc-2")
    shared.await_agreement(shared.await_progress())
    assert alarm() is None


def test_a_node_is_fetched_anew_while_the_network_runs(shared: Chain) -> None:
    """On command, the others going on; its keys stay."""
    identity = shared.ask("rpc-2")("admin_nodeInfo")["id"]
    before = shared.pid("rpc-2")
    shared.run("resync", "rpc-2")
    await_that(lambda: shared.pid("rpc-2") not in {before, None}, "a new process")
    goal = shared.await_progress()
    shared.await_agreement(goal)
    assert shared.block_hash("rpc-2", 1) == shared.block_hash("seller", 1)
    assert shared.ask("rpc-2")("admin_nodeInfo")["id"] == identity


@pytest.mark.parametrize("marked", [True, False], ids=["by us", "by geth alone"])
def test_the_data_folder_of_another_chain_is_refused(chain: Chain, shared: Chain, marked: bool) -> None:
    """A reused folder is named; nothing is started, nothing overwritten."""
    chain.new(sealers=1, rpc_nodes=1)
    ours, theirs = chain.folder.data("rpc-1"), shared.folder.data("rpc-1")
    shutil.copytree(theirs / "geth" / "chaindata", ours / "geth" / "chaindata", ignore=shutil.ignore_patterns("LOCK"))
    if marked:
        shutil.copy(theirs / MARK, ours / MARK)
    refused = chain.run("up", check=False)
    assert refused.returncode == 1
    assert f"{ours} holds another chain" in refused.stderr
    assert "lading-chain resync rpc-1" in refused.stderr


@pytest.mark.parametrize(("key", "value"), [("chain_id", 20260), ("genesis_hash", "0x" + "77" * 32)])
def test_a_description_that_is_not_the_genesis_is_refused(chain: Chain, key: str, value: object) -> None:
    """A wrong chain id would let nodes run that nobody can peer with, or pay on."""
    chain.new(sealers=1, rpc_nodes=0)
    network = json.loads(chain.folder.network.read_text())
    chain.folder.network.write_text(json.dumps(network | {key: value}))
    refused = chain.run("up", check=False)
    assert refused.returncode == 1
    assert "speaks of chain " in refused.stderr
    assert "restore both" in refused.stderr


def test_a_chain_is_not_made_over_another(chain: Chain) -> None:
    """`new` in a used folder changes nothing."""
    network = chain.new(sealers=1, rpc_nodes=0)
    refused = chain.run("new", check=False)
    assert refused.returncode == 1
    assert "already holds a chain" in refused.stderr
    assert chain.network() == network
    assert chain.names(Role.SEALER) == ["seller"]
