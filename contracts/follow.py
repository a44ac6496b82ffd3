"""Following the sealers: asks for the epoch blocks since a checkpoint and walks them."""

from __future__ import annotations

from contracts.answer import header_requests, read_headers
from contracts.batch import Rpc, ask
from contracts.epochs import Checkpoint, adopt, epochs_between
from contracts.headers import Header
from contracts.proof import collect_headers
from contracts.proof_errors import CheckpointError, Flaw, SealError
from contracts.seals import SealRules, longest_row, needed

ROWS_AT_ONCE = 32


def check_chain(call: Rpc, checkpoint: Checkpoint) -> None:
    """The node's chain holds the checkpoint's block.

    Raises:
        CheckpointError: it holds another one there.
        AnswerError: it holds none.
    """
    if checkpoint.hash is None:
        return
    found = collect_headers(call, checkpoint.number, checkpoint.number)[0]
    if found.hash != checkpoint.hash:
        raise CheckpointError(
            Flaw.OTHER_CHAIN,
            f"block {checkpoint.number} of this node is not the checkpoint's: it is of another chain, or"
            " the configured checkpoint is",
        )


def follow(call: Rpc, checkpoint: Checkpoint, head: int, rules: SealRules) -> Checkpoint:
    """The newest checkpoint that the sealers of this one lead to.

    Raises:
        ProofError: an epoch block is missing, or too few known sealers vouch for it.
    """
    while True:
        wanted = needed(checkpoint.sealers, rules)
        numbers = epochs_between(checkpoint, head, rules.epoch, wanted - 1)[:ROWS_AT_ONCE]
        if not numbers:
            return checkpoint
        requests = [one for number in numbers for one in header_requests(number, number + wanted - 1)]
        results = ask(call, requests)
        for place, number in enumerate(numbers):
            row = read_headers(number, results[place * wanted : (place + 1) * wanted])
            step = _step(call, checkpoint, row, head, rules)
            if step is None:
                return checkpoint
            checkpoint = step


def _step(call: Rpc, checkpoint: Checkpoint, row: tuple[Header, ...], head: int, rules: SealRules) -> Checkpoint | None:
    """One epoch on; with a longer row where strangers' seals stand in it; None while too few blocks are on top."""
    first, longest = row[0].number, longest_row(checkpoint.sealers)
    try:
        return adopt(checkpoint, row, rules)
    except SealError as error:
        if error.flaw not in (Flaw.ROW_TOO_SHORT, Flaw.TOO_FEW_SEALERS):
            raise
    last = min(head, first + longest - 1)
    try:
        return adopt(checkpoint, collect_headers(call, first, last), rules)
    except SealError:
        if last < first + longest - 1:
            return None
        raise
