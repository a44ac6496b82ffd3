"""Addresses in their checksummed form (EIP-55), remembered: a chain names the same ones again and again."""

from functools import lru_cache

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

REMEMBERED = 32_768


def checksummed(address: str | bytes) -> ChecksumAddress:
    """The address as people see it.

    Raises:
        ValueError: it is none.
    """
    return _remembered(address.lower() if isinstance(address, str) else f"0x{address.hex()}")


_remembered = lru_cache(REMEMBERED)(to_checksum_address)
