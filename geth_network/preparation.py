"""Makes a node's data folder fit to start: initialised with our genesis, configured, secrets shut."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from geth_network.child import run_once
from geth_network.errors import FolderError, NodeError
from geth_network.flags import bootnode_command, geth_command, geth_config
from geth_network.folder import Folder, read_secret, read_text, write_atomically
from geth_network.genesis import genesis_hash
from geth_network.network import Network, Node, Role
from geth_network.programs import find_program
from geth_network.settings import Settings

MARK = "genesis-hash"  # written when `geth init` has ended, so that half an init is done again


def prepare_nodes(folder: Folder, network: Network, settings: Settings) -> dict[str, list[str]]:
    """Every node's command; initialises those that are new, all at once."""
    geth, bootnode = find_program("geth", settings.geth), find_program("bootnode", settings.bootnode)
    folder.check_socket_paths([node.name for node in network.nodes])
    check_genesis_file(folder, network)
    chain_nodes = [node for node in network.nodes if node.role is not Role.BOOTNODE]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        list(pool.map(lambda node: initialise(geth, folder, network, node), chain_nodes))
    configure(folder, network)
    commands = {node.name: bootnode_command(bootnode, folder, network, node) for node in network.of_role(Role.BOOTNODE)}
    return commands | {node.name: geth_command(geth, folder, network, node) for node in chain_nodes}


def check_genesis_file(folder: Folder, network: Network) -> None:
    """Refuses a genesis.json that is not the one of which network.json speaks; a chain id is in no block's hash."""
    try:
        genesis = json.loads(read_text(folder.genesis))
        found = (genesis["config"]["chainId"], genesis_hash(genesis))
    except (ValueError, TypeError, KeyError, AttributeError) as damage:
        raise FolderError(f"{folder.genesis} is damaged ({damage}): restore it from a backup or a bundle") from damage
    if found != (network.chain_id, network.genesis_hash):
        raise FolderError(
            f"{folder.genesis} is of chain {found[0]} (genesis {found[1][:18]}…), {folder.network.name} speaks of "
            f"chain {network.chain_id} (genesis {str(network.genesis_hash)[:18]}…): restore both from a backup"
        )


def initialise(geth: Path, folder: Folder, network: Network, node: Node) -> None:
    """Writes the genesis into a new data folder; refuses the folder of another chain."""
    data = folder.data(node.name)
    mark = data / MARK
    if node.role is Role.SEALER:
        read_secret(data / "account" / "password")
        read_secret(data / "account" / "keystore.json")
    if mark.exists():
        if mark.read_text().strip() != network.genesis_hash:
            raise other_chain(data)
        return
    init = [str(geth), "--datadir", str(data), "--state.scheme", "hash", "init", str(folder.genesis)]
    try:
        run_once(f"geth init of {node.name}", init)
    except NodeError as refusal:
        raise (other_chain(data) if "incompatible genesis" in str(refusal) else refusal) from refusal
    write_atomically(mark, f"{network.genesis_hash}\n")


def other_chain(data: Path) -> FolderError:
    """A reused data folder."""
    return FolderError(
        f"{data} holds another chain: move it away, or fetch this chain into it with `lading-chain resync {data.name}`"
    )


def configure(folder: Folder, network: Network) -> None:
    """Tells every node who its peers are."""
    bootnodes = [node.enode(network.host) for node in network.of_role(Role.BOOTNODE)]
    ours = [node.enode(network.host) for node in network.nodes if node.role is not Role.BOOTNODE]
    enodes = [*ours, *(peer.enode for peer in network.peers)]
    for node in network.nodes:
        if node.role is not Role.BOOTNODE:
            config = folder.data(node.name) / "config.toml"
            write_atomically(config, geth_config(network, node, enodes, bootnodes))


def renew(folder: Folder, network: Network, name: str, geth: str) -> None:
    """An empty data folder with the right genesis, keys kept."""
    forget_chain(folder, name)
    initialise(Path(geth), folder, network, network.node(name))


def forget_chain(folder: Folder, node: str) -> None:
    """Removes a node's copy of the chain, never its keys."""
    data = folder.data(node)
    for name in ("chaindata", "lightchaindata", "triecache", "transactions.rlp", "nodes"):
        path = data / "geth" / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    (data / MARK).unlink(missing_ok=True)
