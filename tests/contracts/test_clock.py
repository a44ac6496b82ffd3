"""Boundaries, exact to the second, in mined blocks of exactly that time."""

from __future__ import annotations

import pytest
from eth_account.signers.local import LocalAccount
from web3.types import TxReceipt

from contracts import errors
from contracts.calls import Call, why_reverted
from contracts.sale import Sale, Status
from tests.contracts.world import HOUR_S, World

GRACE_S = 7 * 86_400


def _at(world: World, time: int, sender: LocalAccount, call: Call) -> TxReceipt:
    """Have the call mined in a block of exactly this time."""
    (receipt,) = world.node.mine_at(time, world.sign(sender, call))
    if receipt["status"] != 1:
        raise why_reverted(world.w3, sender.address, call, receipt)
    return receipt


@pytest.mark.parametrize(("late", "accepted"), [(-1, True), (0, False), (1, False)])
def test_a_voucher_expires_at_its_second(clock_world: World, late: int, accepted: bool) -> None:
    """It is good in the second before `expires_at`, and no more in that second."""
    world = clock_world
    sale = world.sold()
    expires_at = world.node.time + HOUR_S
    call = sale.release(world.voucher(sale, expires_at=expires_at))
    if accepted:
        _at(world, expires_at + late, world.device, call)
        assert sale.status() is Status.RELEASING
        return
    with pytest.raises(errors.VoucherExpired) as refused:
        _at(world, expires_at + late, world.device, call)
    assert (refused.value.expires_at, refused.value.time) == (expires_at, expires_at + late)


@pytest.mark.parametrize(("late", "accepted"), [(-1, True), (0, False)])
def test_nothing_is_released_from_the_deadline_on(clock_world: World, late: int, accepted: bool) -> None:
    """In the second in which the buyer may take the money back, the goods stay."""
    world = clock_world
    sale = world.sold(window_s=HOUR_S)
    deadline = sale.refundable_at()
    call = sale.release(world.voucher(sale))
    if accepted:
        _at(world, deadline + late, world.device, call)
        assert sale.status() is Status.RELEASING
        return
    with pytest.raises(errors.DeadlinePassed) as refused:
        _at(world, deadline + late, world.device, call)
    assert (refused.value.refundable_at, refused.value.time) == (deadline, deadline + late)


@pytest.mark.parametrize("releasing", [False, True])
def test_the_buyer_takes_the_money_back_from_the_deadline_on(clock_world: World, releasing: bool) -> None:
    """At the deadline while Sold, a week later while Releasing; not one second before."""
    world = clock_world
    sale = world.releasing(window_s=HOUR_S) if releasing else world.sold(window_s=HOUR_S)
    deadline = sale.refundable_at() + (GRACE_S if releasing else 0)
    with pytest.raises(errors.RefundTooEarly) as refused:
        _at(world, deadline - 1, world.buyer, sale.refund())
    assert (refused.value.refundable_at, refused.value.time) == (deadline, deadline - 1)
    _at(world, deadline, world.buyer, sale.refund())
    assert sale.status() is Status.REFUNDED
    assert world.balance(sale.address) == 0


def test_the_window_starts_with_the_purchase(clock_world: World) -> None:
    """`refundable_at` is the block's time and the window."""
    world = clock_world
    sale = world.list(window_s=HOUR_S)
    time = world.node.time + 1_000
    _at(world, time, world.buyer, sale.buy(sale.get_item().price_wei))
    assert sale.refundable_at() == time + HOUR_S


@pytest.mark.parametrize(("late", "active"), [(-1, True), (0, False)])
def test_a_device_expires_at_its_second(clock_world: World, late: int, active: bool) -> None:
    """From then on it releases nothing, and its operator settles what it left."""
    world = clock_world
    until = world.node.time + HOUR_S
    device, device_id = world.new_device()
    consent = world.consent(device, world.site, until, device_id)
    world.send(world.operator, world.registry.rotate(device_id, device.address, until, bytes(range(32)), consent))
    left, sale = world.sold(), world.sold()
    world.send(device, left.release(world.voucher(left)))
    voucher = world.voucher(sale)
    if active:
        _at(world, until + late, device, sale.release(voucher))
        _settled_by(world, left, device)
        return
    with pytest.raises(errors.DeviceNotActive):
        _at(world, until + late, device, sale.release(voucher))
    with pytest.raises(errors.NotSettler):
        world.send(device, left.complete())
    _settled_by(world, left, world.operator)


def _settled_by(world: World, sale: Sale, who: LocalAccount) -> None:
    (receipt,) = world.node.mine_at(world.node.time, world.sign(who, sale.complete()))
    assert receipt["status"] == 1
    assert sale.status() is Status.RELEASED
