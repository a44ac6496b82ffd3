"""What a node's answer proves about a sale: one function from what is known and what was answered to the finding.

Nothing that a node says is believed. Headers must link and carry the seals of enough known sealers, the head must
be fresh, tries must lead from the sealed state root to the account, its code and its slot, and the code with its
address must be that of a sale of a known factory. Pure but for `collect`, which asks through the caller's function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from contracts.answer import Answer, header_requests, read_answer, read_headers, read_number, requests
from contracts.batch import Request, Rpc, ask
from contracts.clock import Freshness, Seen, check_clock, check_progress
from contracts.deployment import Deployment
from contracts.epochs import Checkpoint, check_age, epochs_between
from contracts.headers import Header
from contracts.identity import Identity, identify
from contracts.proof_errors import AnswerError, CheckpointError, Flaw, IdentityError, SealError, StateError
from contracts.sale_state import SaleState
from contracts.seals import Row, SealRules, check_head, check_row, longest_row, needed, vouched_time
from contracts.slot import decode_slot
from contracts.state_proof import Account, check_code, prove_account, prove_slot
from contracts.terms import Terms

MAX_CHECKPOINT_AGE_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Trust:
    """What the device believes, from its own configuration."""

    deployments: tuple[Deployment, ...]
    rules: SealRules
    freshness: Freshness = field(default_factory=Freshness)
    max_checkpoint_age_s: int = MAX_CHECKPOINT_AGE_S


@dataclass(frozen=True, slots=True)
class ProvenSale:
    """What is proven: the sale's state and terms after the row's first block."""

    sale: ChecksumAddress
    identity: Identity
    state: SaleState
    row: Row

    @property
    def terms(self) -> Terms:
        """What was agreed."""
        return self.identity.terms

    @property
    def block(self) -> int:
        """The block whose state it is."""
        return self.row.base.number


def prove_state(trust: Trust, checkpoint: Checkpoint, answer: Answer, depth: int) -> ProvenSale:
    """What the answer proves at this depth or deeper, by the sealers of the checkpoint; whenever that was.

    Raises:
        ProofError: its subclass and flaw say which rule is broken.
    """
    row = check_row(answer.headers, checkpoint.sealers, trust.rules)
    check_head(row)
    if row.depth < depth:
        raise SealError(Flaw.ROW_TOO_SHORT, f"only {row.depth} known seals lie on top instead of {depth}")
    check_place(checkpoint, row.headers, trust.rules)
    account = _account(row.base, answer)
    word = prove_slot(account.storage_root, 0, answer.slot_nodes)
    if answer.claims is not None and (answer.claims.account, answer.claims.word) != (account, word):
        raise StateError(Flaw.ACCOUNT_DIFFERS, "the node says something else than its own proof")
    sale = to_checksum_address(answer.sale)
    return ProvenSale(sale, identify(answer.code, sale, trust.deployments), decode_slot(word), row)


def prove_fresh(
    trust: Trust, checkpoint: Checkpoint, answer: Answer, depth: int, *, now: int, seen: Seen | None = None
) -> ProvenSale:
    """What the answer proves about the present: `prove_state`, and the head fits clock, checkpoint and memory.

    Raises:
        ProofError: its subclass and flaw say which rule is broken.
    """
    found = prove_state(trust, checkpoint, answer, depth)
    row = found.row
    check_progress(row.head, checkpoint, seen, now, trust.freshness)
    check_clock(row.head, vouched_time(row, needed(checkpoint.sealers, trust.rules)), now, trust.freshness)
    check_age(checkpoint, now, trust.max_checkpoint_age_s)
    return found


def check_place(checkpoint: Checkpoint, headers: Sequence[Header], rules: SealRules) -> None:
    """The row is of the checkpoint's chain and epoch, or close after it.

    Raises:
        CheckpointError: it is before the checkpoint, of another chain, or an epoch block was passed over.
    """
    head = headers[-1].number
    if head < checkpoint.number:
        raise CheckpointError(Flaw.CHECKPOINT_AHEAD, f"block {head} is before the checkpoint {checkpoint.number}")
    for header in headers:
        if header.number == checkpoint.number and checkpoint.hash not in (None, header.hash):
            raise CheckpointError(Flaw.OTHER_CHAIN, f"block {header.number} is not the checkpoint's: another chain")
    if epochs_between(checkpoint, head, rules.epoch, longest_row(checkpoint.sealers)):
        raise CheckpointError(
            Flaw.CHECKPOINT_BEHIND, f"epoch blocks between {checkpoint.number} and {head} were not followed"
        )


def collect(call: Rpc, sale: str, depth: int, extra: Sequence[Request] = ()) -> tuple[Answer, list[object]]:
    """Ask for the head, then in one batch for all that proves the sale's state `depth` blocks below it.

    `extra` requests go along, with `{at}` in their parameters replaced by that block; their results come back as
    they are.

    Raises:
        AnswerError: something is missing or malformed.
    """
    head = read_number(ask(call, [("eth_blockNumber", [])])[0])
    return collect_at(call, sale, head - depth, head, extra)


def collect_at(
    call: Rpc, sale: str, base: int, head: int, extra: Sequence[Request] = ()
) -> tuple[Answer, list[object]]:
    """Ask for all that proves the sale's state after block `base` with the headers up to `head`."""
    if base < 1:
        raise AnswerError(Flaw.MISSING_BLOCK, f"the chain has only {head} blocks: wait")
    at = hex(base)
    beside = [(method, [at if part == "{at}" else part for part in params]) for method, params in extra]
    wanted = requests(sale, base, head)
    results = ask(call, [*beside, *wanted])
    return read_answer(sale, base, results[len(beside) :]), results[: len(beside)]


def collect_headers(call: Rpc, first: int, last: int) -> tuple[Header, ...]:
    """Ask for the headers of these blocks."""
    return read_headers(first, ask(call, header_requests(first, last)))


def _account(base: Header, answer: Answer) -> Account:
    account = prove_account(base.state_root, answer.sale, answer.account_nodes)
    if account is None:
        sale = to_checksum_address(answer.sale)
        raise IdentityError(Flaw.NO_CONTRACT, f"nothing is at {sale} after block {base.number}")
    check_code(account, answer.code)
    return account
