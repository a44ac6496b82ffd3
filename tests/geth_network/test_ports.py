"""Ports that are free, and words for those that are not."""

import socket

import pytest

from geth_network.errors import PortTakenError
from geth_network.ports import choose, is_free


def test_any_port_is_a_free_one_each_time_another() -> None:
    """Zero means any; none is given twice."""
    taken: set[int] = set()
    ports = [choose(0, "127.0.0.1", udp=True, taken=taken, of="a node") for _ in range(20)]
    assert len(set(ports)) == 20
    assert all(is_free(port, "127.0.0.1", udp=True) for port in ports)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_taken_port_is_refused_in_words(kind: socket.SocketKind) -> None:
    """Whether TCP or UDP holds it; the sentence names port, node and settings."""
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port} for peers of seller is in use.*peer_port"):
            choose(port, "127.0.0.1", udp=True, taken=set(), of="peers of seller")
