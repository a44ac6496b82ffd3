"""Making a portable proof: asks a node for headers, proofs, code and the way from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from contracts.answer import Answer, read_number
from contracts.batch import Rpc, ask
from contracts.deployment import Deployment
from contracts.epochs import Checkpoint, adopt, epochs_between
from contracts.headers import Header
from contracts.identity import identify
from contracts.portable import Portable, write_portable
from contracts.proof import collect_at, collect_headers
from contracts.proof_errors import AnswerError, Flaw, SealError
from contracts.seals import SealRules, check_row, longest_row, needed


def export_proof(
    call: Rpc,
    sale: str,
    deployments: Iterable[Deployment],
    rules: SealRules,
    *,
    block: int | None = None,
    start: int | None = None,
) -> str:
    """The text of a portable proof of the sale's state.

    Args:
        call: asks a node (`contracts.batch`); one that has the state of that block.
        sale: its address.
        deployments: whose sales count.
        rules: the chain's period and epoch.
        block: whose state; by default the newest one that is deep enough.
        start: the epoch block that whoever checks the proof knows, 0 for the genesis; by default the last one
            before `block`.

    Raises:
        ProofError: the node cannot give it, or the block is not deep enough yet.
    """
    head = read_number(ask(call, [("eth_blockNumber", [])])[0])
    newest = head if block is None else block
    first = newest // rules.epoch * rules.epoch if start is None else start
    checkpoint = collect_headers(call, first, first)[0]
    rows, last = _walk(call, Checkpoint.of(checkpoint), newest, rules)
    on_top = 2 * len(last.sealers)
    base = head - on_top if block is None else block
    if base + on_top > head:
        raise AnswerError(Flaw.MISSING_BLOCK, f"block {base} needs {on_top} blocks on top, it has {head - base}: wait")
    answer, _ = collect_at(call, sale, base, min(head, base + 2 * on_top))
    deployment = identify(answer.code, sale, deployments).deployment
    return write_portable(Portable(rules, deployment, checkpoint, rows, _shortest(answer, last, rules)))


def _shortest(answer: Answer, known: Checkpoint, rules: SealRules) -> Answer:
    """The answer with no more headers than make it deep: 2 N known seals on the base, the newest one known."""
    on_top = 2 * len(known.sealers)
    for length in range(on_top + 1, len(answer.headers) + 1):
        shorter = replace(answer, headers=answer.headers[:length])
        row = check_row(shorter.headers, known.sealers, rules)
        if row.depth >= on_top and row.head.sealer in row.known:
            return shorter
    return answer


def _walk(
    call: Rpc, checkpoint: Checkpoint, block: int, rules: SealRules
) -> tuple[tuple[tuple[Header, ...], ...], Checkpoint]:
    """The rows of headers that lead from the checkpoint to the sealers at this block."""
    rows = []
    for number in epochs_between(checkpoint, block, rules.epoch, needed(checkpoint.sealers, rules) - 1):
        row, checkpoint = _step(call, checkpoint, number, rules)
        rows.append(row)
    return tuple(rows), checkpoint


def _step(call: Rpc, checkpoint: Checkpoint, number: int, rules: SealRules) -> tuple[tuple[Header, ...], Checkpoint]:
    wanted, longest = needed(checkpoint.sealers, rules), longest_row(checkpoint.sealers)
    for length in (wanted, 2 * wanted):
        row = collect_headers(call, number, number + length - 1)
        try:
            return row, adopt(checkpoint, row, rules)
        except SealError:
            continue
    row = collect_headers(call, number, number + longest - 1)
    return row, adopt(checkpoint, row, rules)
