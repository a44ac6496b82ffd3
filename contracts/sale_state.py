"""What changes in a sale, and what `getItem` says of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from eth_typing import ChecksumAddress


class Status(IntEnum):
    """Where a sale stands; the numbers are the contract's."""

    LISTED = 0
    SOLD = 1
    RELEASING = 2
    RELEASED = 3
    CANCELLED = 4
    REFUNDED = 5


@dataclass(frozen=True, slots=True)
class SaleState:
    """What slot 0 holds. `buyer` is the zero address until bought; `device` is 0 until released.

    `refundable_at` is in Unix seconds, 0 where nothing is in escrow.
    """

    status: Status
    buyer: ChecksumAddress
    attempt: int
    refundable_at: int
    device: int


@dataclass(frozen=True, slots=True)
class Item:
    """What `getItem` answers: the published reading of a sale."""

    make: str
    model: str
    year: int
    price_wei: int
    sold: bool
    owner: ChecksumAddress
    buyer: ChecksumAddress
