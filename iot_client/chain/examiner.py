"""Everything that is asked of the chain before a voucher is consumed: is it good, and can it be finished from here?"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from contracts.errors import ContractError, NodeError
from contracts.sale import Sale
from contracts.verdict import Reason, Verdict, Verifier
from contracts.voucher import Voucher
from iot_client.chain.node import Head, Node
from iot_client.chain.sender import Sender
from iot_client.journal import Key, Sending
from iot_client.reasons import Refusal
from iot_client.settings import PiSettings

REFUSALS: dict[Reason, Refusal] = {
    Reason.OTHER_CHAIN: Refusal.OTHER_CHAIN,
    Reason.NOT_OUR_SALE: Refusal.NOT_OUR_SALE,
    Reason.OTHER_SITE: Refusal.OTHER_SITE,
    Reason.NOT_PAID: Refusal.NOT_PAID,
    Reason.CANCELLED: Refusal.CANCELLED,
    Reason.REFUNDED: Refusal.REFUNDED,
    Reason.ALREADY_COLLECTED: Refusal.COLLECTED,
    Reason.BEING_RELEASED: Refusal.OTHER_DOOR,
    Reason.WRONG_BUYER: Refusal.WRONG_BUYER,
    Reason.VOUCHER_REPLACED: Refusal.REPLACED,
    Reason.BAD_SIGNATURE: Refusal.BAD_SIGNATURE,
    Reason.EXPIRED: Refusal.EXPIRED,
    Reason.REFUND_BEGUN: Refusal.REFUND_BEGUN,
    Reason.NOT_RELEASED: Refusal.UNDONE,
    Reason.OTHER_ATTEMPT: Refusal.UNDONE,
    Reason.OTHER_DEVICE: Refusal.OTHER_DOOR,
    Reason.DEVICE_NOT_AUTHORISED: Refusal.NOT_AUTHORISED,
    Reason.CHAIN_UNREACHABLE: Refusal.CHAIN_UNREACHABLE,
    Reason.CHAIN_STALE: Refusal.CHAIN_STALE,
    Reason.CLOCK_WRONG: Refusal.CLOCK_WRONG,
    Reason.NODE_LIED: Refusal.NODE_LIED,
    Reason.SEALERS_UNKNOWN: Refusal.SEALERS_UNKNOWN,
}


@dataclass(frozen=True)
class Refused:
    """No, and why; `verdict` where the chain said so."""

    refusal: Refusal
    detail: str = ""
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Resumable:
    """This device is releasing this very attempt already."""

    key: Key


@dataclass(frozen=True)
class Ready:
    """Owned, and it can be finished: the signed release, not sent yet."""

    key: Key
    voucher: Voucher
    sending: Sending
    owned_ms: float
    ready_ms: float
    balance_wei: int


class Examiner:
    """Asks verifier and node; runs on the chain's thread."""

    def __init__(
        self, settings: PiSettings, verifier: Verifier, node: Node, sender: Sender, now: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._verifier = verifier
        self._node = node
        self._sender = sender
        self._now = now

    def examine(self, voucher: Voucher) -> Ready | Resumable | Refused:
        """The verdict on a voucher, and a signed release if it is good."""
        began = time.monotonic_ns()
        verdict = self._verifier.verify_owned(voucher, self._settings.depth_owned)
        owned_ms = _since(began)
        if not verdict.accepted or verdict.state is None:
            return self._refused(verdict)
        key = Key(voucher.chain_id, voucher.sale, verdict.state.attempt)
        found = self._unready(verdict)
        if isinstance(found, Refused):
            return found
        return self._ready(key, voucher, (owned_ms, began), found)

    def verify(self, voucher: Voucher) -> Verdict:
        """The verdict alone."""
        return self._verifier.verify_owned(voucher, self._settings.depth_owned)

    def is_releasing(self, key: Key) -> Verdict:
        """Whether this release is proven at both depths: the required one, and the newest that can be proven."""
        deep = self.standing(key)
        if not deep.accepted:
            return deep
        # Nothing may have undone it in the blocks on top.
        settings = self._settings
        sale = Sale.at(self._node.w3, key.sale).address
        return self._verifier.verify_releasing(
            sale, key.attempt, settings.device_id, min(settings.depth_owned, settings.confirmations)
        )

    def standing(self, key: Key) -> Verdict:
        """How the release stands at the required depth."""
        settings = self._settings
        sale = Sale.at(self._node.w3, key.sale).address
        return self._verifier.verify_releasing(sale, key.attempt, settings.device_id, settings.confirmations)

    def _refused(self, verdict: Verdict) -> Refused | Resumable:
        state = verdict.state
        if verdict.reason is Reason.BEING_RELEASED and state is not None and state.device == self._settings.device_id:
            return Resumable(Key(self._settings.chain_id, verdict.sale, state.attempt))
        return Refused(REFUSALS.get(verdict.reason, Refusal.INTERNAL), _detail(verdict), verdict)

    def _unready(self, verdict: Verdict) -> Refused | int:
        """Why it cannot be finished from here, or what this device has for gas."""
        try:
            head, balance = self._node.head(), self._node.balance()
        except NodeError:
            return Refused(Refusal.CHAIN_UNREACHABLE)
        if verdict.terms is not None and verdict.terms.site != self._settings.site:
            return Refused(Refusal.OTHER_SITE, f"site {verdict.terms.site}", verdict)
        return self._wrong_time(head, verdict) or self._too_poor(balance) or balance

    def _wrong_time(self, head: Head, verdict: Verdict) -> Refused | None:
        age = self._now() - head.timestamp
        if age < -self._settings.max_clock_ahead_s:
            return Refused(Refusal.CLOCK_WRONG, f"{-age:.0f} s behind the chain")
        if age > self._settings.max_head_age_s:
            return Refused(Refusal.CHAIN_STALE, f"newest block {age:.0f} s old, or this clock is fast")
        refundable = verdict.state.refundable_at if verdict.state else 0
        if refundable and head.timestamp + self._settings.refund_margin_s >= refundable:
            return Refused(Refusal.REFUND_BEGUN)
        return None

    def _too_poor(self, balance: int) -> Refused | None:
        if balance < self._settings.min_balance_wei:
            return Refused(Refusal.LOW_BALANCE, f"{balance / 1e18:.4f} ETH left")
        return None

    def _ready(self, key: Key, voucher: Voucher, spent: tuple[float, int], balance: int) -> Ready | Refused:
        call = Sale.at(self._node.w3, key.sale).release(voucher)
        try:
            self._node.simulate(call)
            sending = self._sender.sign("release", call, key, self._node.head().base_fee)
        except ContractError as error:
            return Refused(_of_contract(error), str(error))
        except NodeError:
            return Refused(Refusal.CHAIN_UNREACHABLE)
        owned_ms, began = spent
        return Ready(key, voucher, sending, owned_ms, _since(began), balance)


def _of_contract(error: ContractError) -> Refusal:
    reasons = {
        "device-not-active": Refusal.NOT_AUTHORISED,
        "wrong-site": Refusal.OTHER_SITE,
        "wrong-buyer": Refusal.WRONG_BUYER,
        "invalid-voucher": Refusal.BAD_SIGNATURE,
        "voucher-expired": Refusal.EXPIRED,
        "deadline-passed": Refusal.REFUND_BEGUN,
        "not-sold": Refusal.GATE_BUSY,
    }
    return reasons.get(error.reason, Refusal.NOT_MINED)


def _detail(verdict: Verdict) -> str:
    if verdict.reason is Reason.OTHER_SITE and verdict.terms is not None:
        return f"site {verdict.terms.site}"
    if verdict.reason in {Reason.ALREADY_COLLECTED, Reason.BEING_RELEASED} and verdict.state is not None:
        return f"at device {verdict.state.device}"
    flaw = getattr(verdict, "flaw", None)
    return f"{flaw}" if flaw and verdict.reason is not Reason.NOT_OUR_SALE else ""


def _since(began: int) -> float:
    return (time.monotonic_ns() - began) / 1e6
