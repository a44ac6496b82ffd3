"""One sale: what it says at a block, and the calls that move it on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.types import BlockIdentifier

from contracts.address import checksummed
from contracts.calls import Call, read, read_many, to_contract
from contracts.chain import block_number, code_at
from contracts.fault import NodeError
from contracts.sale_state import Item, SaleState, Status
from contracts.terms import Terms, decode_terms, split_clone
from contracts.voucher import Voucher

__all__ = ["Item", "Sale", "SaleState", "Status"]

# An instant sale pays its seller within `buy`, an escrow forwards up to 50,000 gas; a contract wallet's signature
# check may take several 100,000. What is not used is not charged.
BUY_GAS = 250_000
RELEASE_GAS = 600_000
SETTLE_GAS = 200_000


@dataclass(frozen=True, slots=True)
class Sale:
    """The sale at an address; every read asks the node, at `block`."""

    w3: Web3
    address: ChecksumAddress

    @classmethod
    def at(cls, w3: Web3, address: str) -> Sale:
        """The sale at this address."""
        return cls(w3, checksummed(address))

    def get_item(self, block: BlockIdentifier = "latest") -> Item:
        """Make, model, year, price, sold, owner and buyer."""
        return Item(*self._read("getItem", block=block))

    def is_sold(self, block: BlockIdentifier = "latest") -> bool:
        """Whether it is Sold, Releasing or Released."""
        return bool(self._one("isSold", block=block))

    def verify_ownership(self, buyer: str, block: BlockIdentifier = "latest") -> bool:
        """Whether it is paid for by this buyer and not yet released."""
        return bool(self._one("verifyOwnership", checksummed(buyer), block=block))

    def status(self, block: BlockIdentifier = "latest") -> Status:
        """Where it stands."""
        return _status(self._one("status", block=block))

    def state(self, block: BlockIdentifier = "latest") -> SaleState:
        """All that changes, read at one block: a name like `latest` is turned into its number first."""
        number = block if isinstance(block, int) else block_number(self.w3, block)
        names = ("status", "getItem", "attempt", "refundableAt", "device")
        status, item, attempt, refundable_at, device = read_many(self.w3, "Sale", self.address, names, number)
        return SaleState(_status(status[0]), Item(*item).buyer, attempt[0], refundable_at[0], device[0])

    def terms(self, block: BlockIdentifier = "latest") -> Terms:
        """What was agreed, from the sale's code.

        Raises:
            TermsError: there is no sale at this address.
        """
        return decode_terms(split_clone(code_at(self.w3, self.address, block))[1])

    def number(self, block: BlockIdentifier = "latest") -> str:
        """The serial number; may be empty."""
        return str(self._one("number", block=block))

    def site(self, block: BlockIdentifier = "latest") -> int:
        """Where the goods are collected."""
        return int(self._one("site", block=block))

    def edition(self, block: BlockIdentifier = "latest") -> int:
        """Which listing of the same goods this is; 0 is the first."""
        return int(self._one("edition", block=block))

    def window_s(self, block: BlockIdentifier = "latest") -> int:
        """How long after buying the buyer must wait for a refund; 0: paid out at once, no refund."""
        return int(self._one("window", block=block))

    def attempt(self, block: BlockIdentifier = "latest") -> int:
        """The only attempt that a voucher may name."""
        return int(self._one("attempt", block=block))

    def refundable_at(self, block: BlockIdentifier = "latest") -> int:
        """From when on the buyer may take the money back; 0 if never."""
        return int(self._one("refundableAt", block=block))

    def device(self, block: BlockIdentifier = "latest") -> int:
        """The device that released it; 0 if none did."""
        return int(self._one("device", block=block))

    def voucher_digest(self, expires_at: int, block: BlockIdentifier = "latest") -> bytes:
        """The hash that the buyer signs at present."""
        return bytes(self._one("voucherDigest", expires_at, block=block))

    def buy(self, price_wei: int) -> Call:
        """Buyer: pay exactly the price."""
        return self._call("buy", value_wei=price_wei, gas=BUY_GAS)

    def cancel(self) -> Call:
        """Seller: withdraw the listing."""
        return self._call("cancel")

    def revoke(self) -> Call:
        """Buyer: make every voucher signed so far useless."""
        return self._call("revoke")

    def release(self, voucher: Voucher) -> Call:
        """Device: consume the voucher; the gate may open once this is deep enough."""
        return self._call("release", voucher.buyer, voucher.expires_at, voucher.signature, gas=RELEASE_GAS)

    def complete(self) -> Call:
        """Device that released: the gate did open."""
        return self._call("complete", gas=SETTLE_GAS)

    def abort(self) -> Call:
        """Device that released: the gate did not open; the buyer signs a new voucher."""
        return self._call("abort")

    def refund(self) -> Call:
        """Buyer once refundable, seller at any time before the release."""
        return self._call("refund", gas=SETTLE_GAS)

    def withdraw(self, to: str) -> Call:
        """Seller or buyer: have what a payout could not deliver sent to another address."""
        return self._call("withdraw", checksummed(to), gas=BUY_GAS)

    def _call(self, name: str, *arguments: object, value_wei: int = 0, gas: int = 100_000) -> Call:
        return to_contract("Sale", self.address, name, *arguments, value_wei=value_wei, gas=gas)

    def _read(self, name: str, *arguments: object, block: BlockIdentifier) -> tuple[Any, ...]:
        return read(self.w3, "Sale", self.address, name, *arguments, block=block)

    def _one(self, name: str, *arguments: object, block: BlockIdentifier) -> Any:
        return self._read(name, *arguments, block=block)[0]


def _status(value: int) -> Status:
    try:
        return Status(value)
    except ValueError as error:
        raise NodeError(f"{value} is no status of a sale") from error
