"""The demo's ports, and who holds one that is taken."""

import socket
from dataclasses import dataclass
from typing import Self

import psutil


@dataclass(frozen=True)
class Ports:
    """Loopback ports of the demo; 0 is any free one."""

    rpc: tuple[int, int] = (8545, 8546)
    devices: int = 8443
    wallets: int = 8453
    mqtt: int = 8883
    cloud_http: int = 8444
    web: int = 8080

    @classmethod
    def any_free(cls) -> Self:
        """Return ports that leave every choice to the system."""
        return cls((0, 0), 0, 0, 0, 0, 0)

    def taken(self) -> list[str]:
        """Return a line for each fixed port that another program holds."""
        fixed = [*self.rpc, self.devices, self.wallets, self.mqtt, self.cloud_http, self.web]
        return [f"port {port} is taken by {holder(port)}" for port in fixed if port and not is_free(port)]


def is_free(port: int) -> bool:
    """Return whether a server can listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Name the process that listens on a port, as far as this user may know it."""
    for connection in psutil.net_connections("tcp"):
        if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
            return (
                f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
                if connection.pid
                else "a process of another user"
            )
    return "a process that cannot be named"
