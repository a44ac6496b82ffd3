"""What a seller may offer: the bindings name the field before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ListingError
from contracts.factory import Listing, SaleFactory
from tests.contracts.world import World

GOOD: dict[str, Any] = {
    "make": "Nimbus",
    "model": "alpha",
    "number": "4AA6",
    "year": 2019,
    "price_wei": 50 * 10**18,
    "window_s": 0,
    "site": 1,
    "edition": 0,
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("make", "a"),
        ("make", "ä" * 32),
        ("model", "模型 β"),
        ("number", ""),
        ("number", "n" * 64),
        ("year", 0),
        ("year", 65_535),
        ("price_wei", 1),
        ("price_wei", (1 << 96) - 1),
        ("window_s", 366 * 86_400),
        ("site", (1 << 32) - 1),
        ("edition", 65_535),
    ],
)
def test_the_limits_themselves_are_allowed(field: str, value: Any) -> None:
    """The contract allows exactly the same."""
    assert getattr(Listing(**(GOOD | {field: value})), field) == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("make", ""),
        ("make", "   "),
        ("make", "a" * 65),
        ("make", "ä" * 33),
        ("make", "Nim\nbus"),
        ("make", "Nim\x00bus"),
        ("model", ""),
        ("model", "al\u202epha"),
        ("model", "al\u200bpha"),
        ("model", "\ud800"),
        ("model", 7),
        ("make", "\u3164"),
        ("make", "Nimbus\u2800"),
        ("make", "Nim\ufe0fbus"),
        ("make", "Nim\u00a0bus"),
        ("make", " Nimbus"),
        ("model", "alpha "),
        ("model", "e\u0301"),
        ("model", "\ue000"),
        ("number", " "),
        ("number", "n" * 65),
        ("number", "4AA6\t"),
        ("number", "\u2028"),
        ("year", -1),
        ("year", 65_536),
        ("year", 2019.0),
        ("year", True),
        ("price_wei", 0),
        ("price_wei", -1),
        ("price_wei", 1 << 96),
        ("price_wei", 10**77),
        ("price_wei", "50"),
        ("window_s", -1),
        ("window_s", 366 * 86_400 + 1),
        ("site", 0),
        ("site", 1 << 32),
        ("edition", -1),
        ("edition", 65_536),
    ],
)
def test_what_cannot_stand_is_refused_by_its_field(field: str, value: Any) -> None:
    """With a message that says what would be right."""
    with pytest.raises(ListingError) as refused:
        Listing(**(GOOD | {field: value}))
    assert refused.value.field == field
    assert str(refused.value) == f"{field}: {refused.value.problem}"


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_any_text_is_listed_or_refused(make: str, model: str, number: str) -> None:
    """And what is allowed fits the contract's bytes."""
    try:
        listing = Listing(**(GOOD | {"make": make, "model": model, "number": number}))
    except ListingError as refused:
        reported = refused.field
    else:
        reported = ""
        assert all(len(text.encode()) <= 64 for text in (listing.make, listing.model, listing.number))
    assert reported in ("", "make", "model", "number")


def test_a_batch_has_one_item_at_least(anvil_world: World) -> None:
    """And not more than a block can hold."""
    factory: SaleFactory = anvil_world.factory
    listing = anvil_world.listing()
    for count in (0, 201):
        with pytest.raises(ListingError) as refused:
            factory.create_sales([listing] * count)
        assert refused.value.field == "listings"


@pytest.mark.slow
def test_the_largest_batch_fits_a_block(anvil_world: World) -> None:
    """Two hundred sales with the longest labels, in one transaction."""
    world = anvil_world
    listings = [
        Listing("m" * 64, "m" * 64, f"{index:064d}", 2019, 1, 0, world.site, next(world.numbers))
        for index in range(200)
    ]
    call = world.factory.create_sales(listings)
    assert call.gas <= 30_000_000
    world.send(world.seller, call)
    assert world.factory.find(world.seller.address, listings[-1])
