"""The chain under a chaos: anvil, which is light, or a geth network of three sealers, which is the real one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from contracts.chain import connect
from geth_network.network import Role, load_network
from tests.contracts.nodes import FUNDER, PATIENCE_S, Node, anvil
from tests.iot_client.warehouse import SEALERS, wait_until
from tests.iot_client.weather import Gust, freeze, kill

RICH = 10**8
SPARED_S = 70.0
"""A node killed more often than its watchdog takes for bad luck stays down."""


@dataclass(frozen=True)
class Chain:
    """Where tests ask, where the gateway's nodes are, whom the doors believe, and what may befall the nodes."""

    node: Node
    urls: list[str]
    sealers: list[str]
    verification: str
    gusts: dict[str, Gust]
    begin: Callable[[], object]


@contextlib.contextmanager
def anvil_chain(folder: Path) -> Iterator[Chain]:
    """Anvil: a block for each transaction until `begin`, then one a second. It keeps nothing, so it only freezes."""
    with anvil(folder, chain_id=20261128) as node:
        port = urlsplit(node.url).port
        (pid,) = {c.pid for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == port}

        def begin() -> None:
            node.rpc("evm_setAutomine", False)
            node.rpc("evm_setIntervalMining", 1)

        gusts: dict[str, Gust] = {"node frozen": lambda for_s: freeze(pid, for_s)}
        yield Chain(node, [node.url], SEALERS, "node", gusts, begin)


@contextlib.contextmanager
def geth_chain(folder: Path) -> Iterator[Chain]:
    """Three sealers and three RPC nodes by `lading-chain`: two for the gateway, and one for the tests, left alone."""
    environment = {**os.environ, "LADING_HOME": str(folder)}
    program = [sys.executable, "-m", "geth_network"]
    new = ["new", "--rpc-nodes", "3", "--rpc-port", "0", "--peer-port", "0", "--alloc", f"{FUNDER.address}={RICH}"]
    subprocess.run([*program, *new], env=environment, check=True, capture_output=True, timeout=PATIENCE_S)
    ready = folder / "chain" / "ready.json"
    with (folder / "chain.out").open("wb") as out:
        command = ["setpriv", "--pdeathsig", "TERM", "--", *program, "up"]
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        wait_until(ready.exists, "the geth network")
        facts = json.loads(ready.read_text())
        *urls, own = facts["rpc"]
        nodes = Nodes(folder / "chain")
        node = Node("geth", connect(own, timeout=PATIENCE_S), own, FUNDER)
        yield Chain(node, urls, facts["sealers"], "proof", nodes.gusts(), lambda: None)
    finally:
        process.terminate()
        process.wait(120)


class Nodes:
    """The processes under `lading-chain up`, by name; each is killed now and then and started by its watchdog."""

    def __init__(self, folder: Path, *, spare_last: bool = True) -> None:
        self._state = folder / "state.json"
        network = load_network(folder / "network.json")
        self._rpc = [node.name for node in network.of_role(Role.RPC)]
        if spare_last:
            self._rpc.pop()
        self._sealers = [node.name for node in network.of_role(Role.SEALER)]
        self._struck: dict[str, float] = {}

    def gusts(self) -> dict[str, Gust]:
        """What may befall them."""
        return {
            "RPC node killed": lambda _: kill(self._next(self._rpc)),
            "RPC node frozen": lambda for_s: freeze(self._next(self._rpc), for_s),
            "sealer killed": lambda _: kill(self._next(self._sealers)),
        }

    def _next(self, names: list[str]) -> int | None:
        """The process of the one that was left in peace the longest; None if none was for long enough."""
        name, now = min(names, key=lambda one: self._struck.get(one, 0.0)), time.monotonic()
        if now - self._struck.get(name, float("-inf")) < SPARED_S:
            return None
        self._struck[name] = now
        found: dict[str, dict[str, int | None]] = json.loads(self._state.read_text())
        return found[name]["pid"]
