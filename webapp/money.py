"""Ether as people write it, wei as the chain counts it; exact in both directions."""

import re

from webapp.errors import InvalidInput

WEI = 10**18
GROUP = "\N{NARROW NO-BREAK SPACE}"
_AMOUNT = re.compile(r"([0-9]{1,30})(?:\.([0-9]{1,18}))?")


def parse_eth(text: str, field: str = "price") -> int:
    """Return the wei in `text`, an amount of ether such as `50` or `0.25`.

    Raises:
        InvalidInput: no plain decimal number, or more than 18 decimals.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(field, "Write an amount of ether in digits, such as 50 or 0.25 (18 decimals at most).")
    whole, fraction = match.groups()
    return int(whole) * WEI + int((fraction or "").ljust(18, "0"))


def format_eth(wei: int) -> str:
    """Return wei as ether without needless zeros: `50`, `0.25`, `1 234.5`."""
    sign = "-" if wei < 0 else ""
    whole, rest = divmod(abs(wei), WEI)
    fraction = f"{rest:018d}".rstrip("0")
    grouped = f"{whole:,}".replace(",", GROUP)
    return f"{sign}{grouped}" + (f".{fraction}" if fraction else "")


def plain_eth(wei: int) -> str:
    """Return wei as ether for a program or an input field: digits and a point only."""
    return format_eth(wei).replace(GROUP, "")
