"""Terms: the bytes in a clone's code, and the address that commits to them."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from hypothesis import given
from hypothesis import strategies as st

from contracts.calls import Call
from contracts.chain import code_at
from contracts.deploying import contract_address
from contracts.factory import Listing
from contracts.sale import Sale
from contracts.terms import Terms, TermsError, clone_code, decode_terms, encode_terms, init_code, sale_address
from contracts.terms import split_clone as split
from tests.contracts.world import HOUR_S, World

SELLER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
FACTORY = "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0"
IMPLEMENTATION = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
NIMBUS = Terms(SELLER, 50 * 10**18, 0, 1, 0, 2019, "Nimbus", "alpha", "4AA6")
NIMBUS_BYTES = (
    "70997970c51812dc3a010c7d01b50e0d17dc79c8" "00000002b5e3af16b1880000" "00000000" "00000001" "0000" "07e3"
    "06" "05" "4e696d627573" "616c706861" "34414136"
)  # fmt: skip

labels = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: len(text.encode()) <= 64)
terms = st.builds(
    Terms,
    seller=st.binary(min_size=20, max_size=20).map(lambda raw: decode_terms(raw + bytes(24) + b"\1\1ab").seller),
    price_wei=st.integers(0, (1 << 96) - 1),
    window_s=st.integers(0, (1 << 32) - 1),
    site=st.integers(0, (1 << 32) - 1),
    edition=st.integers(0, (1 << 16) - 1),
    year=st.integers(0, (1 << 16) - 1),
    make=labels,
    model=labels,
    number=st.one_of(st.just(""), labels),
)


def test_the_published_goods_have_these_bytes() -> None:
    """The layout is part of the interface: 46 bytes, then make, model and number."""
    assert encode_terms(NIMBUS).hex() == NIMBUS_BYTES
    assert decode_terms(bytes.fromhex(NIMBUS_BYTES)) == NIMBUS


@given(terms)
def test_terms_survive_the_way_into_code_and_back(given_terms: Terms) -> None:
    """Also through the clone's code."""
    assert decode_terms(encode_terms(given_terms)) == given_terms
    assert split(clone_code(IMPLEMENTATION, given_terms)) == (IMPLEMENTATION, encode_terms(given_terms))


@given(st.binary(max_size=300))
def test_any_bytes_are_terms_or_refused(data: bytes) -> None:
    """And what is UTF-8 is written back as it was."""
    try:
        found = decode_terms(data)
    except TermsError:
        return
    if "\ufffd" not in found.make + found.model + found.number:
        assert encode_terms(found) == data


@given(st.binary(max_size=300))
def test_any_code_is_a_clone_or_refused(code: bytes) -> None:
    """A clone's code is written back as it was."""
    for candidate in (code, clone_code(IMPLEMENTATION, code)):
        try:
            implementation, raw = split(candidate)
        except TermsError:
            continue
        assert clone_code(implementation, raw) == candidate


@pytest.mark.parametrize("cut", range(len(NIMBUS_BYTES) // 2 - 4))
def test_cut_terms_are_refused(cut: int) -> None:
    """Wherever they end before the serial number, which may be short."""
    with pytest.raises(TermsError):
        decode_terms(bytes.fromhex(NIMBUS_BYTES)[:cut])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price_wei", 1 << 96),
        ("price_wei", -1),
        ("window_s", 1 << 32),
        ("site", 1 << 32),
        ("edition", 1 << 16),
        ("year", 1 << 16),
        ("make", ""),
        ("model", ""),
        ("make", "x" * 65),
        ("model", "é" * 33),
        ("number", "x" * 65),
        ("number", "\ud800"),
        ("seller", "0x12"),
    ],
)
def test_terms_that_fit_no_bytes_are_refused(field: str, value: object) -> None:
    """Nothing is cut silently."""
    values = {name: getattr(NIMBUS, name) for name in Terms.__slots__}
    with pytest.raises(TermsError):
        encode_terms(Terms(**(values | {field: value})))  # type: ignore[arg-type]


def test_labels_that_are_not_utf8_are_shown_with_replacement_characters() -> None:
    """And the address is still computed from the bytes that were read."""
    raw = bytes.fromhex(NIMBUS_BYTES).replace(b"Nimbus", b"Nim\xff\xfes")
    assert decode_terms(raw).make == "Nim\ufffd\ufffds"
    assert sale_address(FACTORY, IMPLEMENTATION, raw) != sale_address(
        FACTORY, IMPLEMENTATION, decode_terms(raw.replace(b"\xff\xfe", b"bu"))
    )


def test_the_address_is_create2_of_the_init_code() -> None:
    """EIP-1014, spelled out."""
    preimage = b"\xff" + bytes.fromhex(FACTORY[2:]) + bytes(32) + keccak(init_code(IMPLEMENTATION, NIMBUS))
    assert sale_address(FACTORY, IMPLEMENTATION, NIMBUS).lower() == "0x" + keccak(preimage)[12:].hex()


def test_code_and_address_are_those_of_the_factory(world: World) -> None:
    """What is computed here is what OpenZeppelin's `Clones` made on the chain."""
    for window_s in (0, HOUR_S):
        sale = world.list(window_s=window_s)
        terms_ = sale.terms()
        assert code_at(world.w3, sale.address) == clone_code(world.deployment.implementation, terms_)
        assert sale.address == sale_address(world.deployment.factory, world.deployment.implementation, terms_)
        assert world.factory.is_sale(sale.address)


@pytest.mark.parametrize("length", [1, 63, 64])
def test_the_longest_and_the_shortest_labels_fit(anvil_world: World, length: int) -> None:
    """On the chain as in the bindings; a number may be empty."""
    listing = Listing(
        "é" * (length // 2) or "e", "m" * length, "", 65_535, (1 << 96) - 1, 366 * 86_400, anvil_world.site
    )
    anvil_world.send(anvil_world.seller, anvil_world.factory.create_sale(listing))
    found = anvil_world.factory.find(anvil_world.seller.address, listing)
    sale = Sale.at(anvil_world.w3, found or "")
    assert sale.terms() == listing.terms(anvil_world.seller.address)
    assert (sale.get_item().make, sale.get_item().model, sale.number()) == (listing.make, listing.model, "")


def test_no_other_contract_is_a_sale(anvil_world: World) -> None:
    """Neither an account, nor the implementation, nor a clone that somebody else made of it."""
    world = anvil_world
    terms_ = world.listing().terms(world.seller.address)
    nonce = world.w3.eth.get_transaction_count(world.rival.address)
    code = init_code(world.deployment.implementation, terms_)
    world.send(world.rival, Call(None, HexBytes(code), gas=500_000))
    fake = contract_address(world.rival.address, nonce)
    assert code_at(world.w3, fake) == clone_code(world.deployment.implementation, terms_)
    for address in (fake, world.deployment.implementation, world.deployment.factory, world.buyer.address):
        assert not world.factory.is_sale(address)
