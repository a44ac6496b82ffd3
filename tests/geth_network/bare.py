"""Sealers that nobody starts again."""

import os
import signal

from geth_network.child import Child
from geth_network.network import Role
from geth_network.ports import choose_ports
from geth_network.preparation import prepare_nodes
from geth_network.settings import Settings
from tests.geth_network.chain import Chain, await_that


class Sealers:
    """A network's sealers without a supervisor, started and killed one by one."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        network = choose_ports(chain.network())
        self.commands = prepare_nodes(chain.folder, network, Settings())
        by_address = sorted(network.of_role(Role.SEALER), key=lambda node: str(node.address).lower())
        self.names = [node.name for node in by_address]
        self.first, self.second, self.third = self.names[:3]
        self.second_address = str(by_address[1].address).lower()
        self.running: dict[str, Child] = {}

    def start(self, *names: str) -> None:
        """Starts some and waits until they answer."""
        for name in names:
            self.running[name] = Child(name, self.commands[name], self.chain.folder.log(name))
        for name in names:
            await_that(lambda name=name: self.chain.head(name), name)

    def kill(self, *names: str) -> None:
        """Kill -9 of some or of all that run, as close together as can be."""
        children = [self.running.pop(name) for name in names or list(self.running)]
        for child in children:
            os.kill(child.pid, signal.SIGKILL)
        for child in children:
            child.process.wait()

    def seal_alone(self, name: str, number: int) -> bool:
        """One sealer alone adds a block of its own at this height, if its head was just below."""
        self.start(name)
        if self.chain.number(name) not in {number - 1, number}:
            return False
        self.chain.await_number(number, name)
        self.kill()
        return True
