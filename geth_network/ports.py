"""Ports: which are taken, and free ones for a port 0."""

import secrets
import socket
from contextlib import ExitStack

from geth_network.errors import PortTakenError
from geth_network.network import Network, Role

# Below the range from which the kernel takes ports for outgoing connections, so that a port found free stays so.
CHOICE = range(12_000, 32_000)


def is_free(port: int, host: str, *, udp: bool) -> bool:
    """Whether a node could listen there now."""
    with ExitStack() as sockets:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM) if udp else (socket.SOCK_STREAM,):
            probe = sockets.enter_context(socket.socket(socket.AF_INET, kind))
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def choose(wanted: int, host: str, *, udp: bool, taken: set[int], of: str) -> int:
    """The wanted port if it is free, or any free one for 0."""
    if wanted and (wanted in taken or not is_free(wanted, host, udp=udp)):
        raise PortTakenError(
            f"port {wanted} for {of} is in use by another process: stop that one, or choose other ports "
            "(rpc_port and peer_port in the table [chain] of lading.toml, 0 for any) when you make the network"
        )
    while not wanted or wanted in taken:
        candidate = secrets.choice(CHOICE)
        if candidate not in taken and is_free(candidate, host, udp=udp):
            wanted = candidate
    taken.add(wanted)
    return wanted


def choose_ports(network: Network) -> Network:
    """The network with a real, free port wherever a node listens."""
    taken: set[int] = set()
    ports: dict[str, tuple[int, int | None]] = {}
    for node in network.nodes:
        peer = choose(node.peer_port, network.host, udp=True, taken=taken, of=f"peers of {node.name}")
        rpc = None
        if node.role is Role.RPC:
            rpc = choose(node.rpc_port or 0, "127.0.0.1", udp=False, taken=taken, of=f"JSON-RPC of {node.name}")
        ports[node.name] = (peer, rpc)
    return network.with_ports(ports)
