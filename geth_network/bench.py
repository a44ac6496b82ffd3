"""`python -m geth_network.bench`: how fast the chain is, a JSON object a line.

Ratios within one run count: the same load on all sealers, with one of three dead, and on anvil.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from geth_network.amounts import ETHER
from geth_network.create import create_network
from geth_network.folder import Folder
from geth_network.network import Kind, Role, load_network
from geth_network.rpc import Ask, HttpNode, head_of
from geth_network.settings import Settings
from geth_network.status import memory_mb

ACCOUNTS = 20


@contextmanager
def running(kind: Kind, accounts: list[LocalAccount]) -> Iterator[Folder]:
    """A network of its own in a temporary run folder."""
    with tempfile.TemporaryDirectory(prefix="lb", dir="/tmp") as home:
        folder = Folder(Path(home) / "chain")
        alloc = {str(account.address): 1000 * ETHER for account in accounts}
        create_network(folder, Settings(rpc_port=0, peer_port=0), kind=kind, alloc_wei=alloc)
        with (Path(home) / "up.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "geth_network", "up"],
                env={**os.environ, "LADING_HOME": home}, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            while not folder.ready.exists():
                if process.poll() is not None:
                    raise SystemExit((Path(home) / "up.log").read_text())
                time.sleep(0.1)
            yield folder
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def signed_transfers(accounts: list[LocalAccount], ask: Ask, count: int) -> list[str]:
    """`count` transfers of one wei, the same number from each account, signed ahead."""
    chain_id = int(ask("eth_chainId"), 16)
    first = {
        account.address: int(ask("eth_getTransactionCount", account.address, "latest"), 16) for account in accounts
    }
    raw = []
    for index in range(count):
        account = accounts[index % len(accounts)]
        details: dict[str, Any] = {
            "chainId": chain_id, "nonce": first[account.address] + index // len(accounts), "gas": 21_000,
            "to": "0x" + "56" * 20, "value": 1, "gasPrice": 10**10,
        }  # fmt: skip
        raw.append("0x" + bytes(account.sign_transaction(details).raw_transaction).hex())
    return raw


def throughput(ask: Ask, accounts: list[LocalAccount], count: int) -> dict[str, Any]:
    """Sends prepared transfers and waits until the last one of each account is mined."""
    raw = signed_transfers(accounts, ask, count)
    start, started = head_of(ask).number, time.monotonic()
    sent = [ask("eth_sendRawTransaction", transaction) for transaction in raw]
    sent_s = time.monotonic() - started
    for transaction in sent[-len(accounts) :]:
        while ask("eth_getTransactionReceipt", transaction) is None:
            time.sleep(0.02)
    took = time.monotonic() - started
    sizes = [
        int(ask("eth_getBlockTransactionCountByNumber", hex(n)), 16) for n in range(start + 1, head_of(ask).number + 1)
    ]
    return {
        "transfers": count,
        "per_s": round(count / took),
        "sent_per_s": round(count / sent_s),
        "largest_block": max(sizes),
    }


def latency(ask: Ask, account: LocalAccount, rounds: int, confirmations: int) -> dict[str, Any]:
    """Seconds from sending to mined, and to so many blocks on top."""
    mined, confirmed = [], []
    for _ in range(rounds):
        (raw,) = signed_transfers([account], ask, 1)
        started = time.monotonic()
        sent = ask("eth_sendRawTransaction", raw)
        while (receipt := ask("eth_getTransactionReceipt", sent)) is None:
            time.sleep(0.01)
        mined.append(time.monotonic() - started)
        while head_of(ask).number < int(receipt["blockNumber"], 16) + confirmations:
            time.sleep(0.01)
        confirmed.append(time.monotonic() - started)
    return {"rounds": rounds, "mined_s": quantiles(mined), f"confirmed_{confirmations}_s": quantiles(confirmed)}


def quantiles(values: list[float]) -> dict[str, float]:
    """p50 and the worst, which stands for p99 in so few rounds."""
    return {"p50": round(statistics.median(values), 2), "worst": round(max(values), 2)}


def report(what: str, **facts: Any) -> None:
    """One line of JSON."""
    print(json.dumps({"bench": "chain", "what": what, **facts}), flush=True)


def disk_bytes(folder: Folder, node: str) -> int:
    """How much a node's chain takes on disk."""
    return sum(path.stat().st_size for path in (folder.data(node) / "geth" / "chaindata").rglob("*") if path.is_file())


def measure_geth(accounts: list[LocalAccount], count: int, rounds: int) -> None:
    """Three sealers, then two of them."""
    with running(Kind.GETH, accounts) as folder:
        ask = HttpNode(folder.read_ready()["rpc"][0], timeout_s=30)
        before, blocks = disk_bytes(folder, "rpc-1"), head_of(ask).number
        report("latency, 3 of 3 sealers", **latency(ask, accounts[0], rounds, confirmations=3))
        report("transfers, 3 of 3 sealers", **throughput(ask, accounts, count))
        grown, passed = disk_bytes(folder, "rpc-1") - before, head_of(ask).number - blocks
        report("disk of an RPC node", bytes_a_block=round(grown / passed), blocks=passed, transfers=count + rounds)
        state = json.loads(folder.state.read_text())
        nodes = [node for node in load_network(folder.network).nodes if node.role is not Role.BOOTNODE]
        report("memory, MB", **{node.name: memory_mb(state[node.name]["pid"]) for node in nodes})
        os.kill(state["operator"]["pid"], signal.SIGSTOP)  # suspended: the watchdog does not start it again
        try:
            report("latency, 2 of 3 sealers", **latency(ask, accounts[0], rounds, confirmations=3))
            report("transfers, 2 of 3 sealers", **throughput(ask, accounts, count))
        finally:
            os.kill(state["operator"]["pid"], signal.SIGCONT)


def measure_anvil(accounts: list[LocalAccount], count: int) -> None:
    """The stand-in, with the same period."""
    with running(Kind.ANVIL, accounts) as folder:
        ask = HttpNode(folder.read_ready()["rpc"][0], timeout_s=30)
        report("transfers, anvil", **throughput(ask, accounts, count))


def main() -> None:
    """Runs all and prints as it goes."""
    parser = argparse.ArgumentParser("python -m geth_network.bench", description=__doc__)
    parser.add_argument("--transfers", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    accounts: list[LocalAccount] = [Account.create() for _ in range(ACCOUNTS)]
    measure_geth(accounts, arguments.transfers, arguments.rounds)
    measure_anvil(accounts, arguments.transfers)


if __name__ == "__main__":
    main()
