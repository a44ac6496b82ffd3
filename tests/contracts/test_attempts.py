"""The counter of attempts at its end, set there in the sale's one slot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts import errors
from contracts.sale import Sale, Status
from contracts.slot import decode_slot, encode_slot
from tests.contracts.world import HOUR_S, World

LAST = (1 << 24) - 1
LAST_REVOKED = LAST - 1_024


def _sold_at(world: World, attempt: int) -> Sale:
    sale = world.sold(window_s=HOUR_S)
    word = int.from_bytes(world.w3.eth.get_storage_at(sale.address, 0), "big")
    assert decode_slot(word) == sale.state()
    changed = encode_slot(replace(decode_slot(word), attempt=attempt))
    world.node.rpc("anvil_setStorageAt", sale.address, f"0x{0:064x}", f"0x{changed:064x}")
    assert (sale.attempt(), sale.status()) == (attempt, Status.SOLD)
    return sale


def test_revoke_leaves_a_thousand_attempts_to_abort(anvil_world: World) -> None:
    """The last one that it may reach, and the first that it may not leave."""
    world = anvil_world
    sale = _sold_at(world, LAST_REVOKED - 1)
    world.send(world.buyer, sale.revoke())
    with pytest.raises(errors.AttemptsExhausted) as refused:
        world.send(world.buyer, sale.revoke())
    assert refused.value.attempt == LAST_REVOKED
    world.send(world.device, sale.release(world.voucher(sale)))
    world.send(world.device, sale.abort())
    assert sale.attempt() == LAST_REVOKED + 1


def test_the_last_attempt_can_be_released_and_completed_but_not_aborted(anvil_world: World) -> None:
    """Nothing is carried into the next field: buyer, deadline and device stay what they are."""
    world = anvil_world
    sale = _sold_at(world, LAST)
    before = sale.state()
    world.send(world.device, sale.release(world.voucher(sale)))
    with pytest.raises(errors.AttemptsExhausted) as refused:
        world.send(world.device, sale.abort())
    assert refused.value.attempt == LAST
    with pytest.raises(errors.AttemptsExhausted):
        world.send(world.buyer, _sold_at(world, LAST).revoke())
    world.send(world.device, sale.complete())
    assert sale.state() == replace(before, status=Status.RELEASED, device=world.device_id)


def test_an_early_voucher_is_not_good_again_at_the_end(anvil_world: World) -> None:
    """The first attempt's signature means nothing for the last one."""
    world = anvil_world
    sale = _sold_at(world, LAST)
    for attempt in (0, LAST - 1):
        with pytest.raises(errors.InvalidVoucher):
            world.send(world.device, sale.release(world.voucher(sale, attempt=attempt)))
