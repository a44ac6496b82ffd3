"""The one question of a door: may these goods go out to whoever shows this voucher?

Whoever answers it, a node that is believed or a proof that needs no belief, answers with the same `Verdict`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from eth_typing import ChecksumAddress

from contracts.sale_state import SaleState
from contracts.terms import Terms
from contracts.voucher import Voucher


class Reason(StrEnum):
    """Why a verdict is what it is; the first two are the accepting ones."""

    OWNED = "owned"
    RELEASING = "releasing"
    OTHER_CHAIN = "other-chain"
    NOT_OUR_SALE = "not-our-sale"
    OTHER_SITE = "other-site"
    NOT_PAID = "not-paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    ALREADY_COLLECTED = "already-collected"
    BEING_RELEASED = "being-released"
    WRONG_BUYER = "wrong-buyer"
    VOUCHER_REPLACED = "voucher-replaced"
    BAD_SIGNATURE = "bad-signature"
    EXPIRED = "expired"
    REFUND_BEGUN = "refund-begun"
    NOT_RELEASED = "not-released"
    OTHER_ATTEMPT = "other-attempt"
    OTHER_DEVICE = "other-device"
    DEVICE_NOT_AUTHORISED = "device-not-authorised"
    CHAIN_UNREACHABLE = "chain-unreachable"
    CHAIN_STALE = "chain-stale"
    SEALERS_UNKNOWN = "sealers-unknown"
    CLOCK_WRONG = "clock-wrong"
    NODE_LIED = "node-lied"

    @property
    def text(self) -> str:
        """The reason in words for the person at the door."""
        return _TEXTS[self]


_TEXTS = {
    Reason.OWNED: "ownership verified",
    Reason.RELEASING: "released to this door",
    Reason.OTHER_CHAIN: "this receipt belongs to another chain",
    Reason.NOT_OUR_SALE: "this receipt is of no sale of ours",
    Reason.OTHER_SITE: "the goods are at another site",
    Reason.NOT_PAID: "this order is not paid for",
    Reason.CANCELLED: "the seller has cancelled this order",
    Reason.REFUNDED: "this order was refunded",
    Reason.ALREADY_COLLECTED: "these goods were already collected",
    Reason.BEING_RELEASED: "these goods are being released",
    Reason.WRONG_BUYER: "somebody else bought these goods",
    Reason.VOUCHER_REPLACED: "this receipt was replaced; show the newest one",
    Reason.BAD_SIGNATURE: "the signature on this receipt does not match",
    Reason.EXPIRED: "this receipt has expired; renew it in the web application",
    Reason.REFUND_BEGUN: "the refund period has begun; ask for a refund in the web application",
    Reason.NOT_RELEASED: "the release is not on the chain, or not deep enough",
    Reason.OTHER_ATTEMPT: "another attempt is being released",
    Reason.OTHER_DEVICE: "another door is releasing these goods",
    Reason.DEVICE_NOT_AUTHORISED: "this door is not authorised; call its operator",
    Reason.CHAIN_UNREACHABLE: "the chain cannot be reached; try again in a minute",
    Reason.CHAIN_STALE: "the chain stands still; try again in a minute",
    Reason.SEALERS_UNKNOWN: "this door does not know the chain's sealers any more; call its operator",
    Reason.CLOCK_WRONG: "this door's clock is wrong; call its operator",
    Reason.NODE_LIED: "the chain's answers contradict each other; call the operator",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer, and what it rests on.

    `state` and `terms` are the sale's at `block`, as far as they were read; `depth` is how far `block` lies below
    the head; `answered_by` says who is believed.
    """

    accepted: bool
    reason: Reason
    sale: ChecksumAddress
    state: SaleState | None
    terms: Terms | None
    block: int
    depth: int
    answered_by: str


class Verifier(Protocol):
    """Whoever answers for the chain. Neither method raises: what cannot be found out is refused with its reason."""

    def verify_owned(self, voucher: Voucher, depth: int) -> Verdict:
        """Whether the voucher's holder may collect, by the state `depth` blocks below the head."""
        ...

    def verify_releasing(self, sale: ChecksumAddress, attempt: int, device: int, depth: int) -> Verdict:
        """Whether this device is releasing this attempt, by the state `depth` blocks below the head."""
        ...
