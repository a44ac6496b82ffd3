"""Ethereum's list encoding, for byte strings and lists of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import rlp  # type: ignore[import-untyped]
from rlp.codec import encode_raw  # type: ignore[import-untyped]
from rlp.exceptions import DecodingError  # type: ignore[import-untyped]

__all__ = ["DecodingError", "Item", "decode", "encode"]

Item: TypeAlias = "bytes | list[Item]"


def encode(item: bytes | Sequence[bytes]) -> bytes:
    """The encoding of a byte string or of a list of them."""
    return bytes(encode_raw(item if isinstance(item, bytes) else list(item)))


def decode(raw: bytes) -> Item:
    """What these bytes encode, to the last one of them.

    Raises:
        ValueError: they are not the one encoding of anything.
    """
    try:
        found: Item = rlp.decode(raw)
    except (DecodingError, RecursionError) as error:
        raise ValueError("this is not RLP") from error
    return found
