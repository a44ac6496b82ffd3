"""A sale's whole life, on every node."""

from __future__ import annotations

import pytest

from contracts import errors
from contracts.calls import simulate
from contracts.sale import Status
from contracts.terms import Terms
from tests.contracts.world import HOUR_S, PRICE_WEI, World

NOBODY = "0x" + "0" * 40


@pytest.mark.row("B11")
def test_an_instant_sale_pays_the_seller_at_once_and_is_released_once(any_world: World) -> None:
    """Listed, Sold, Releasing, Released; the seller has exactly the price when it is Sold."""
    world = any_world
    sale = world.list()
    assert (sale.status(), sale.is_sold(), sale.get_item().buyer) == (Status.LISTED, False, NOBODY)
    before = world.balance(world.seller.address)
    world.send(world.buyer, sale.buy(PRICE_WEI))
    assert world.balance(world.seller.address) - before == PRICE_WEI
    assert sale.is_sold()
    assert sale.verify_ownership(world.buyer.address)
    assert not sale.verify_ownership(world.rival.address)
    world.send(world.device, sale.release(world.voucher(sale)))
    state = sale.state()
    assert (state.status, state.device, state.refundable_at) == (Status.RELEASING, world.device_id, 0)
    assert not sale.verify_ownership(world.buyer.address)
    world.send(world.device, sale.complete())
    assert sale.status() is Status.RELEASED
    assert sale.is_sold()


def test_an_escrow_pays_the_seller_when_the_goods_are_out(any_world: World) -> None:
    """The sale holds the price until `complete`."""
    world = any_world
    sale = world.sold(window_s=HOUR_S)
    assert sale.refundable_at() - world.node.time <= HOUR_S
    assert world.balance(sale.address) == PRICE_WEI
    world.send(world.device, sale.release(world.voucher(sale)))
    before = world.balance(world.seller.address)
    world.send(world.device, sale.complete())
    assert world.balance(world.seller.address) - before == PRICE_WEI
    assert world.balance(sale.address) == 0


def test_the_seller_may_refund_before_the_release(any_world: World) -> None:
    """The buyer gets exactly the price back."""
    world = any_world
    sale = world.sold(window_s=HOUR_S)
    before = world.balance(world.buyer.address)
    world.send(world.seller, sale.refund())
    assert world.balance(world.buyer.address) - before == PRICE_WEI
    assert (sale.status(), sale.is_sold()) == (Status.REFUNDED, False)


def test_a_cancelled_listing_cannot_be_bought(any_world: World) -> None:
    """And the error says where it stands."""
    world = any_world
    sale = world.list()
    world.send(world.seller, sale.cancel())
    with pytest.raises(errors.NotListed) as refused:
        world.send(world.buyer, sale.buy(PRICE_WEI))
    assert refused.value.status is Status.CANCELLED


@pytest.mark.row("B9")
def test_a_sale_says_what_was_listed(any_world: World) -> None:
    """Everything that the seller filled in, in `getItem`, in the views and in the terms."""
    world = any_world
    listing = world.listing(window_s=HOUR_S)
    world.send(world.seller, world.factory.create_sale(listing))
    address = world.factory.find(world.seller.address, listing)
    assert address == world.factory.address_of(world.seller.address, listing)
    sale = type(world.list()).at(world.w3, address or "")
    assert world.factory.is_sale(sale.address)
    item = sale.get_item()
    assert (item.make, item.model, item.year, item.price_wei) == ("Nimbus", "alpha", 2019, PRICE_WEI)
    assert (item.owner, item.buyer, item.sold) == (world.seller.address, NOBODY, False)
    assert (sale.number(), sale.site(), sale.edition(), sale.window_s()) == (listing.number, world.site, 0, HOUR_S)
    expected = Terms(world.seller.address, PRICE_WEI, HOUR_S, world.site, 0, 2019, "Nimbus", "alpha", listing.number)
    assert sale.terms() == expected == listing.terms(world.seller.address)


def test_abort_kills_the_used_voucher_and_leaves_the_sale_to_its_buyer(any_world: World) -> None:
    """The old voucher is refused, a new one is taken."""
    world = any_world
    sale = world.sold()
    old = world.voucher(sale)
    world.send(world.device, sale.release(old))
    world.send(world.device, sale.abort())
    assert (sale.status(), sale.attempt(), sale.device()) == (Status.SOLD, 1, 0)
    with pytest.raises(errors.InvalidVoucher) as refused:
        world.send(world.device, sale.release(old))
    assert refused.value.attempt == 1
    world.send(world.device, sale.release(world.voucher(sale)))
    assert sale.status() is Status.RELEASING


