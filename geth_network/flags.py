"""The command line and the TOML file of each node; pure."""

import json
from collections.abc import Iterable
from pathlib import Path

from geth_network.folder import Folder
from geth_network.network import Network, Node, Role


def geth_config(network: Network, node: Node, enodes: Iterable[str], bootnodes: Iterable[str]) -> str:
    """config.toml: what has no command-line flag.

    Listed nodes are trusted, so nobody can crowd them out, and there are as many places as listed nodes: while all are
    there, a stranger finds none. It must not be fewer: geth dials no more nodes than MaxPeers / DialRatio.
    More would slow the start: geth's first sync waits ten seconds for five peers, but never for more than MaxPeers.
    """
    others = [enode for enode in enodes if node.public_key not in enode]
    listed = json.dumps(others)
    return (
        "[Node.P2P]\n"
        f'ListenAddr = "{network.host}:{node.peer_port}"\n'
        f"MaxPeers = {max(1, len(others))}\nDialRatio = 1\nStaticNodes = {listed}\nTrustedNodes = {listed}\n"
        f"BootstrapNodes = {json.dumps(list(bootnodes))}\nBootstrapNodesV5 = []\n"
    )


def geth_command(geth: Path, folder: Folder, network: Network, node: Node) -> list[str]:
    """One geth: archive, so that kill -9 of all nodes rewinds nothing."""
    data = folder.data(node.name)
    return [
        str(geth), "--config", str(data / "config.toml"), "--datadir", str(data),
        "--networkid", str(network.chain_id), "--ipcpath", str(folder.ipc(node.name)),
        "--syncmode", "full", "--gcmode", "archive", "--state.scheme", "hash", "--snapshot=false", "--cache", "32",
        "--nat", f"extip:{network.host}", "--netrestrict", network.allow, "--authrpc.port", "0",
        "--txpool.nolocals", "--txpool.pricelimit", "1", "--txpool.accountslots", "512", "--txpool.globalslots", "8192",
        "--txpool.accountqueue", "512", "--txpool.globalqueue", "8192",
        "--rpc.txfeecap", "0", "--miner.gasprice", "1", "--miner.gaslimit", str(network.gas_limit),
        *(sealing(folder, node) if node.role is Role.SEALER else serving(node)),
    ]  # fmt: skip


def sealing(folder: Folder, node: Node) -> list[str]:
    """A sealer's key is unlocked, so it has no port for requests: only its Unix socket."""
    address, data = str(node.address), folder.data(node.name)
    return [
        "--mine", "--miner.etherbase", address, "--miner.recommit", "1s",
        "--unlock", address, "--password", str(data / "account" / "password"), "--keystore", str(data / "account"),
    ]  # fmt: skip


def serving(node: Node) -> list[str]:
    """An RPC node answers on loopback and holds no key."""
    return [
        "--http", "--http.addr", "127.0.0.1", "--http.port", str(node.rpc_port),
        "--http.api", "eth,net,web3", "--http.vhosts", "localhost,127.0.0.1",
    ]  # fmt: skip


def bootnode_command(bootnode: Path, folder: Folder, network: Network, node: Node) -> list[str]:
    """The bootnode introduces nodes to each other; it holds no chain."""
    key = folder.data(node.name) / "geth" / "nodekey"
    return [
        str(bootnode), "-nodekey", str(key), "-addr", f"{network.host}:{node.peer_port}",
        "-netrestrict", network.allow,
    ]  # fmt: skip
