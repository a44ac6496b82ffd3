"""Real geth sealers whose connections a test makes and cuts, one of whom may seal on both sides.

`lading-chain new` makes genesis and keys; the nodes are started here, without discovery, so that only these
connections exist.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from eth_account import Account
from web3 import Web3

from contracts.chain import connect
from tests.contracts.nodes import free_port
from tests.contracts.proof.story import Network, wait_until

GETH = Path(__file__).resolve().parents[3] / ".cache" / "bin" / "geth"
START_S = 120


@dataclass
class Sealer:
    """A running geth with one sealer's key."""

    name: str
    keystore: Path
    w3: Web3
    process: subprocess.Popen[bytes]

    def ask(self, method: str, *params: Any) -> Any:
        """The result of a request."""
        answer = self.w3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        assert "error" not in answer, answer
        return answer["result"]

    @property
    def head(self) -> int:
        """Its newest block."""
        return int(self.ask("eth_blockNumber"), 16)

    @property
    def key(self) -> PrivateKey:
        """The key that it seals with."""
        password = (self.keystore.parent / "password").read_text().strip()
        return PrivateKey(bytes(Account.decrypt(json.loads(self.keystore.read_text()), password)))

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait(60)


class Partition(Network):
    """The sealers of one chain; a network as its first sealer shows it."""

    def __init__(self, folder: Path, sealers: int) -> None:
        super().__init__(folder)
        environment = os.environ | {"LADING_HOME": str(folder)}
        options = ["--sealers", str(sealers), "--rpc-nodes", "1", "--rpc-port", "0", "--peer-port", "0"]
        command = [sys.executable, "-m", "geth_network", "new", *options]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        self.keystores = sorted((folder / "chain" / "nodes").glob("*/account/keystore.json"))
        self.sealers: list[Sealer] = []

    @property
    def ready(self) -> dict[str, object]:
        """What `network.json` says."""
        return json.loads((self.folder / "chain" / "network.json").read_text())  # type: ignore[no-any-return]

    def connect(self) -> Web3:
        """The first sealer."""
        return self.sealers[0].w3

    def start(self, name: str, keystore: Path) -> Sealer:
        """One more node with this key, connected to nobody; it does not seal yet, lest each begins a chain alone."""
        data = self.folder / "n" / name
        data.mkdir(parents=True)
        genesis = self.folder / "chain" / "genesis.json"
        init = [GETH, "--datadir", data, "--state.scheme", "hash", "init", genesis]
        subprocess.run(init, check=True, capture_output=True)
        port = free_port()
        address = json.loads(keystore.read_text())["address"].removeprefix("0x")
        command = [
            "setpriv", "--pdeathsig", "INT", GETH, "--datadir", data, "--networkid", self.ready["chain_id"],
            "--ipcdisable", "--http", "--http.port", port, "--http.api", "eth,admin,miner,web3",
            "--allow-insecure-unlock", "--syncmode", "full", "--gcmode", "archive", "--state.scheme", "hash",
            "--snapshot=false", "--cache", "32", "--nodiscover", "--port", "0", "--netrestrict", "127.0.0.0/8",
            "--nat", "extip:127.0.0.1", "--authrpc.port", "0", "--miner.etherbase", f"0x{address}",
            "--miner.gasprice", "1", "--miner.recommit", "1s",
            "--unlock", f"0x{address}", "--keystore", keystore.parent, "--password", keystore.parent / "password",
        ]  # fmt: skip
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
        made = Sealer(name, keystore, connect(f"http://127.0.0.1:{port}"), process)
        self.sealers.append(made)
        wait_until(made.w3.is_connected, f"answer of {name}", START_S)
        return made

    def seal(self, nodes: Iterable[Sealer]) -> None:
        """Let these begin."""
        for one in nodes:
            one.ask("miner_start")

    def join(self, nodes: Iterable[Sealer]) -> None:
        """Connect all of these with one another, and wait until they are."""
        group = list(nodes)
        for one in group:
            for other in group:
                if one is not other:
                    one.ask("admin_addPeer", other.ask("admin_nodeInfo")["enode"])
        for one in group:
            wait_until(lambda one=one: len(one.ask("admin_peers")) >= len(group) - 1, f"peers of {one.name}", START_S)

    def cut(self, group: Iterable[Sealer]) -> None:
        """Take these off all others."""
        inside = list(group)
        for one in inside:
            for other in (other for other in self.sealers if other not in inside):
                for here, there in ((one, other), (other, one)):
                    here.ask("admin_removePeer", there.ask("admin_nodeInfo")["enode"])
        for one in inside:
            wait_until(lambda one=one: len(one.ask("admin_peers")) == len(inside) - 1, f"{one.name} alone", START_S)


@contextmanager
def partition(sealers: int) -> Iterator[Partition]:
    """So many sealers, connected and sealing; stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="pt", dir="/tmp"))
    network = Partition(folder, sealers)
    try:
        for path in network.keystores:
            network.start(path.parents[1].name, path)
        network.join(network.sealers)
        network.seal(network.sealers)
        wait_until(lambda: min(one.head for one in network.sealers) > 2, "chain that all share", START_S)
        yield network
    finally:
        for one in network.sealers:
            one.stop()
        shutil.rmtree(folder, ignore_errors=True)
