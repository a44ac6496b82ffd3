"""Two calls in one block, in both orders: one is done, the other refused, and the money is in one place."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from eth_account.signers.local import LocalAccount

from contracts.calls import Call
from contracts.sale import Sale, Status
from tests.contracts.world import HOUR_S, PRICE_WEI, World, fund

GRACE_S = 7 * 86_400
BOTH_ORDERS = pytest.mark.parametrize("first", [0, 1])


@dataclass(frozen=True)
class Move:
    """Who calls what, and where the sale stands if this is done alone."""

    who: LocalAccount
    call: Call
    then: Status


def _race(world: World, moves: tuple[Move, Move], first: int, *, at: int | None = None) -> tuple[bool, bool]:
    """Both in one block; whether each was done, the given one being first."""
    ordered = (moves[first], moves[1 - first])
    signed = [world.sign(move.who, move.call, tip_gwei=tip) for move, tip in zip(ordered, (9, 1), strict=True)]
    receipts = world.node.mine_at(at or world.node.time + 1, *reversed(signed))
    assert receipts[1]["transactionIndex"] < receipts[0]["transactionIndex"]
    done = [receipt["status"] == 1 for receipt in reversed(receipts)]
    return (done[0], done[1])


def _one_wins(world: World, sale: Sale, moves: tuple[Move, Move], first: int, *, at: int | None = None) -> None:
    assert _race(world, moves, first, at=at) == (True, False)
    assert sale.status() is moves[first].then


@BOTH_ORDERS
def test_refund_and_release(anvil_world: World, first: int) -> None:
    """The seller gives the money back or the door opens; never both."""
    world = anvil_world
    sale = world.sold(window_s=HOUR_S)
    moves = (
        Move(world.seller, sale.refund(), Status.REFUNDED),
        Move(world.device, sale.release(world.voucher(sale)), Status.RELEASING),
    )
    _one_wins(world, sale, moves, first)
    assert world.balance(sale.address) == (0 if sale.status() is Status.REFUNDED else PRICE_WEI)


@BOTH_ORDERS
def test_refund_and_complete(anvil_world: World, first: int) -> None:
    """A week after the deadline the buyer's refund and the door's report meet: one payout."""
    world = anvil_world
    sale = world.releasing(window_s=HOUR_S)
    seller, buyer = world.balance(world.seller.address), world.balance(world.buyer.address)
    moves = (
        Move(world.buyer, sale.refund(), Status.REFUNDED),
        Move(world.device, sale.complete(), Status.RELEASED),
    )
    _one_wins(world, sale, moves, first, at=sale.refundable_at() + GRACE_S)
    assert world.balance(sale.address) == 0
    paid_out = world.balance(world.seller.address) - seller
    assert paid_out == (0 if sale.status() is Status.REFUNDED else PRICE_WEI)
    assert world.balance(world.buyer.address) - buyer <= PRICE_WEI - paid_out


@BOTH_ORDERS
def test_revoke_and_release(anvil_world: World, first: int) -> None:
    """A revoked voucher opens nothing; a consumed one cannot be revoked."""
    world = anvil_world
    sale = world.sold()
    moves = (
        Move(world.buyer, sale.revoke(), Status.SOLD),
        Move(world.device, sale.release(world.voucher(sale)), Status.RELEASING),
    )
    _one_wins(world, sale, moves, first)
    assert sale.attempt() == (1 if first == 0 else 0)


@BOTH_ORDERS
def test_cancel_and_buy(anvil_world: World, first: int) -> None:
    """Nobody pays for what was withdrawn, nobody withdraws what was paid for."""
    world = anvil_world
    sale = world.list(window_s=HOUR_S)
    moves = (
        Move(world.seller, sale.cancel(), Status.CANCELLED),
        Move(world.buyer, sale.buy(PRICE_WEI), Status.SOLD),
    )
    _one_wins(world, sale, moves, first)
    assert world.balance(sale.address) == (PRICE_WEI if sale.is_sold() else 0)


@BOTH_ORDERS
@pytest.mark.row("B10")
def test_two_buyers(anvil_world: World, first: int) -> None:
    """The first one pays and is the buyer, the other keeps the price."""
    world = anvil_world
    sale = world.list()
    fund(world.node, world.rival.address)
    before = [world.balance(one.address) for one in (world.buyer, world.rival)]
    moves = (
        Move(world.buyer, sale.buy(PRICE_WEI), Status.SOLD),
        Move(world.rival, sale.buy(PRICE_WEI), Status.SOLD),
    )
    _one_wins(world, sale, moves, first)
    after = [world.balance(one.address) for one in (world.buyer, world.rival)]
    assert sale.get_item().buyer == moves[first].who.address
    assert [(old - new) // PRICE_WEI for old, new in zip(before, after, strict=True)] == [1 - first, first]


@BOTH_ORDERS
def test_decommission_and_complete(anvil_world: World, first: int) -> None:
    """A device that is retired first does not settle; its operator does then."""
    world = anvil_world
    device, device_id = world.new_device()
    sale = world.sold(window_s=HOUR_S)
    world.send(device, sale.release(world.voucher(sale)))
    moves = (
        Move(world.operator, world.registry.decommission(device_id), Status.RELEASING),
        Move(device, sale.complete(), Status.RELEASED),
    )
    done = _race(world, moves, first)
    assert done == ((True, False) if first == 0 else (True, True))
    assert not world.registry.device(device_id).active
    if first == 0:
        world.send(world.operator, sale.complete())
    assert sale.status() is Status.RELEASED
    assert world.balance(sale.address) == 0


@BOTH_ORDERS
def test_two_doors(anvil_world: World, first: int) -> None:
    """Two devices of a site scan one voucher: one of them releases."""
    world = anvil_world
    other, _ = world.new_device()
    sale = world.sold()
    release = sale.release(world.voucher(sale))
    moves = (Move(world.device, release, Status.RELEASING), Move(other, release, Status.RELEASING))
    _one_wins(world, sale, moves, first)
    assert sale.device() == world.registry.id_of(moves[first].who.address)
