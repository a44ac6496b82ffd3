"""How fast a proof is beside the plain call: `python -m contracts.proof_bench`, one JSON line a figure.

Each line: `name`, `value`, `unit`, and `target` where there is one. Without `--rpc` it measures the pure part alone,
on answers that it is given by a file of the recorded form (`--wire`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from contracts.answer import read_answer
from contracts.batch import Rpc, write_batch
from contracts.chain import connect
from contracts.deployment import Deployment, load_deployments
from contracts.epochs import Checkpoint
from contracts.follow import follow
from contracts.headers import Header
from contracts.proof import Trust, collect, collect_headers, prove_fresh, prove_state
from contracts.rpc import rpc_of
from contracts.sale import Sale
from contracts.seals import SealRules, majority_depth


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m contracts.proof_bench", description=__doc__)
    parser.add_argument("--rpc", metavar="URL", help="a node of a running chain")
    parser.add_argument("--sale", metavar="ADDRESS", help="a sale there")
    parser.add_argument("--deployments", type=Path, metavar="FILE")
    parser.add_argument("--sealers", nargs="+", metavar="ADDRESS", default=[])
    parser.add_argument("--period", type=int, default=1)
    parser.add_argument("--epoch", type=int, default=1_000)
    parser.add_argument("--wire", type=Path, metavar="FILE", help="a recorded answer")
    parser.add_argument("--rounds", type=int, default=100)
    arguments = parser.parse_args(argv)
    if arguments.wire:
        _bench_pure(json.loads(arguments.wire.read_text()), arguments.rounds)
    if arguments.rpc:
        _bench_node(arguments)
    return 0


def _bench_pure(record: dict[str, Any], rounds: int) -> None:
    """CPU time of reading and judging a recorded answer, at the depth that it was recorded at and at depth k."""
    known = Checkpoint.of(Header.from_rlp(bytes.fromhex(record["checkpoint"][2:])))
    trust = Trust((Deployment(**record["deployment"]),), SealRules(record["period_s"], record["epoch"]))
    results = record["results"]
    now = int(results[-1]["timestamp"], 16)
    for depth in (majority_depth(known.sealers), record["head"] - record["base"]):
        part = results[: 2 + depth + 1]

        def verify(part: list[Any] = part, depth: int = depth) -> None:
            answer = read_answer(record["sale"], record["base"], part)
            prove_fresh(trust, known, answer, depth, now=now)

        _print(f"cpu a verification, N = {len(known.sealers)}, depth {depth}", _cpu_ms(verify, rounds), "ms", 3.0)
    rows = rounds * 3

    def step() -> None:
        Header.from_json(results[2]).sealer  # noqa: B018

    _print("cpu a header", _cpu_ms(step, rows), "ms")


def _bench_node(arguments: argparse.Namespace) -> None:
    w3 = connect(arguments.rpc)
    call = rpc_of(w3)
    deployments = load_deployments(arguments.deployments)
    rules = SealRules(arguments.period, arguments.epoch)
    told = Checkpoint.configured(arguments.sealers, int(time.time()))
    checkpoint = follow(call, told, w3.eth.block_number, rules)
    trust = Trust(deployments, rules)
    sale = Sale.at(w3, arguments.sale)
    buyer = sale.get_item().buyer

    def prove(depth: int) -> None:
        prove_state(trust, checkpoint, collect(call, sale.address, depth)[0], depth)

    count = len(checkpoint.sealers)
    depths = (majority_depth(checkpoint.sealers), count)
    plain, *proven = _paired_ms(
        [lambda: sale.verify_ownership(buyer), *(lambda depth=depth: prove(depth) for depth in depths)],
        arguments.rounds,
    )
    _print("plain verifyOwnership, p50", plain, "ms")
    for depth, value in zip(depths, proven, strict=True):
        _print(f"proven, N = {count}, depth {depth}, p50", value, "ms")
        target = {3: 1.0, 5: 1.3}.get(count) if depth == depths[0] else None
        _print(f"proven / plain, N = {count}, depth {depth}", value / plain, "times", target)
        _print(f"on the wire, N = {count}, depth {depth}", _wire_kb(call, sale.address, depth), "KB", 12.0)
    _bench_walk(call, checkpoint, rules)


def _bench_walk(call: Rpc, checkpoint: Checkpoint, rules: SealRules) -> None:
    """A week of blocks, from one row of headers that is verified as often as a week has epoch blocks."""
    wanted = majority_depth(checkpoint.sealers) + 1
    answers = collect_headers(call, max(1, checkpoint.number), max(1, checkpoint.number) + wanted - 1)
    items = [header.items for header in answers]
    week = 7 * 86_400 // rules.period_s // 1_000

    def walk() -> None:
        from contracts.seals import check_row

        for _ in range(week):
            check_row([Header(one) for one in items], checkpoint.sealers, rules, resting=False)

    _print(f"epoch walk of a week ({week} epochs), cpu", _cpu_ms(walk, 1) / 1_000, "s", 2.0)


def _wire_kb(call: Rpc, sale: str, depth: int) -> float:
    """What one verification puts on the wire, both ways, bodies only."""
    sent = 0

    def counting(batch: Sequence[tuple[str, list[Any]]]) -> Sequence[object]:
        nonlocal sent
        results = call(batch)
        sent += len(write_batch(batch)) + len(json.dumps(list(results), separators=(",", ":")))
        return results

    collect(counting, sale, depth)
    return sent / 1_000


def _cpu_ms(act: Callable[[], None], rounds: int) -> float:
    act()
    began = time.process_time()
    for _ in range(rounds):
        act()
    return (time.process_time() - began) / rounds * 1_000


def _paired_ms(acts: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """The medians of acts that take turns, so that all meet the same load."""
    times: list[list[float]] = [[] for _ in acts]
    for _ in range(rounds):
        for act, found in zip(acts, times, strict=True):
            began = time.perf_counter()
            act()
            found.append((time.perf_counter() - began) * 1_000)
    return [median(found) for found in times]


def _print(name: str, value: float, unit: str, target: float | None = None) -> None:
    line: dict[str, Any] = {"bench": "proof", "name": name, "value": round(value, 3), "unit": unit}
    if target is not None:
        line["target"] = target
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
