"""JSON-RPC's two hexadecimal forms, read strictly: lower case, no leading zeros, sizes known. Pure."""

from __future__ import annotations

import re
from typing import Final

from contracts.proof_errors import AnswerError, Flaw

_QUANTITY: Final = re.compile(r"0x(?:0|[1-9a-f][0-9a-f]*)", re.ASCII)
_DATA: Final = re.compile(r"0x(?:[0-9a-f]{2})*", re.ASCII)


def quantity(value: object, name: str, size: int = 8) -> int:
    """The number in a JSON-RPC quantity of at most `size` bytes."""
    if not isinstance(value, str) or len(value) > 2 + 2 * size or not _QUANTITY.fullmatch(value):
        raise AnswerError(Flaw.MALFORMED, f"{name} is not a number of at most {size} bytes")
    return int(value, 16)


def data(value: object, name: str, size: int | None = None, at_most: int = 32_768) -> bytes:
    """The bytes in JSON-RPC data, of exactly `size` where it is given.

    The limit is checked before anything is decoded.
    """
    limit = at_most if size is None else size
    if not isinstance(value, str) or len(value) > 2 + 2 * limit or not _DATA.fullmatch(value):
        raise AnswerError(Flaw.MALFORMED, f"{name} is not hexadecimal data of at most {limit} bytes")
    raw = bytes.fromhex(value[2:])
    if size is not None and len(raw) != size:
        raise AnswerError(Flaw.MALFORMED, f"{name} has {len(raw)} bytes instead of {size}")
    return raw


def minimal(number: int) -> bytes:
    """A number as RLP holds it: big-endian, without leading zeros, nothing for 0."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def to_hex(raw: bytes) -> str:
    """Bytes as JSON-RPC data."""
    return f"0x{raw.hex()}"
