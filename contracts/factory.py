"""Offering goods: a listing that checks itself, and the factory that makes a sale of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Final

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.types import BlockIdentifier

from contracts.address import checksummed
from contracts.calls import Call, read, to_contract
from contracts.chain import code_at
from contracts.fault import ListingError
from contracts.label import check_label
from contracts.terms import WINDOW_MAX_S, Terms, sale_address

CREATE_GAS: Final = 150_000
BATCH_GAS: Final = 130_000
BATCH_MAX: Final = 200

# The smallest and the largest of each number.
_RANGES: Final = {
    "year": (0, (1 << 16) - 1),
    "price_wei": (1, (1 << 96) - 1),
    "window_s": (0, WINDOW_MAX_S),
    "site": (1, (1 << 32) - 1),
    "edition": (0, (1 << 16) - 1),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """Goods as a seller offers them.

    Raises:
        ListingError: a field cannot stand; it names the first one.
    """

    make: str
    model: str
    number: str
    year: int
    price_wei: int
    window_s: int
    site: int
    edition: int = 0

    def __post_init__(self) -> None:
        check_label("make", self.make, kind=ListingError)
        check_label("model", self.model, kind=ListingError)
        check_label("number", self.number, may_be_empty=True, kind=ListingError)
        for name, (least, most) in _RANGES.items():
            _check_number(name, getattr(self, name), least, most)

    def terms(self, seller: str) -> Terms:
        """The terms of the sale, once this seller lists it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return Terms(seller=checksummed(seller), **values)

    def as_item(self) -> tuple[str, str, str, int, int, int, int, int]:
        """The listing as the contract takes it: its `Item` has the same fields in the same order."""
        return astuple(self)


@dataclass(frozen=True, slots=True)
class SaleFactory:
    """The factory at an address."""

    w3: Web3
    address: ChecksumAddress

    @classmethod
    def at(cls, w3: Web3, address: str) -> SaleFactory:
        """The factory at this address."""
        return cls(w3, checksummed(address))

    def is_sale(self, address: str, block: BlockIdentifier = "latest") -> bool:
        """Whether this factory made the contract at the address."""
        answer = read(
            self.w3,
            "SaleFactory",
            self.address,
            "isSale",
            checksummed(address),
            block=block,
        )
        return bool(answer[0])

    def implementation(self, block: BlockIdentifier = "latest") -> ChecksumAddress:
        """The contract whose clones the sales are."""
        answer: ChecksumAddress = read(self.w3, "SaleFactory", self.address, "implementation", block=block)[0]
        return answer

    def create_sale(self, listing: Listing) -> Call:
        """List goods; `find` tells the address, also beforehand with `address_of`."""
        return to_contract("SaleFactory", self.address, "createSale", listing.as_item(), gas=CREATE_GAS)

    def create_sales(self, listings: Sequence[Listing]) -> Call:
        """List many goods in one transaction: all or none of them."""
        if not 1 <= len(listings) <= BATCH_MAX:
            raise ListingError("listings", f"give 1 to {BATCH_MAX} at once, not {len(listings)}")
        items = [listing.as_item() for listing in listings]
        return to_contract("SaleFactory", self.address, "createSales", items, gas=CREATE_GAS + BATCH_GAS * len(items))

    def address_of(self, seller: str, listing: Listing) -> ChecksumAddress:
        """Where the sale is, or would be, once this seller lists it."""
        return sale_address(self.address, self.implementation(), listing.terms(seller))

    def find(self, seller: str, listing: Listing, block: BlockIdentifier = "latest") -> ChecksumAddress | None:
        """The address of this seller's sale with exactly these terms, if it exists."""
        address = self.address_of(seller, listing)
        return address if code_at(self.w3, address, block) else None


def _check_number(field: str, value: int, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ListingError(field, "must be a whole number")
    if not least <= value <= most:
        raise ListingError(field, f"must be between {least} and {most}")
