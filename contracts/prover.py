"""Asking nodes until something is proven, and remembering what was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from contracts.alarms import Alarm, compare_calls, forks, off_turn, published_calls
from contracts.answer import Answer, read_number
from contracts.batch import Rpc, ask
from contracts.clock import Freshness, Seen
from contracts.deployment import Deployment
from contracts.epochs import Checkpoint, check_age, epochs_between
from contracts.follow import check_chain, follow
from contracts.headers import Header
from contracts.memory import Memory, read_memory
from contracts.proof import MAX_CHECKPOINT_AGE_S, ProvenSale, Trust, collect_at, prove_fresh
from contracts.proof_errors import Flaw, ProofError
from contracts.seals import Row, SealRules, longest_row

REMEMBERED: Final = 256
EPOCH: Final = 1_000

# What a moment, another node behind the same gateway, or a longer row may mend.
_PASSING: Final = frozenset(
    {Flaw.MISSING_BLOCK, Flaw.NOT_LINKED, Flaw.HEAD_WENT_BACK, Flaw.OTHER_BLOCK, Flaw.STRANGER_HEAD}
)
_GROWING: Final = frozenset({Flaw.ROW_TOO_SHORT, Flaw.TOO_FEW_SEALERS})


def nobody(_: object) -> None:
    """Nobody wants to know."""


def configured(
    call: Rpc,
    deployments: Iterable[Deployment],
    sealers: Iterable[str],
    *,
    since: int,
    rules: SealRules | None = None,
    freshness: Freshness | None = None,
    max_checkpoint_age_s: int = MAX_CHECKPOINT_AGE_S,
    memory: str | None = None,
    **options: Any,
) -> Prover:
    """The prover of a device that was told nothing but the sealers, at the time `since`.

    Args:
        call: see `Prover`.
        deployments: whose sales count.
        sealers: their addresses.
        since: when the sealers were configured, Unix seconds.
        rules: the chain's period and epoch; 1 s and 1,000 blocks by default.
        freshness: how far the head may be from the clock.
        max_checkpoint_age_s: how long known sealers are believed without news of them.
        memory: what `memory.write_memory` made of the last memory, if there is one.
        options: further ones of `Prover`.
    """
    known = read_memory(memory) if memory else Memory(Checkpoint.configured(sealers, since))
    trust = Trust(tuple(deployments), rules or SealRules(1, EPOCH), freshness or Freshness(), max_checkpoint_age_s)
    return Prover(call, trust, known, **options)


class Prover:
    """Asks through `call` and believes only what the sealers signed.

    Args:
        call: posts a batch of JSON-RPC requests and returns their results in order (`contracts.batch`); raises
            OSError or LadingError where there is no answer.
        trust: deployments, rules and limits, from the device's own configuration.
        memory: what was verified before; at first the configured checkpoint.
        remember: is given the memory whenever it has changed, to keep it in a journal.
        report: is given what an operator should know.
        clock: Unix seconds.
        pause: waits so many seconds before nodes are asked again.
        tries: how often nodes that hang back are asked.
    """

    def __init__(
        self,
        call: Rpc,
        trust: Trust,
        memory: Memory,
        *,
        remember: Callable[[Memory], object] = nobody,
        report: Callable[[Alarm], object] = nobody,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], object] = time.sleep,
        tries: int = 5,
    ) -> None:
        self.call = call
        self.trust = trust
        self.memory = memory
        self._remember = remember
        self._report = report
        self._clock = clock
        self._pause = pause
        self._tries = tries
        self._recent: dict[int, Header] = {}
        self._chain_checked = False

    def now(self) -> int:
        """The device's time."""
        return int(self._clock())

    def prove(self, sale: str, depth: int, buyer: str | None = None) -> tuple[ProvenSale, Answer]:
        """What is proven of the sale's state `depth` blocks below the head or deeper, and by which answer.

        Raises:
            ProofError: nothing is.
            LadingError, OSError: the nodes cannot be asked.
        """
        for _ in range(self._tries - 1):
            try:
                return self._prove(to_checksum_address(sale), depth, buyer)
            except ProofError as error:
                if error.flaw not in _PASSING:
                    raise
            self._pause(self.trust.rules.period_s / 4)
        return self._prove(to_checksum_address(sale), depth, buyer)

    def follow(self, head: int) -> None:
        """Follow the sealers up to this head, once the chain has shown to be the checkpoint's.

        Raises:
            ProofError: it is another chain, or the known sealers lead nowhere.
        """
        before = self.memory.checkpoint
        if not self._chain_checked:
            check_chain(self.call, before)
            self._chain_checked = True
        if epochs_between(before, head, self.trust.rules.epoch):
            # Walking makes a checkpoint younger: one that is too old must not be walked on from.
            check_age(before, self.now(), self.trust.max_checkpoint_age_s)
        after = follow(self.call, before, head, self.trust.rules)
        if after is not before:
            self._keep(Memory(after, self.memory.head))

    def _prove(self, sale: ChecksumAddress, depth: int, buyer: str | None) -> tuple[ProvenSale, Answer]:
        head = read_number(ask(self.call, [("eth_blockNumber", [])])[0])
        self.follow(head)
        for length in self._lengths(depth, head)[:-1]:
            try:
                return self._judge(sale, depth, head - length, head, buyer)
            except ProofError as error:
                if error.flaw not in _GROWING:
                    raise
        return self._judge(sale, depth, head - self._lengths(depth, head)[-1], head, buyer)

    def _lengths(self, depth: int, head: int) -> list[int]:
        """The depths to try: the wanted one, then longer rows, as far as the chain and the rule of 4 N go."""
        count = len(self.memory.checkpoint.sealers)
        longer = (2 * count, longest_row(self.memory.checkpoint.sealers) - 1)
        return [depth, *(length for length in longer if depth < length < head)]

    def _judge(
        self, sale: ChecksumAddress, depth: int, base: int, head: int, buyer: str | None
    ) -> tuple[ProvenSale, Answer]:
        ours = self.trust.deployments
        answer, said = collect_at(self.call, sale, base, head, published_calls(sale, buyer, ours))
        try:
            found = prove_fresh(
                self.trust, self.memory.checkpoint, answer, depth, now=self.now(), seen=self.memory.head
            )
        except ProofError as error:
            self._tell(compare_calls(error, buyer, ours, said))
            raise
        self._tell([*compare_calls(found, buyer, ours, said), *off_turn(found.row)])
        self._note(found.row)
        return found, answer

    def _note(self, row: Row) -> None:
        """Remember the verified row; what stood at one of its heights before is evidence of a fork."""
        self._tell(forks(self._recent, row))
        self._recent |= {header.number: header for header in row.headers}
        for number in sorted(self._recent)[:-REMEMBERED]:
            del self._recent[number]
        after = self.memory.with_head(Seen.of(row.head))
        if after is not self.memory:
            self._keep(after)

    def _keep(self, memory: Memory) -> None:
        self.memory = memory
        self._remember(memory)

    def _tell(self, alarms: Iterable[Alarm]) -> None:
        for alarm in alarms:
            self._report(alarm)
