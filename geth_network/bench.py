"""`python -m geth_network.bench`: how fast the chain is, and what a node takes; a JSON object a line.

Ratios within one run count: the same load on all sealers, with one of three suspended, and on anvil;
a late join beside the import of the same blocks from a file.
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from geth_network.amounts import ETHER
from geth_network.bench_join import await_restart, chain_bytes, follow_join, make_long_chain, memory_of
from geth_network.bench_load import Latency, Throughput, latency, throughput
from geth_network.create import create_network
from geth_network.folder import Folder
from geth_network.network import MEMBER_NAMES, Kind, load_network
from geth_network.rpc import HttpNode, head_of
from geth_network.settings import Settings

ACCOUNTS = 20
CONFIRMATIONS = 3
MEMORY_TARGET_MB = 80


@contextmanager
def running(folder: Folder, *, wait: bool = True) -> Iterator[None]:
    """The network of a run folder while it runs."""
    log = folder.path.parent / "up.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "geth_network", "up"],
            env={**os.environ, "LADING_HOME": str(folder.path.parent)}, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        while wait and not folder.ready.exists():
            if process.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextmanager
def new_folder() -> Iterator[Folder]:
    """A run folder that goes away, with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="lb", dir="/tmp") as home:
        yield Folder(Path(home) / "chain")


@contextmanager
def new_chain(kind: Kind, accounts: Sequence[LocalAccount]) -> Iterator[tuple[Folder, HttpNode]]:
    """A network of its own, and its first RPC node."""
    with new_folder() as folder:
        alloc = {str(account.address): 1000 * ETHER for account in accounts}
        create_network(folder, Settings(rpc_port=0, peer_port=0), kind=kind, alloc_wei=alloc)
        with running(folder):
            yield folder, HttpNode(folder.read_ready()["rpc"][0], timeout_s=30)


def report(
    figure: str,
    value: float,
    unit: str,
    *,
    baseline: float | None = None,
    baseline_is: str | None = None,
    target: str = "",
    spread: str = "",
) -> None:
    """One line of JSON."""
    ratio = round(value / baseline, 3) if baseline else None
    print(json.dumps({
        "bench": "chain", "figure": figure, "value": value, "unit": unit, "baseline": baseline,
        "baseline_is": baseline_is, "ratio": ratio, "target": target, "spread": spread,
    }, ensure_ascii=False), flush=True)  # fmt: skip


def report_latency(sealers: str, found: Latency, period_s: int, before: Latency | None) -> None:
    """The middle and the ninety-ninth of a hundred, in periods."""
    for what, values, base in (
        ("sent to mined", found.mined_s, before and before.mined_s),
        (f"sent to {CONFIRMATIONS} blocks on top", found.confirmed_s, before and before.confirmed_s),
    ):
        for name, share in (("p50", 50), ("p99", 99)):
            spread = f"n = {len(values)}, worst {max(values) / period_s:.2f}"
            baseline = round(percentile(base, share) / period_s, 2) if base else None
            report(
                f"{what}, {name}, {sealers}", round(percentile(values, share) / period_s, 2), "periods",
                baseline=baseline, baseline_is="3 of 3" if base else None, spread=spread,
            )  # fmt: skip


def percentile(values: Sequence[float], share: int) -> float:
    """The value below which so many of a hundred are."""
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


def report_throughput(name: str, found: Throughput, base: Throughput | None, base_is: str | None) -> None:
    """Transfers a second, sending included."""
    spread = f"sent {found.sent_per_s:.0f}/s, {found.blocks} blocks, up to {found.largest_block} in one"
    report(
        f"transfers, {name}", round(found.per_s), "/s",
        baseline=round(base.per_s) if base else None, baseline_is=base_is, spread=spread,
    )  # fmt: skip


def measure_sealing(accounts: Sequence[LocalAccount], count: int, rounds: int, anvil: Throughput) -> None:
    """Three sealers, then two of them; what the transfers took on disk."""
    with new_chain(Kind.GETH, accounts) as (folder, node):
        period_s = load_network(folder.network).period_s
        slow = latency(node, accounts, rounds, CONFIRMATIONS)
        report_latency("3 of 3 sealers", slow, period_s, None)
        bytes_before, start = chain_bytes(folder, "rpc-1"), head_of(node).number
        fast = throughput(node, accounts, count)
        report_throughput("3 of 3 sealers", fast, anvil, "anvil")
        grown, blocks = chain_bytes(folder, "rpc-1") - bytes_before, head_of(node).number - start
        report("disk a transfer", round(grown / count), "bytes", spread=f"{count} in {blocks} blocks")
        report_memory("after the transfers", folder, [*MEMBER_NAMES, "rpc-1", "rpc-2"])
        suspended = json.loads(folder.state.read_text())["operator"]["pid"]
        os.kill(suspended, signal.SIGSTOP)  # a dead one would be started again
        try:
            report_latency("2 of 3 sealers", latency(node, accounts, rounds, CONFIRMATIONS), period_s, slow)
            report_throughput("2 of 3 sealers", throughput(node, accounts, count), fast, "3 of 3")
        finally:
            os.kill(suspended, signal.SIGCONT)


def report_memory(when: str, folder: Folder, names: Sequence[str], *more: str) -> None:
    """The largest of these nodes' memory."""
    found = memory_of(folder, names)
    spread = ", ".join([*(f"{name} {memory}" for name, memory in found.items()), *more])
    report(f"memory, {when}", max(found.values()), "MiB", target=f"≤ {MEMORY_TARGET_MB}", spread=spread)


def measure_join(blocks: int) -> None:
    """A node that joins a chain of so many blocks."""
    with new_folder() as folder:
        _, import_s = make_long_chain(folder, blocks)
        with running(folder, wait=False):
            join_s = follow_join(folder, "rpc-1", blocks)
            report(
                f"late join over {blocks:,} blocks", round(blocks / join_s), "blocks/s",
                baseline=round(blocks / import_s), baseline_is="geth import", spread=f"{join_s:.1f} s",
            )  # fmt: skip
            report_memory(f"on {blocks:,} blocks", folder, ["seller"])
            at_its_end = memory_of(folder, ["rpc-1"])["rpc-1"]
            await_restart(folder, "rpc-1")
            report_memory(f"joined over {blocks:,} blocks", folder, ["rpc-1"], f"{at_its_end} before its restart")
            report("disk a block without transactions", round(chain_bytes(folder, "rpc-1") / blocks), "bytes")


def main() -> None:
    """Runs all and prints as it goes."""
    parser = argparse.ArgumentParser("python -m geth_network.bench", description=__doc__)
    parser.add_argument("--transfers", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--blocks", type=int, default=10_000)
    arguments = parser.parse_args()
    accounts: list[LocalAccount] = [Account.create() for _ in range(ACCOUNTS)]
    with new_chain(Kind.ANVIL, accounts) as (_, node):
        anvil = throughput(node, accounts, arguments.transfers)
    report_throughput("anvil", anvil, None, None)
    measure_sealing(accounts, arguments.transfers, arguments.rounds, anvil)
    measure_join(arguments.blocks)


if __name__ == "__main__":
    main()
