"""The rules of a verdict, whoever read the chain: from a sale's state to a reason. Pure."""

from __future__ import annotations

from typing import Final

from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from contracts.sale_state import SaleState, Status
from contracts.verdict import Reason
from contracts.voucher import Voucher, pickup_digest

EARLIER_ATTEMPTS: Final = 64

_NOT_SOLD: Final = {
    Status.LISTED: Reason.NOT_PAID,
    Status.RELEASING: Reason.BEING_RELEASED,
    Status.RELEASED: Reason.ALREADY_COLLECTED,
    Status.CANCELLED: Reason.CANCELLED,
    Status.REFUNDED: Reason.REFUNDED,
}


def judge_owned(voucher: Voucher, state: SaleState, time: int) -> Reason:
    """OWNED, or why the sale in this state gives nothing to the voucher at this time, the signature left aside."""
    if state.status is not Status.SOLD:
        return _NOT_SOLD[state.status]
    if state.buyer != voucher.buyer:
        return Reason.WRONG_BUYER
    if time >= voucher.expires_at:
        return Reason.EXPIRED
    if state.refundable_at and time >= state.refundable_at:
        return Reason.REFUND_BEGUN
    return Reason.OWNED


def judge_releasing(state: SaleState, attempt: int, device: int) -> Reason:
    """RELEASING, or why this device does not hold this attempt."""
    if state.status is Status.RELEASED:
        return Reason.ALREADY_COLLECTED
    if state.status is Status.REFUNDED:
        return Reason.REFUNDED
    if state.status is not Status.RELEASING:
        return Reason.OTHER_ATTEMPT if state.attempt > attempt else Reason.NOT_RELEASED
    if state.attempt != attempt:
        return Reason.OTHER_ATTEMPT
    return Reason.RELEASING if state.device == device else Reason.OTHER_DEVICE


def judge_signature(voucher: Voucher, attempt: int) -> Reason:
    """OWNED if the buyer's own key signed for this attempt, VOUCHER_REPLACED if for a recent one, else BAD_SIGNATURE.

    A contract wallet's signature means nothing here: only the wallet can judge it (ERC-1271).
    """
    if signed_for(voucher, attempt):
        return Reason.OWNED
    earlier = range(max(0, attempt - EARLIER_ATTEMPTS), attempt)
    replaced = any(signed_for(voucher, one) for one in reversed(earlier))
    return Reason.VOUCHER_REPLACED if replaced else Reason.BAD_SIGNATURE


def signed_for(voucher: Voucher, attempt: int) -> bool:
    """Whether the buyer's own key signed the voucher for this attempt, in the one form that contracts accept."""
    data = voucher.signature
    if len(data) != 65 or data[64] not in (27, 28) or int.from_bytes(data[32:64], "big") > SECPK1_N // 2:
        return False
    digest = pickup_digest(
        chain_id=voucher.chain_id,
        sale=voucher.sale,
        buyer=voucher.buyer,
        attempt=attempt,
        expires_at=voucher.expires_at,
    )
    try:
        signature = Signature(data[:64] + bytes((data[64] - 27,)))
        return signature.recover_public_key_from_msg_hash(digest).to_checksum_address() == voucher.buyer
    except (BadSignature, ValidationError):
        return False
