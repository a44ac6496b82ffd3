"""Ether as people write it is wei as the chain counts it, to the last digit."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.errors import InvalidInput
from webapp.money import GROUP, format_eth, parse_eth, plain_eth

SUMS = st.one_of(st.integers(0, 2**96), st.integers(0, 30).map(lambda power: 10**power))


@given(SUMS)
def test_no_digit_is_lost_on_the_way_to_a_person_and_back(wei):
    """Shown and read again it is the same sum, with a point at most and no needless zeros."""
    text = plain_eth(wei)
    assert parse_eth(text) == wei
    assert re.fullmatch(r"(0|[1-9]\d*)(\.\d*[1-9])?", text)
    assert format_eth(wei).replace(GROUP, "") == text
    assert format_eth(-wei) == ("-" + format_eth(wei) if wei else "0")


@given(st.text())
def test_what_is_no_sum_is_refused(text):
    """Any text is a sum in plain digits, or refused in words."""
    try:
        wei = parse_eth(text)
    except InvalidInput as error:
        assert "ether" in str(error)  # noqa: PT017
    else:
        assert wei >= 0
        assert re.fullmatch(r"\d+(\.\d{1,18})?", text.strip())


@pytest.mark.parametrize("text", ["\u0661", "1_000", "0x10", "1 000", "+1", ".5", "5.", "1e18", "\uff15"])
def test_only_plain_digits_are_digits(text):
    """Other alphabets' digits and programmers' ways of writing are refused."""
    with pytest.raises(InvalidInput):
        parse_eth(text)
