"""The one storage slot of a sale. Pure.

Bits from the low end: buyer 160, status 8, attempt 24, `refundable_at` 40, releasing device's id 24.
"""

from __future__ import annotations

from typing import Final

from eth_utils.address import to_checksum_address

from contracts.proof_errors import Flaw, StateError
from contracts.sale_state import SaleState, Status

_SIZES: Final = (160, 8, 24, 40, 24)


def decode_slot(word: int) -> SaleState:
    """What the slot says.

    Raises:
        StateError: it holds a status that no sale has.
    """
    buyer, status, attempt, refundable_at, device = _split(word)
    if status > max(Status):
        raise StateError(Flaw.BAD_STATE, f"{status} is no status of a sale")
    address = to_checksum_address(buyer.to_bytes(20, "big"))
    return SaleState(Status(status), address, attempt, refundable_at, device)


def encode_slot(state: SaleState) -> int:
    """The slot of a sale in this state."""
    values = (int(state.buyer, 16), int(state.status), state.attempt, state.refundable_at, state.device)
    word = shift = 0
    for value, size in zip(values, _SIZES, strict=True):
        word |= value << shift
        shift += size
    return word


def _split(word: int) -> list[int]:
    values = []
    for size in _SIZES:
        values.append(word & ((1 << size) - 1))
        word >>= size
    return values
