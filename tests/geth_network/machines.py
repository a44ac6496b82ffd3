"""Members' machines: a network namespace each, joined by a switch in one more. Needs root."""

import itertools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.geth_network.chain import Chain

_numbers = itertools.count(1)
SUBNET = "10.77.0"


def ip(*arguments: str) -> None:
    """Runs iproute2's command."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@dataclass(frozen=True)
class Machine:
    """One member's machine with its run folder."""

    namespace: str
    switch: str
    number: int
    chain: Chain

    @property
    def host(self) -> str:
        """Its address."""
        return f"{SUBNET}.{self.number}"

    @property
    def prefix(self) -> tuple[str, ...]:
        """In front of a command, runs it on this machine."""
        return ("ip", "netns", "exec", self.namespace)

    @property
    def place(self) -> dict[str, Any]:
        """Where this machine's nodes listen."""
        return {"host": self.host, "allow": f"{SUBNET}.0/24", "peer_port": 30300, "rpc_port": 0}

    def cut(self) -> None:
        """Pulls the plug of its network."""
        ip("-n", self.switch, "link", "set", f"p{self.number}", "down")

    def heal(self) -> None:
        """Puts it back."""
        ip("-n", self.switch, "link", "set", f"p{self.number}", "up")


class Site:
    """Some machines on one switch; removed with everything in them at the end."""

    def __init__(self, folders: list[Path]) -> None:
        self.tag = f"lc{os.getpid()}-{next(_numbers)}"
        self.switch = f"{self.tag}-s"
        self.namespaces = [self.switch]
        ip("netns", "add", self.switch)
        ip("-n", self.switch, "link", "add", "br0", "type", "bridge")
        ip("-n", self.switch, "link", "set", "br0", "up")
        self.machines = [self.connect(number, folder) for number, folder in enumerate(folders, start=1)]

    def connect(self, number: int, folder: Path) -> Machine:
        """One more machine on the switch."""
        machine = Machine(f"{self.tag}-{number}", self.switch, number, Chain(folder))
        ip("netns", "add", machine.namespace)
        self.namespaces.append(machine.namespace)
        port = f"p{number}"
        ip("-n", self.switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", machine.namespace)
        ip("-n", self.switch, "link", "set", port, "master", "br0", "up")
        ip("-n", machine.namespace, "address", "add", f"{machine.host}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", machine.namespace, "link", "set", device, "up")
        return machine

    def remove(self) -> None:
        """Removes the namespaces; the links go with them."""
        for namespace in self.namespaces:
            ip("netns", "delete", namespace)
