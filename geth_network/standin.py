"""anvil or ganache in place of geth: one process, for development and fast tests.

Same command, same files, same treasury.
What it cannot show: several nodes, Clique, faults, a chain that outlives `down`.
"""

import json
import os
import threading
import time
from dataclasses import replace
from typing import Any

from geth_network.child import Child, log_tail
from geth_network.errors import NodeError
from geth_network.folder import Folder, write_atomically
from geth_network.network import Kind, Network
from geth_network.programs import find_node, find_program
from geth_network.ready import ready_document
from geth_network.rpc import Ask, HttpNode, head_or_none
from geth_network.settings import Settings
from geth_network.supervisor import Say

SET_BALANCE = {Kind.ANVIL: "anvil_setBalance", Kind.GANACHE: "evm_setAccountBalance"}


def standin_command(network: Network, settings: Settings) -> list[str]:
    """Anvil with no accounts of its own, or ganache with locked ones that hold nothing."""
    port, period = str(network.nodes[0].rpc_port), str(network.period_s)
    chain_id, gas = str(network.chain_id), str(network.gas_limit)
    if network.kind is Kind.ANVIL:
        return [
            str(find_program("anvil", settings.anvil)), "--host", "127.0.0.1", "--port", port, "--chain-id", chain_id,
            "--block-time", period, "--gas-limit", gas, "--hardfork", "london", "--accounts", "0",
        ]  # fmt: skip
    return [
        str(find_node()), str(find_program("ganache", settings.ganache)),
        "--server.host", "127.0.0.1", "--server.port", port, "--chain.chainId", chain_id,
        "--chain.networkId", chain_id, "--chain.hardfork", "london", "--miner.blockTime", period,
        "--miner.blockGasLimit", gas, "--wallet.totalAccounts", "1", "--wallet.defaultBalance", "0", "--wallet.lock",
    ]  # fmt: skip


def run_standin(folder: Folder, network: Network, settings: Settings, say: Say, stopping: threading.Event) -> None:
    """Runs the stand-in until `stopping` is set."""
    name = network.nodes[0].name
    url = f"http://127.0.0.1:{network.nodes[0].rpc_port}"
    child = Child(name, standin_command(network, settings), folder.log(name))
    try:
        await_answer(HttpNode(url), child, settings.start_timeout_s, stopping)
        if not stopping.is_set():
            genesis_hash = endow(folder, network, HttpNode(url))
            note(folder, name, child.pid, url)
            document = ready_document(replace(network, genesis_hash=genesis_hash), [], os.getpid())
            write_atomically(folder.ready, json.dumps(document, indent=2) + "\n")
            say(f"{network.kind} stands in for geth: one node, nothing is kept after `down`. JSON-RPC: {url}")
        while not stopping.wait(0.25):
            if child.exit_status() is not None:
                raise NodeError(f"{network.kind} ended; {child.log} ends:\n{log_tail(child.log)}")
    finally:
        child.interrupt()
        child.wait(settings.stop_timeout_s)
        folder.state.unlink(missing_ok=True)


def await_answer(ask: Ask, child: Child, timeout_s: float, stopping: threading.Event) -> None:
    """Waits for the first answer."""
    deadline = time.monotonic() + timeout_s
    while head_or_none(ask) is None and not stopping.wait(0.1):
        if child.exit_status() is not None or time.monotonic() > deadline:
            raise NodeError(f"{child.name} did not start; {child.log} ends:\n{log_tail(child.log)}")


def endow(folder: Folder, network: Network, ask: Ask) -> str:
    """Gives the genesis' accounts their ether; returns the hash of block 0."""
    alloc: dict[str, Any] = json.loads(folder.genesis.read_text())["alloc"]
    for address, entry in alloc.items():
        ask(SET_BALANCE[network.kind], address, entry["balance"])
    return str(ask("eth_getBlockByNumber", "0x0", False)["hash"])


def note(folder: Folder, name: str, pid: int, url: str) -> None:
    """Writes state.json for `status`."""
    write_atomically(folder.state, json.dumps({name: {"pid": pid, "restarts": 0, "alarm": None, "url": url}}))