def test_revoke_kills_every_voucher_signed_before(any_world: World) -> None:
    """Also one that was signed for later."""
    world = any_world
    sale = world.sold()
    old = [world.voucher(sale), world.voucher(sale, expires_at=world.node.time + HOUR_S)]
    world.send(world.buyer, sale.revoke())
    for voucher in old:
        with pytest.raises(errors.InvalidVoucher):
            world.send(world.device, sale.release(voucher))


def test_a_voucher_is_consumed_once(any_world: World) -> None:
    """A second release of it is refused while Releasing and when Released."""
    world = any_world
    sale = world.sold()
    voucher = world.voucher(sale)
    world.send(world.device, sale.release(voucher))
    with pytest.raises(errors.NotSold) as refused:
        world.send(world.device, sale.release(voucher))
    assert refused.value.status is Status.RELEASING
    world.send(world.device, sale.complete())
    with pytest.raises(errors.NotSold) as refused:
        world.send(world.device, sale.release(voucher))
    assert refused.value.status is Status.RELEASED


def test_a_batch_is_listed_as_a_whole_or_not_at_all(any_world: World) -> None:
    """The error names the place of what cannot be listed, and nothing else is listed either."""
    world = any_world
    listings = [world.listing() for _ in range(3)]
    world.send(world.seller, world.factory.create_sales(listings))
    assert all(world.factory.find(world.seller.address, one) for one in listings)
    fresh = world.listing()
    with pytest.raises(errors.AlreadyListed) as refused:
        world.send(world.seller, world.factory.create_sales([fresh, listings[1]]))
    assert refused.value.index == 1
    assert refused.value.sale == world.factory.find(world.seller.address, listings[1])
    assert world.factory.find(world.seller.address, fresh) is None


@pytest.mark.row("B10")
def test_buying_is_all_or_nothing(any_world: World) -> None:
    """A wrong price and a second buy change nothing and cost the price of no goods."""
    world = any_world
    sale = world.list(window_s=HOUR_S)
    for wrong in (0, PRICE_WEI - 1, PRICE_WEI + 1):
        with pytest.raises(errors.WrongPrice):
            world.send(world.buyer, sale.buy(wrong))
    assert (sale.status(), world.balance(sale.address)) == (Status.LISTED, 0)
    world.send(world.buyer, sale.buy(PRICE_WEI))
    with pytest.raises(errors.NotListed):
        world.send(world.rival, sale.buy(PRICE_WEI))
    assert (sale.get_item().buyer, world.balance(sale.address)) == (world.buyer.address, PRICE_WEI)


@pytest.mark.row("B12")
def test_verifying_costs_nothing(any_world: World) -> None:
    """It is asked by `eth_call`: no block, no nonce, no balance changes."""
    world = any_world
    sale = world.sold()
    before = (world.w3.eth.block_number, world.balance(world.buyer.address), world.balance(world.device.address))
    assert sale.verify_ownership(world.buyer.address)
    after = (world.w3.eth.block_number, world.balance(world.buyer.address), world.balance(world.device.address))
    assert before == after


def test_an_escrow_is_refunded_when_its_window_is_over(any_world: World) -> None:
    """On real time: the buyer waits some seconds, not one too few."""
    world = any_world
    sale = world.sold(window_s=3)
    voucher = world.voucher(sale)
    deadline = sale.refundable_at()
    for block in range(world.w3.eth.block_number - 1, world.w3.eth.block_number + 1):
        if sale.is_sold(block) and world.w3.eth.get_block(block)["timestamp"] < deadline:
            with pytest.raises(errors.RefundTooEarly):
                simulate(world.w3, world.buyer.address, sale.refund(), block)
    world.node.await_time(deadline)
    with pytest.raises(errors.DeadlinePassed):
        world.send(world.device, sale.release(voucher))
    before = world.balance(sale.address)
    world.send(world.buyer, sale.refund())
    assert (before, world.balance(sale.address), sale.status()) == (PRICE_WEI, 0, Status.REFUNDED)
