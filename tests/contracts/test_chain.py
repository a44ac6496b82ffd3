"""Reaching a node."""

from __future__ import annotations

import pytest
from web3.middleware import ExtraDataToPOAMiddleware

from contracts import errors
from contracts.chain import TIMEOUT_S, connect
from contracts.sale import Sale
from tests.contracts.nodes import free_port
from tests.contracts.world import World, account


def test_a_connection_understands_cliques_headers_first() -> None:
    """The middleware stands at layer 0, or headers with seals are refused by web3.py."""
    w3 = connect("http://127.0.0.1:1")
    assert w3.middleware_onion.middleware[-1][0] is ExtraDataToPOAMiddleware


def test_what_requests_takes_is_passed_on() -> None:
    """A device gives its certificate, the gateway's CA and a time-out of its own."""
    w3 = connect("https://127.0.0.1:1", verify="ca.pem", cert=("c.pem", "k.pem"))
    assert dict(w3.provider.get_request_kwargs()) | {"headers": None} == {  # type: ignore[union-attr]
        "timeout": TIMEOUT_S,
        "verify": "ca.pem",
        "cert": ("c.pem", "k.pem"),
        "headers": None,
    }
    assert dict(connect("http://127.0.0.1:1", timeout=3).provider.get_request_kwargs())["timeout"] == 3  # type: ignore[union-attr]


def test_a_node_that_is_not_there_is_unreachable() -> None:
    """One error for it, whatever is asked."""
    sale = Sale.at(connect(f"http://127.0.0.1:{free_port()}"), "0x" + "11" * 20)
    for read in (sale.status, sale.state, sale.terms, sale.get_item):
        with pytest.raises(errors.NodeUnreachable):
            read()


def test_an_address_without_a_contract_gives_no_answer(world: World) -> None:
    """An empty answer is no value."""
    empty = Sale.at(world.w3, account("nobody").address)
    with pytest.raises(errors.NodeError):
        empty.status()
    with pytest.raises(errors.TermsError):
        empty.terms()


def test_a_block_that_is_not_there_gives_no_answer(world: World) -> None:
    """Neither in the future nor as a hash."""
    sale = world.list()
    for block in (world.w3.eth.block_number + 1_000, "0x" + "12" * 32):
        with pytest.raises(errors.NodeError):
            sale.status(block)  # type: ignore[arg-type]


def test_reads_look_at_the_block_that_is_asked_for(world: World) -> None:
    """History can be asked."""
    sale = world.list()
    before = world.w3.eth.block_number
    world.send(world.seller, sale.cancel())
    assert (sale.status(before).name, sale.status().name) == ("LISTED", "CANCELLED")
