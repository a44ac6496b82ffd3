"""How fast a proof is beside the plain call: `python -m contracts.proof_bench`, one JSON line a figure.

Starts a network of three sealers and one of five, each with one sold item, and asks both ways in turn.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median, quantiles
from typing import Any

from eth_hash.auto import keccak
from web3 import Web3

from contracts.abi import abi
from contracts.answer import Answer, read_answer, requests
from contracts.batch import Request, Rpc, ask, write_batch
from contracts.epochs import Checkpoint
from contracts.headers import Header
from contracts.proof import Trust, collect, prove_state
from contracts.proof_bench_chain import Bench, network
from contracts.proof_bench_gateway import gateway
from contracts.proof_errors import Flaw
from contracts.rlp_codec import encode
from contracts.rpc import rpc_of
from contracts.seals import SealRules, check_row, majority_depth
from contracts.state_proof import prove

ROUNDS = 200
RULES = SealRules(period_s=1, epoch=1_000)
WEEK = 7 * 86_400 // RULES.epoch
RATIO_TARGETS = {3: 1.0, 5: 1.3}
WIRE_KB = 12.0
CPU_MS = 3.0
WALK_S = 2.0


def main() -> int:
    """Print the figures."""
    for sealers in (3, 5):
        with network(sealers) as bench:
            _measure(bench)
            if sealers == 3:
                with gateway(bench.folder, bench.node) as through:
                    _measure_through(bench, through)
    _measure_growth()
    return 0


def _measure(bench: Bench) -> None:
    call = rpc_of(bench.w3)
    known = Checkpoint.configured(bench.sealers, int(time.time()))
    trust = Trust((bench.deployment,), RULES)
    count = len(known.sealers)
    depths = {"k": majority_depth(known.sealers), "N": count}

    def prove_at(depth: int) -> Answer:
        answer = collect(call, bench.sale.address, depth)[0]
        prove_state(trust, known, answer, depth)
        return answer

    plain_sale = bench.w3.eth.contract(address=bench.sale.address, abi=abi("Sale"))
    acts: list[Callable[[], object]] = [plain_sale.functions.verifyOwnership(bench.buyer).call]
    acts += [partial(prove_at, depth) for depth in depths.values()]
    plain, *proven = _paired_ms(acts)
    for (name, depth), times in zip(depths.items(), proven, strict=True):
        title = f"N = {count}, depth {name} = {depth}"
        _compare(f"proven, {title}, p50", times, plain, RATIO_TARGETS[count] if name == "k" else None)
        _print(f"on the wire, {title}", _wire_kb(call, bench, depth), "KB", WIRE_KB if name == "k" else None)
        read = partial(_read, trust, known, bench, _results(call, bench, depth), depth)
        _print(f"CPU of reading and checking an answer, {title}", _cpu_ms(read), "ms", CPU_MS)
        _print(f"CPU with web3.py, HTTP and JSON, {title}", _cpu_ms(partial(prove_at, depth)), "ms")
    _measure_walk(prove_at(depths["k"]).headers, known)


def _measure_through(bench: Bench, through: Web3) -> None:
    """The same through the gateway, over TLS, beside the plain call through it."""
    trust = Trust((bench.deployment,), RULES)
    known = Checkpoint.configured(bench.sealers, int(time.time()))
    call, depths = rpc_of(through), {"k": majority_depth(known.sealers), "N": len(known.sealers)}

    def prove_at(depth: int) -> None:
        prove_state(trust, known, collect(call, bench.sale.address, depth)[0], depth)

    plain_sale = through.eth.contract(address=bench.sale.address, abi=abi("Sale"))
    plain, *proven = _paired_ms(
        [
            plain_sale.functions.verifyOwnership(bench.buyer).call,
            *(partial(prove_at, depth) for depth in depths.values()),
        ]
    )
    for (name, depth), times in zip(depths.items(), proven, strict=True):
        _compare(f"through the gateway, N = {len(known.sealers)}, depth {name} = {depth}, p50", times, plain, None)


def _results(call: Rpc, bench: Bench, depth: int) -> tuple[int, list[object]]:
    head = bench.w3.eth.block_number
    return head - depth, list(ask(call, requests(bench.sale.address, head - depth, head)))


def _read(trust: Trust, known: Checkpoint, bench: Bench, given: tuple[int, list[object]], depth: int) -> None:
    prove_state(trust, known, read_answer(bench.sale.address, *given), depth)


def _measure_walk(headers: Sequence[Header], known: Checkpoint) -> None:
    """The CPU of as many rows of headers as a week has epoch blocks."""

    def walk() -> None:
        for _ in range(WEEK):
            check_row([Header(header.items) for header in headers], known.sealers, RULES, resting=False)

    name = f"epoch walk of a week, N = {len(known.sealers)}, {WEEK} epochs, CPU"
    _print(name, _cpu_ms(walk, 3) / 1_000, "s", WALK_S)


def _measure_growth() -> None:
    """The account proof in a state of few contracts, and in one of 100,000: two and five levels of full branches."""
    key = bytes(20)
    costs = []
    for levels in (2, 5):
        root, nodes = _full_trie(bytes(keccak(key)), levels)
        costs.append(_cpu_ms(partial(prove, root, key, nodes, Flaw.ACCOUNT_UNPROVEN)))
    _print("CPU more a verification with 100,000 sales on the chain", costs[1] - costs[0], "ms")


def _full_trie(hashed: bytes, levels: int) -> tuple[bytes, list[bytes]]:
    """Root and nodes of a way through so many full branches to a value."""
    digits = hashed.hex()
    rest = digits[levels:]
    odd = len(rest) % 2
    path = bytes.fromhex(f"3{rest}" if odd else f"20{rest}")
    nodes = [encode([path, b"\x01" * 70])]
    for level in reversed(range(levels)):
        children = [bytes(keccak(bytes([level, place]))) for place in range(16)]
        children[int(digits[level], 16)] = bytes(keccak(nodes[0]))
        nodes.insert(0, encode([*children, b""]))
    return bytes(keccak(nodes[0])), nodes


def _wire_kb(call: Rpc, bench: Bench, depth: int) -> float:
    """The bodies that one verification sends and receives."""
    size = 0

    def counting(batch: Sequence[Request]) -> Sequence[object]:
        nonlocal size
        results = call(batch)
        frame = len('{"jsonrpc":"2.0","id":10,"result":},') * len(results)
        size += len(write_batch(batch)) + len(json.dumps(list(results), separators=(",", ":"))) + frame
        return results

    collect(counting, bench.sale.address, depth)
    return size / 1_000


def _cpu_ms(act: Callable[[], object], rounds: int = ROUNDS) -> float:
    act()
    began = time.process_time()
    for _ in range(rounds):
        act()
    return (time.process_time() - began) / rounds * 1_000


def _paired_ms(acts: Sequence[Callable[[], object]]) -> list[list[float]]:
    """The times of acts that take turns, so that all meet the same load."""
    times: list[list[float]] = [[] for _ in acts]
    for _ in range(ROUNDS):
        for act, found in zip(acts, times, strict=True):
            began = time.perf_counter()
            act()
            found.append((time.perf_counter() - began) * 1_000)
    return times


def _compare(figure: str, times: list[float], plain: list[float], target: float | None) -> None:
    value, baseline = median(times), median(plain)
    deciles = quantiles(times, n=10)
    _emit(
        figure=figure,
        value=round(value, 2),
        unit="ms",
        spread=f"{deciles[0]:.1f} to {deciles[-1]:.1f}",
        baseline=round(baseline, 2),
        baseline_is="ms, plain verifyOwnership by web3.py",
        ratio=round(value / baseline, 2),
        **({"target": f"≤ {target} of plain"} if target else {}),
    )


def _print(figure: str, value: float, unit: str, target: float | None = None) -> None:
    _emit(figure=figure, value=round(value, 3), unit=unit, **({"target": f"≤ {target} {unit}"} if target else {}))


def _emit(**figure: Any) -> None:
    print(json.dumps({"bench": "proof", **figure}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
