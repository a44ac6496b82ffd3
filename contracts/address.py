"""Addresses in their checksummed form (EIP-55), remembered: a chain names the same ones again and again."""

from functools import lru_cache

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from contracts.fault import AddressError

REMEMBERED = 32_768


def checksummed(address: str | bytes) -> ChecksumAddress:
    """The address as people see it.

    Raises:
        AddressError: it is none.
    """
    text = address.lower() if isinstance(address, str) else f"0x{bytes(address).hex()}"
    try:
        return _remembered(text)
    except ValueError as error:
        raise AddressError(f"{str(address)[:80]!r} is no address") from error


_remembered = lru_cache(REMEMBERED)(to_checksum_address)
