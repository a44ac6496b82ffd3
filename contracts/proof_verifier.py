"""A verifier that believes the sealers and no node: the questions of `NodeVerifier`, answered by proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from contracts.answer import Answer
from contracts.batch import ask
from contracts.fault import LadingError
from contracts.judge import judge_owned, judge_releasing, judge_signature
from contracts.proof import ProvenSale
from contracts.proof_errors import Flaw, ProofError
from contracts.prover import Prover
from contracts.sale_state import Status
from contracts.seals import majority_depth
from contracts.verdict import Reason, Verdict
from contracts.voucher import Voucher

ANSWERED_BY: Final = "proof"

_REASONS: Final = {
    Flaw.MISSING_BLOCK: Reason.CHAIN_UNREACHABLE,
    Flaw.PRUNED: Reason.CHAIN_UNREACHABLE,
    Flaw.HEAD_STALE: Reason.CHAIN_STALE,
    Flaw.HEAD_WENT_BACK: Reason.CHAIN_STALE,
    Flaw.CHECKPOINT_AHEAD: Reason.CHAIN_STALE,
    Flaw.HEAD_IN_FUTURE: Reason.CLOCK_WRONG,
    Flaw.CLOCK_BEHIND: Reason.CLOCK_WRONG,
    Flaw.SEALERS_AGED: Reason.SEALERS_UNKNOWN,
    Flaw.UNKNOWN_SEALERS: Reason.SEALERS_UNKNOWN,
    Flaw.OTHER_CHAIN: Reason.SEALERS_UNKNOWN,
    Flaw.CHECKPOINT_OLD: Reason.SEALERS_UNKNOWN,
    Flaw.CHECKPOINT_BEHIND: Reason.SEALERS_UNKNOWN,
    Flaw.NO_CONTRACT: Reason.NOT_OUR_SALE,
    Flaw.NOT_OUR_SALE: Reason.NOT_OUR_SALE,
}

Judge = Callable[[ProvenSale], Reason]


@dataclass(frozen=True, slots=True)
class ProvenVerdict(Verdict):
    """A verdict and what it rests on: the answer judged, or the rule that it broke, in words."""

    flaw: Flaw | None = None
    detail: str = ""
    answer: Answer | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProofVerifier:
    """Answers by proof.

    Args:
        prover: asks the nodes and knows the sealers.
        site: where this door is; `None` asks for no site.
    """

    prover: Prover
    site: int | None = None

    def verify_owned(self, voucher: Voucher, depth: int) -> ProvenVerdict:
        """Whether the voucher's holder may collect, by the state `depth` blocks below the head."""
        if all(voucher.chain_id != one.chain_id for one in self.prover.trust.deployments):
            return _refused(voucher.sale, depth, Reason.OTHER_CHAIN)
        return self._answer(voucher.sale, depth, Reason.OWNED, lambda found: self._owned(voucher, found), voucher.buyer)

    def verify_releasing(self, sale: ChecksumAddress, attempt: int, device: int, depth: int) -> ProvenVerdict:
        """Whether this device is releasing this attempt, by the state `depth` blocks below the head."""
        return self._answer(sale, depth, Reason.RELEASING, lambda found: judge_releasing(found.state, attempt, device))

    def verify_completed(self, sale: ChecksumAddress, attempt: int, device: int, depth: int) -> ProvenVerdict:
        """Whether this device has completed this attempt: accepted with the reason ALREADY_COLLECTED."""

        def judge(found: ProvenSale) -> Reason:
            state = found.state
            done = (state.status, state.attempt, state.device) == (Status.RELEASED, attempt, device)
            return Reason.ALREADY_COLLECTED if done else Reason.NOT_RELEASED

        return self._answer(sale, depth, Reason.ALREADY_COLLECTED, judge)

    def _owned(self, voucher: Voucher, found: ProvenSale) -> Reason:
        reason = judge_owned(voucher, found.state, max(found.row.head.timestamp, self.prover.now()))
        if reason is not Reason.OWNED:
            return reason
        signed = judge_signature(voucher, found.state.attempt)
        if signed is Reason.BAD_SIGNATURE and self._is_wallet(voucher.buyer, found.block):
            return Reason.OWNED
        return signed

    def _is_wallet(self, buyer: str, block: int) -> bool:
        """Whether the node says that the buyer has code; the contract judges its signature when it releases."""
        code = ask(self.prover.call, [("eth_getCode", [buyer, hex(block)])])[0]
        return isinstance(code, str) and code != "0x"

    def _answer(self, sale: str, depth: int, wanted: Reason, judge: Judge, buyer: str | None = None) -> ProvenVerdict:
        depth = max(depth, majority_depth(self.prover.memory.checkpoint.sealers))
        try:
            found, answer = self.prover.prove(sale, depth, buyer)
            reason = judge(found) if self.site in (None, found.terms.site) else Reason.OTHER_SITE
        except ProofError as error:
            reason = _REASONS.get(error.flaw, Reason.NODE_LIED)
            return _refused(sale, depth, reason, error.flaw, str(error))
        except (LadingError, OSError) as error:
            return _refused(sale, depth, Reason.CHAIN_UNREACHABLE, None, str(error))
        return ProvenVerdict(
            accepted=reason is wanted,
            reason=reason,
            sale=found.sale,
            state=found.state,
            terms=found.terms,
            block=found.block,
            depth=found.row.depth,
            answered_by=ANSWERED_BY,
            answer=answer,
        )


def _refused(sale: str, depth: int, reason: Reason, flaw: Flaw | None = None, detail: str = "") -> ProvenVerdict:
    return ProvenVerdict(
        accepted=False,
        reason=reason,
        sale=to_checksum_address(sale),
        state=None,
        terms=None,
        block=0,
        depth=depth,
        answered_by=ANSWERED_BY,
        flaw=flaw,
        detail=detail,
    )
