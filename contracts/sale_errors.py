# ruff: noqa: N818 - the names are the contract's own
"""What a sale refuses: one class for each custom error of `ISale`. Pure."""

from __future__ import annotations

from contracts.fault import ContractError
from contracts.sale_state import Status


class StatusRefusal(ContractError):
    """The sale stands elsewhere: `status` says where."""

    status: Status


class NotListed(StatusRefusal):
    """Only a listing can be bought or cancelled."""

    reason = "not-listed"
    message = "this offer cannot be bought or withdrawn any more: it is {status.name}"


class NotSold(StatusRefusal):
    """Only what is paid for and not yet released can be released or revoked."""

    reason = "not-sold"
    message = "only a sale that is paid for and not yet released allows this: it is {status.name}"


class NotReleasing(StatusRefusal):
    """Only what a device is releasing can be completed or aborted."""

    reason = "not-releasing"
    message = "no device is releasing this sale: it is {status.name}"


class NotRefundable(StatusRefusal):
    """Nothing to refund in this status, to this caller."""

    reason = "not-refundable"
    message = "this sale cannot be refunded now: it is {status.name}"


class WrongPrice(ContractError):
    """The exact price must be sent."""

    reason = "wrong-price"
    message = "the price is {price} wei, not {sent} wei"
    sent: int
    price: int


class PayoutRefused(ContractError):
    """The receiver refused the ether."""

    reason = "payout-refused"
    message = "{to} does not take the {amount} wei, so nothing was done"
    to: str
    amount: int


class EtherRefused(ContractError):
    """A contract takes ether by its functions only."""

    reason = "ether-refused"
    message = "this contract takes no ether without a call; {amount} wei stay with {sender}"
    sender: str
    amount: int


class NotSeller(ContractError):
    """Only the seller may."""

    reason = "not-seller"
    message = "only the seller {seller} may do this, not {caller}"
    caller: str
    seller: str


class NotBuyer(ContractError):
    """Only the buyer may."""

    reason = "not-buyer"
    message = "only the buyer {buyer} may do this, not {caller}"
    caller: str
    buyer: str


class NotParty(ContractError):
    """Only the seller or the buyer may."""

    reason = "not-party"
    message = "only the seller or the buyer may do this, not {caller}"
    caller: str


class WrongBuyer(ContractError):
    """The voucher names another buyer than the sale does."""

    reason = "wrong-buyer"
    message = "the voucher is of {given}, but {buyer} bought this"
    given: str
    buyer: str


class VoucherExpired(ContractError):
    """The voucher's last second is over."""

    reason = "voucher-expired"
    message = "the voucher was good before {expires_at}, it is {time} now; the buyer can renew it"
    expires_at: int
    time: int


class DeadlinePassed(ContractError):
    """The buyer may take the escrow back, so nothing is released any more."""

    reason = "deadline-passed"
    message = "since {refundable_at} the buyer may take the money back, so nothing is released any more"
    refundable_at: int
    time: int


class RefundTooEarly(ContractError):
    """The buyer may not take the escrow back yet."""

    reason = "refund-too-early"
    message = "the buyer may take the money back from {refundable_at} on, it is {time} now"
    refundable_at: int
    time: int


class DeviceNotActive(ContractError):
    """The caller is no device, or decommissioned, rotated or expired."""

    reason = "device-not-active"
    message = "{caller} is no active device; its operator must provision or renew it"
    caller: str


class WrongSite(ContractError):
    """The goods are at another site."""

    reason = "wrong-site"
    message = "the goods are at site {site}, this device opens at site {device_site}"
    device_site: int
    site: int


class InvalidVoucher(ContractError):
    """The buyer has not signed this voucher for this attempt."""

    reason = "invalid-voucher"
    message = "{buyer} has not signed this voucher for attempt {attempt}; the buyer can renew it"
    buyer: str
    attempt: int
    expires_at: int


class NotSettler(ContractError):
    """Only the releasing device settles, or, once it is not active, its operator."""

    reason = "not-settler"
    message = "only device {device}, or its operator once it is retired, may report this, not {caller}"
    caller: str
    device: int


class AttemptsExhausted(ContractError):
    """No attempt is left for this call."""

    reason = "attempts-exhausted"
    message = "attempt {attempt} was the last one for this"
    attempt: int


class NoEscrow(ContractError):
    """An instant sale has no refund."""

    reason = "no-escrow"
    message = "this sale was paid out at once: there is nothing to refund on the chain"


class NothingToWithdraw(StatusRefusal):
    """No payout of this sale waits for the caller."""

    reason = "nothing-to-withdraw"
    message = "no payout waits here: the sale is {status.name} and holds {balance} wei"
    balance: int


class GasTooLow(ContractError):
    """A payout failed with less gas than it is entitled to."""

    reason = "gas-too-low"
    message = "send it again with more gas: {required} are needed for the payout, {available} were left"
    available: int
    required: int
