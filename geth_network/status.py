"""`lading-chain status`: what every node says of itself."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from geth_network.errors import RpcError
from geth_network.folder import Folder
from geth_network.network import Kind, Network, Node, Role, load_network
from geth_network.rpc import Ask, HttpNode, IpcNode, head_or_none


@dataclass(frozen=True)
class NodeStatus:
    """One line of the table; None where the node does not say."""

    node: str
    role: str
    state: str
    head: int | None = None
    hash: str | None = None
    age_s: int | None = None
    peers: int | None = None
    turn: str | None = None
    memory_mb: int | None = None
    pid: int | None = None
    restarts: int = 0
    alarm: str | None = None


def read_status(folder: Folder) -> list[NodeStatus]:
    """Asks all nodes at once."""
    network = load_network(folder.network)
    kept = json.loads(folder.state.read_text()) if folder.holder() and folder.state.exists() else {}
    with ThreadPoolExecutor(max_workers=16) as pool:
        return list(pool.map(lambda node: status_of(folder, network, node, kept.get(node.name, {})), network.nodes))


def status_of(folder: Folder, network: Network, node: Node, kept: dict[str, Any]) -> NodeStatus:
    """Asks one node."""
    facts: dict[str, Any] = {
        "pid": kept.get("pid"), "restarts": kept.get("restarts", 0), "alarm": kept.get("alarm"),
        "memory_mb": memory_mb(kept.get("pid")),
    }  # fmt: skip
    if not kept.get("pid"):
        return NodeStatus(node.name, node.role, "failed" if kept.get("alarm") else "down", **facts)
    if node.role is Role.BOOTNODE:
        return NodeStatus(node.name, node.role, "up", **facts)
    url = kept.get("url")
    ask = HttpNode(url, timeout_s=2) if url else IpcNode(folder.ipc(node.name), timeout_s=2)
    head = head_or_none(ask)
    if head is None:
        return NodeStatus(node.name, node.role, "silent", **facts)
    facts |= {"head": head.number, "hash": head.hash, "age_s": max(0, int(time.time()) - head.time)}
    if network.kind is Kind.GETH:
        facts |= peers_and_turn(ask, node, head.number)
    return NodeStatus(node.name, node.role, "up", **facts)


def peers_and_turn(ask: Ask, node: Node, head: int) -> dict[str, Any]:
    """The number of peers, and for a sealer whose turn the next block is."""
    try:
        facts: dict[str, Any] = {"peers": int(ask("net_peerCount"), 16)}
        if node.address:
            facts["turn"] = turn(ask("clique_getSigners"), node.address, head)
    except RpcError:
        return {}
    return facts


def turn(signers: list[str], address: str, head: int) -> str:
    """When a sealer's turn comes: Clique goes round the sorted list by block number."""
    order = sorted(map(str.lower, signers))
    if address.lower() not in order:
        return "not listed"
    ahead = (order.index(address.lower()) - (head + 1)) % len(order)
    return "next" if ahead == 0 else f"in {ahead + 1}"


def memory_mb(pid: int | None) -> int | None:
    """Resident memory of a process in MiB."""
    try:
        return int(psutil.Process(pid).memory_info().rss / 2**20) if pid else None
    except psutil.Error:
        return None


def as_json(lines: list[NodeStatus]) -> str:
    """For programs."""
    return json.dumps([asdict(line) for line in lines], indent=2)


def print_table(lines: list[NodeStatus]) -> None:
    """For people."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("node", "role", "state", "head", "age", "peers", "turn", "memory", "restarts"):
        table.add_column(heading, justify="left" if heading in {"node", "role", "state", "turn"} else "right")
    for line in lines:
        age = None if line.age_s is None else f"{line.age_s} s"
        memory = None if line.memory_mb is None else f"{line.memory_mb} MiB"
        cells = (line.node, line.role, line.state, line.head, age, line.peers, line.turn, memory, line.restarts)
        table.add_row(*("-" if cell is None else str(cell) for cell in cells))
    console = Console(highlight=False)
    console.print(table)
    for line in lines:
        if line.alarm:
            console.print(f"ALARM {line.node}: {line.alarm}", markup=False)
