"""Addresses and amounts of ether as a person types them; pure."""

from decimal import Decimal, InvalidOperation

from eth_utils.address import is_hex_address, to_checksum_address

from geth_network.errors import SettingsError

ETHER = 10**18


def parse_ether(text: str) -> int:
    """Ether in decimals to wei, exactly."""
    try:
        wei = Decimal(text) * ETHER
    except InvalidOperation:
        raise SettingsError(f"{text!r} is not an amount of ether") from None
    if not wei.is_finite() or wei <= 0 or wei != int(wei) or wei >= 2**256:
        raise SettingsError(f"{text!r} is not a positive amount of ether with at most 18 decimals")
    return int(wei)


def parse_address(text: str) -> str:
    """An address, with its checksum made; refuses a wrong checksum."""
    if not is_hex_address(text):
        raise SettingsError(f"{text!r} is not an address (0x and 40 hex digits)")
    address = str(to_checksum_address(text))
    if text[2:] not in {text[2:].lower(), text[2:].upper(), address[2:]}:
        raise SettingsError(f"{text!r} has a wrong checksum (EIP-55): a character is mistyped")
    return address


def parse_alloc(entries: list[str]) -> dict[str, int]:
    """`ADDRESS=ETHER` entries to balances in wei."""
    alloc: dict[str, int] = {}
    for entry in entries:
        address, sign, amount = entry.partition("=")
        if not sign:
            raise SettingsError(f"--alloc {entry!r} must be ADDRESS=ETHER")
        alloc[parse_address(address)] = parse_ether(amount)
    return alloc
