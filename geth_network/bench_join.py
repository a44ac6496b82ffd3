"""A node that joins late: how fast it follows a long chain, and how much memory and disk that takes."""

import json
import time
from collections.abc import Sequence

from geth_network.bench_chain import sealed_blocks
from geth_network.child import run_once
from geth_network.create import create_network
from geth_network.folder import Folder
from geth_network.keys import load_account
from geth_network.network import Network, Role
from geth_network.preparation import initialise
from geth_network.programs import find_program
from geth_network.rpc import IpcNode, head_or_none
from geth_network.settings import Settings
from geth_network.status import memory_mb

PATIENCE_S = 300.0


def make_long_chain(folder: Folder, blocks: int) -> tuple[Network, float]:
    """A network of one sealer, whose chain is long already, and an RPC node that has none of it; seconds of import."""
    settings = Settings(sealers=1, rpc_nodes=1, rpc_port=0, peer_port=0)
    network = create_network(folder, settings)
    (seller,) = network.of_role(Role.SEALER)
    genesis = json.loads(folder.genesis.read_text())
    file, data = folder.path / "blocks.rlp", folder.data(seller.name)
    file.write_bytes(b"".join(sealed_blocks(genesis, [load_account(data / "account")], blocks)))
    geth = find_program("geth", settings.geth)
    initialise(geth, folder, network, seller)
    flags = ["--datadir", str(data), "--state.scheme", "hash", "--gcmode", "archive", "--snapshot=false"]
    started = time.monotonic()
    run_once("geth import", [str(geth), *flags, "import", str(file)], PATIENCE_S)
    file.unlink()
    return network, time.monotonic() - started


def follow_join(folder: Folder, name: str, blocks: int) -> float:
    """Waits until a node that starts has the chain; seconds from its first block."""
    ask, first = IpcNode(folder.ipc(name)), None
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        head, now = head_or_none(ask), time.monotonic()
        if head and head.number and first is None:
            first = now
        if head and head.number >= blocks and first is not None:
            return now - first
        time.sleep(0.02)
    raise SystemExit(f"{name} has not reached block {blocks} within {PATIENCE_S:.0f} s")


def await_restart(folder: Folder, name: str) -> None:
    """Waits until the watchdog has started a node anew that had fetched the chain, and it answers."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if json.loads(folder.state.read_text())[name]["restarts"] and head_or_none(IpcNode(folder.ipc(name))):
            return
        time.sleep(0.1)
    raise SystemExit(f"{name} was not started anew within {PATIENCE_S:.0f} s")


def chain_bytes(folder: Folder, node: str) -> int:
    """How much a node's chain takes on disk."""
    return sum(path.stat().st_size for path in (folder.data(node) / "geth" / "chaindata").rglob("*") if path.is_file())


def memory_of(folder: Folder, names: Sequence[str]) -> dict[str, int]:
    """Resident memory of running nodes in MiB."""
    state = json.loads(folder.state.read_text())
    return {name: memory_mb(state[name]["pid"]) or 0 for name in names}
