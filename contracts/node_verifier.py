"""A verifier that believes one node: the published way, by `eth_call` of `isSale` and `verifyOwnership`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from eth_abi.abi import encode
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from web3 import Web3

from contracts import chain
from contracts.deployment import Deployment
from contracts.factory import SaleFactory
from contracts.fault import ContractError, LadingError, NodeError
from contracts.judge import judge_owned, judge_releasing, judge_signature
from contracts.sale import Sale
from contracts.sale_state import SaleState, Status
from contracts.terms import Terms
from contracts.verdict import Reason, Verdict
from contracts.voucher import Voucher, pickup_digest

ERC1271: Final = bytes.fromhex("1626ba7e")


@dataclass(slots=True)
class _Facts:
    """What was read so far; a refusal carries it as it is."""

    sale: ChecksumAddress
    depth: int
    block: int = 0
    time: int = 0
    state: SaleState | None = None
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class NodeVerifier:
    """Asks one node, at a block `depth` below its head.

    Args:
        w3: the node, or the gateway in front of several.
        deployments: whose sales count.
        site: where this door is; `None` asks for no site.
        name: who answers, as the verdict says it.
    """

    w3: Web3
    deployments: Sequence[Deployment]
    site: int | None = None
    name: str = "node"

    def verify_owned(self, voucher: Voucher, depth: int) -> Verdict:
        """Whether the voucher's holder may collect, by the state `depth` blocks below the head."""
        return self._answer(voucher.sale, depth, lambda facts: self._owned(voucher, facts), Reason.OWNED)

    def verify_releasing(self, sale: ChecksumAddress, attempt: int, device: int, depth: int) -> Verdict:
        """Whether this device is releasing this attempt, by the state `depth` blocks below the head."""

        def judge(facts: _Facts) -> Reason:
            if (refusal := self._read_sale(facts, self.deployments)) is not None:
                return refusal
            return judge_releasing(_known(facts), attempt, device)

        return self._answer(to_checksum_address(sale), depth, judge, Reason.RELEASING)

    def _answer(self, sale: ChecksumAddress, depth: int, judge: Callable[[_Facts], Reason], wanted: Reason) -> Verdict:
        facts = _Facts(sale, depth)
        try:
            reason = judge(facts)
        except ContractError:
            reason = Reason.NODE_LIED  # none of these views can refuse
        except LadingError:
            reason = Reason.CHAIN_UNREACHABLE
        return Verdict(
            accepted=reason is wanted,
            reason=reason,
            sale=sale,
            state=facts.state,
            terms=facts.terms,
            block=facts.block,
            depth=depth,
            answered_by=self.name,
        )

    def _owned(self, voucher: Voucher, facts: _Facts) -> Reason:
        known = [one for one in self.deployments if one.chain_id == voucher.chain_id]
        if not known:
            return Reason.OTHER_CHAIN
        if (refusal := self._read_sale(facts, known)) is not None:
            return refusal
        state = _known(facts)
        paid = state.status is Status.SOLD and state.buyer == voucher.buyer
        if paid != Sale.at(self.w3, voucher.sale).verify_ownership(voucher.buyer, facts.block):
            return Reason.NODE_LIED
        reason = judge_owned(voucher, state, facts.time)
        return self._signature(voucher, state.attempt, facts.block) if reason is Reason.OWNED else reason

    def _read_sale(self, facts: _Facts, known: Sequence[Deployment]) -> Reason | None:
        self._read_block(facts)
        if not any(SaleFactory.at(self.w3, one.factory).is_sale(facts.sale, facts.block) for one in known):
            return Reason.NOT_OUR_SALE
        sale = Sale.at(self.w3, facts.sale)
        facts.terms, facts.state = sale.terms(facts.block), sale.state(facts.block)
        return Reason.OTHER_SITE if self.site not in (None, facts.terms.site) else None

    def _read_block(self, facts: _Facts) -> None:
        """Time is the head's: what was true `depth` blocks ago must also still be in time now."""
        with chain.asking():
            head = self.w3.eth.get_block("latest")
            facts.block = max(int(head["number"]) - facts.depth, 0)
            facts.time = int(head["timestamp"])

    def _signature(self, voucher: Voucher, attempt: int, block: int) -> Reason:
        reason = judge_signature(voucher, attempt)
        if reason is Reason.BAD_SIGNATURE and self._wallet_agrees(voucher, attempt, block):
            return Reason.OWNED
        return reason

    def _wallet_agrees(self, voucher: Voucher, attempt: int, block: int) -> bool:
        """A contract wallet's signature is for the wallet to judge (ERC-1271)."""
        if not chain.code_at(self.w3, voucher.buyer, block):
            return False
        digest = pickup_digest(
            chain_id=voucher.chain_id,
            sale=voucher.sale,
            buyer=voucher.buyer,
            attempt=attempt,
            expires_at=voucher.expires_at,
        )
        data = ERC1271 + encode(["bytes32", "bytes"], [digest, voucher.signature])
        try:
            answer = chain.call(self.w3, {"to": voucher.buyer, "data": data}, block)
        except ContractError:
            return False
        return len(answer) >= 32 and answer[:32] == ERC1271.ljust(32, b"\0")


def _known(facts: _Facts) -> SaleState:
    if facts.state is None:
        raise NodeError("the sale was not read")
    return facts.state
