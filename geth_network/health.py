"""What a monitoring system is told of the chain: every node's head, age, peers, restarts and memory."""

from collections.abc import Callable, Sequence

from geth_network.folder import Folder
from geth_network.monitor import Figure, Health
from geth_network.network import Role
from geth_network.status import NodeStatus, read_status

QUIET_S = 30


def look(folder: Folder, period_s: int) -> Health:
    """Ask all nodes."""
    return judge(read_status(folder), max(QUIET_S, 10 * period_s))


def judge(nodes: Sequence[NodeStatus], quiet_s: int) -> Health:
    """The figures; what keeps the chain from serving is that no node answers, or that none has a young block."""
    ages = [node.age_s for node in nodes if node.age_s is not None]
    silent = [node.node for node in nodes if node.state != "up" and node.role != Role.BOOTNODE]
    why = [] if ages and min(ages) <= quiet_s else ["no node has a young block"]
    why += [] if any(node.state == "up" and node.role == Role.RPC for node in nodes) else ["no RPC node answers"]
    return Health((Figure("lading_chain_nodes_silent", len(silent)), *_figures(nodes)), tuple(why))


def _figures(nodes: Sequence[NodeStatus]) -> list[Figure]:
    by_name: dict[str, Callable[[NodeStatus], float | None]] = {
        "lading_chain_node_up": lambda node: int(node.state == "up"),
        "lading_chain_node_head_block": lambda node: node.head,
        "lading_chain_node_head_age_seconds": lambda node: node.age_s,
        "lading_chain_node_peers": lambda node: node.peers,
        "lading_chain_node_memory_bytes": lambda node: node.memory_mb and node.memory_mb * 2**20,
        "lading_chain_node_restarts_total": lambda node: node.restarts,
    }
    return [
        Figure(name, value, {"node": node.node, "role": str(node.role)})
        for name, of in by_name.items()
        for node in nodes
        if (value := of(node)) is not None
    ]
