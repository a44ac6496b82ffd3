"""Nodes started for a test: anvil, ganache, a geth network; how to move clocks and order blocks."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.datastructures import SignedTransaction
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.types import RPCEndpoint, TxReceipt

from contracts.chain import connect
from geth_network.programs import find_node

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
FUNDER: LocalAccount = Account.from_key("0x" + "f1" * 32)
RICH_WEI = 10**26


@dataclass(frozen=True)
class Node:
    """A running node; `funder` has more ether than all tests need."""

    kind: str
    w3: Web3
    url: str
    funder: LocalAccount

    def rpc(self, method: str, *params: Any) -> Any:
        """The result of a call of the node's own interface."""
        answer = self.w3.provider.make_request(RPCEndpoint(method), list(params))
        assert "error" not in answer, answer
        return answer["result"]

    @property
    def time(self) -> int:
        """The head's timestamp."""
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def await_time(self, timestamp: int) -> None:
        """Come back once the head is not older than this: geth waits, the others move their clocks."""
        if self.kind == "geth":
            _await(f"a block of {timestamp}", lambda: self.time >= timestamp)
        elif self.time < timestamp:
            self.mine_at(timestamp)

    def mine_at(self, timestamp: int, *signed: SignedTransaction) -> list[TxReceipt]:
        """One block with exactly this timestamp and these transactions, the dearest first."""
        with self.paused():
            hashes = [self.w3.eth.send_raw_transaction(one.raw_transaction) for one in signed]
            if self.kind == "anvil":
                self.rpc("evm_setNextBlockTimestamp", timestamp)
                self.rpc("evm_mine")
            else:
                self.rpc("evm_mine", timestamp)
                self.rpc("evm_setTime", timestamp * 1000)
        receipts = [self.w3.eth.get_transaction_receipt(one) for one in hashes]
        numbers = {receipt["blockNumber"] for receipt in receipts}
        assert len(numbers) <= 1
        assert {self.w3.eth.get_block(number)["timestamp"] for number in numbers} <= {timestamp}
        return receipts

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Mine nothing meanwhile unless asked to."""
        anvil = self.kind == "anvil"
        self.rpc("evm_setAutomine", False) if anvil else self.rpc("miner_stop")
        try:
            yield
        finally:
            self.rpc("evm_setAutomine", True) if anvil else self.rpc("miner_start")


@contextlib.contextmanager
def anvil(folder: Path, *, chain_id: int = 1337) -> Iterator[Node]:
    """An anvil of our own."""
    program = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
    port = free_port()
    command = [
        program,
        "--hardfork",
        "london",
        "--port",
        port,
        "--chain-id",
        chain_id,
        "--order",
        "fees",
    ]
    with _running("anvil", port, command, folder) as node:
        node.rpc("anvil_setBalance", FUNDER.address, hex(RICH_WEI))
        yield node


@contextlib.contextmanager
def ganache(folder: Path, *, chain_id: int = 1338) -> Iterator[Node]:
    """A ganache of our own."""
    program = ROOT / "node_modules/.bin/ganache"
    port = free_port()
    # The command would be ended by itself, and its Node.js be left running.
    command = [find_node(), program, "--chain.hardfork", "london", "--server.port", port, "--chain.chainId", chain_id]
    # Its interpreter is slow, and hostile contracts burn all that they get.
    command += ["--miner.callGasLimit", 2_000_000]
    command += ["--wallet.accounts", f"{FUNDER.key.to_0x_hex()},{hex(RICH_WEI)}", "--logging.quiet"]
    with _running("ganache", port, command, folder) as node:
        yield node


@contextlib.contextmanager
def geth(rich: Sequence[str]) -> Iterator[Node]:
    """A private geth network of our own: one sealer, one RPC node without keys, a block a second."""
    with tempfile.TemporaryDirectory(prefix="lc", dir="/tmp") as home:
        environment = {**os.environ, "LADING_HOME": home}
        new = ["new", "--sealers", "1", "--rpc-nodes", "1", "--rpc-port", "0", "--peer-port", "0", "--period", "1"]
        for address in {FUNDER.address, *rich}:
            new += ["--alloc", f"{address}=1000000"]
        program = [sys.executable, "-m", "geth_network"]
        subprocess.run([*program, *new], env=environment, check=True, capture_output=True, timeout=PATIENCE_S)
        ready = Path(home) / "chain" / "ready.json"
        with _process("geth", [*program, "up"], Path(home), environment) as alive:
            _await("geth network", lambda: alive() and ready.exists())
            url = json.loads(ready.read_text())["rpc"][0]
            yield Node("geth", connect(url, timeout=PATIENCE_S), url, FUNDER)


def free_port() -> int:
    """A port of loopback that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def _running(kind: str, port: int, command: Sequence[object], folder: Path) -> Iterator[Node]:
    """The node while it runs."""
    url = f"http://127.0.0.1:{port}"
    w3 = connect(url, timeout=PATIENCE_S)
    with _process(kind, command, folder, None) as alive:
        _await(kind, lambda: alive() and w3.is_connected())
        yield Node(kind, w3, url, FUNDER)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)), f"{kind} still answers after it was ended"


@contextlib.contextmanager
def _process(
    kind: str, command: Sequence[object], folder: Path, environment: dict[str, str] | None
) -> Iterator[Callable[[], bool]]:
    """A process that dies with its parent, whatever becomes of that; yields a check that it lives."""
    log = folder / f"{kind}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *map(str, command)],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def alive() -> bool:
        assert process.poll() is None, log.read_text()
        return True

    try:
        yield alive
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 2 * PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
