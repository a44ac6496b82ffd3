"""Every reason for which a door stays shut, each beginning with a picture."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from contracts.sale import Sale
from iot_client.gate.simulated import set_mode
from iot_client.reasons import LINES, Refusal
from tests.contracts.world import HOUR_S, account
from tests.iot_client.pictures import code, photo, save
from tests.iot_client.recording import recorded
from tests.iot_client.test_scanner import bomb
from tests.iot_client.warehouse import Door, Warehouse, wait_until

pytestmark = pytest.mark.slow

Text = Callable[[Warehouse], str]


def of(make: Callable[[Warehouse], Sale]) -> Text:
    """The buyer's voucher for a sale made so."""
    return lambda warehouse: warehouse.voucher(make(warehouse))


def cancelled(warehouse: Warehouse) -> Sale:
    """A listing that its seller took back."""
    sale = warehouse.world.list()
    warehouse.world.send(warehouse.world.seller, sale.cancel())
    return sale


def refunded(warehouse: Warehouse) -> Sale:
    """An order whose seller gave the money back."""
    sale = warehouse.world.sold(window_s=HOUR_S)
    warehouse.world.send(warehouse.world.seller, sale.refund())
    return sale


def elsewhere(warehouse: Warehouse) -> Sale:
    """Goods at another site."""
    return warehouse.world.sold(site=warehouse.world.open_site("Hall 2"))


def replaced(warehouse: Warehouse) -> str:
    """A voucher that its buyer revoked."""
    sale = warehouse.world.sold()
    text = warehouse.voucher(sale)
    warehouse.world.send(warehouse.world.buyer, sale.revoke())
    return text


def one_bit_changed(warehouse: Warehouse) -> str:
    """A voucher with one bit of its signature changed."""
    sale = warehouse.world.sold()
    signature = bytearray(warehouse.world.voucher(sale).signature)
    signature[9] ^= 1
    return warehouse.changed(sale, signature=bytes(signature))


REASONS: dict[str, Text] = {
    "not-lading": lambda _: "https://example.org/receipt",
    "damaged": lambda _: "LADING:1:" + "::" * 60,
    "other-chain": lambda warehouse: warehouse.changed(warehouse.world.list(), chain_id=1),
    "not-our-sale": lambda warehouse: warehouse.changed(warehouse.world.list(), sale=account("stranger").address),
    "other-site": of(elsewhere),
    "not-paid": of(lambda warehouse: warehouse.world.list()),
    "refunded": of(refunded),
    "cancelled": of(cancelled),
    "refund-begun": of(lambda warehouse: warehouse.world.sold(window_s=60)),
    "wrong-buyer": lambda warehouse: warehouse.voucher(warehouse.world.sold(), signer=warehouse.world.rival),
    "replaced": replaced,
    "bad-signature": one_bit_changed,
    "expired": lambda warehouse: warehouse.voucher(warehouse.world.sold(), expires_at=1_700_000_000),
    "other-door": of(lambda warehouse: warehouse.world.releasing()),
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_voucher_that_is_not_good_is_refused_with_its_reason(warehouse: Warehouse, door: Door, reason: str) -> None:
    """The reason is the scan's outcome, the person is told, and neither gate nor chain is touched."""
    before, text = door.gate(), REASONS[reason](warehouse)
    with recorded(reason, door.said):
        assert door.outcome(text) == reason
    assert door.gate()["pulses"] == before["pulses"]
    assert "✘" in door.said()


def test_a_voucher_of_four_kilobytes_is_refused(door: Door) -> None:
    """The largest code that QR knows is read and refused before it is decoded."""
    text = "LADING:1:" + "A" * 3_300
    picture = save(photo(code(text, 4)), door.folder / "inbox" / "large.png")
    assert door.outcome_of(picture.name) == "not-lading"


PICTURES: dict[str, Callable[[Path], Path]] = {
    "no-code": lambda path: save(photo(), path),
    "two-codes": lambda path: save(photo(code("LADING:1:A", 8), code("LADING:1:B", 8)), path),
    "not-a-picture": lambda path: _written(path, b"<html>no picture</html>"),
    "too-large": lambda path: _written(path, bomb(20_000, 20_000)),
}


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("reason", PICTURES)
def test_a_picture_without_a_code_is_refused_with_its_reason(door: Door, tmp_path: Path, reason: str) -> None:
    """No code, two codes, no picture, a bomb: each is said."""
    made = PICTURES[reason](tmp_path / f"{reason}.png")
    with recorded(reason, door.said):
        assert door.outcome_of(made.rename(door.folder / "inbox" / made.name).name) == reason


def test_a_busy_gate_refuses_the_next(warehouse: Warehouse, spare_door: Door) -> None:
    """While one release is at the door another voucher waits, and is good afterwards."""
    first, second = warehouse.world.sold(), warehouse.world.sold()
    text = warehouse.voucher(second)
    # So many confirmations do not come: the first release stays at the door until the restart.
    spare_door.start(confirmations=1_000_000, open_within_s=3_600)
    assert spare_door.outcome(warehouse.voucher(first)) == "released"
    with recorded("gate-busy", spare_door.said):
        assert spare_door.outcome(text) == "gate-busy"
    spare_door.stop()
    spare_door.start()
    spare_door.reaches(first, "completed")
    spare_door.locked()
    assert spare_door.outcome(text) == "released"
    spare_door.reaches(second, "completed")
    spare_door.stop()


CONDITIONS: dict[str, dict[str, object]] = {
    "chain-unreachable": {"chain_url": "http://127.0.0.1:9", "timeout_s": 1},
    "cloud-unreachable": {"iot_port": 9},
    "low-balance": {"min_balance_wei": 10**30},
}


@pytest.mark.parametrize("reason", CONDITIONS)
def test_what_cannot_be_finished_is_not_begun(warehouse: Warehouse, spare_door: Door, reason: str) -> None:
    """Without chain, cloud, time or money nothing is consumed, and the voucher stays good."""
    sale = warehouse.world.sold()
    spare_door.start(cloud=False, **CONDITIONS[reason])
    try:
        text = warehouse.voucher(sale)
        with recorded(reason, spare_door.said):
            assert spare_door.outcome(text) == reason
    finally:
        spare_door.stop()
    assert sale.status().name == "SOLD"
    assert sale.attempt() == 0


def test_a_decommissioned_device_is_refused(warehouse: Warehouse) -> None:
    """The chain no longer lets this door release; the simulated call finds out before anything is sent."""
    door = warehouse.door("gate-retired", start=False)
    world, sale = warehouse.world, warehouse.world.sold()
    device = int(door.config()["device_id"])
    world.send(world.operator, world.registry.decommission(device))
    door.start()
    text = warehouse.voucher(sale)
    with recorded("not-authorised", door.said):
        assert door.outcome(text) == "not-authorised"
    assert sale.status().name == "SOLD"
    warehouse.close(door)


def test_a_jam_is_a_case_and_refuses_the_next(warehouse: Warehouse) -> None:
    """A bolt that sticks hands the order to the operator, and nobody else is let to the door."""
    door = warehouse.door("gate-jams")
    set_mode(door.folder / "gate.json", "jam")
    stuck, next_one = warehouse.world.sold(), warehouse.world.sold()
    first, second = warehouse.voucher(stuck), warehouse.voucher(next_one)
    with recorded("operator", door.said):
        assert door.outcome(first) == "released"
        door.reaches(stuck, "case")
        wait_until(lambda: LINES[Refusal.OPERATOR].says in door.said(), "the person is told")
    with recorded("gate-jammed", door.said):
        assert door.outcome(second) == "gate-jammed"
    assert door.order("not-opened", stuck, reason="the bolt stuck") == "done"
    door.reaches(stuck, "aborted")
    assert (stuck.status().name, stuck.attempt()) == ("SOLD", 1)
    warehouse.close(door)


def test_a_gate_that_stayed_shut_gives_the_goods_back(warehouse: Warehouse) -> None:
    """A sensor that watched to the relock saw no opening: the release is aborted, a new receipt is good."""
    door = warehouse.door("gate-sticks")
    set_mode(door.folder / "gate.json", "stick")
    sale = warehouse.world.sold()
    text = warehouse.voucher(sale)
    with recorded("stayed-shut", door.said):
        assert door.outcome(text) == "released"
        door.reaches(sale, "aborted")
    assert LINES[Refusal.STAYED_SHUT].says in door.said()
    assert (sale.status().name, sale.attempt()) == ("SOLD", 1)
    warehouse.close(door)


def test_a_gate_that_does_not_say_whether_it_is_locked_lets_nobody_else_in(warehouse: Warehouse) -> None:
    """Without its sensor a door that was unlocked is unknown, not closed: the next receipt stays good."""
    door = warehouse.door("gate-blind", pulse_s=60.0)
    set_mode(door.folder / "gate.json", "blind")
    first, second = warehouse.world.sold(), warehouse.world.sold()
    assert door.outcome(warehouse.voucher(first)) == "released"
    door.reaches(first, "case")
    wait_until(lambda: door.gate()["state"] is None, "a door that nobody sees")
    text = warehouse.voucher(second)
    with recorded("gate-unknown", door.said):
        assert door.outcome(text) == "gate-unknown"
    assert second.status().name == "SOLD"
    warehouse.close(door)


def test_no_voucher_stays_on_the_disk(warehouse: Warehouse, spare_door: Door) -> None:
    """No journal line, log line or picture that stays holds a voucher."""
    sale = warehouse.world.sold()
    text = warehouse.voucher(sale)
    spare_door.start()
    spare_door.outcome(text)
    spare_door.reaches(sale, "completed")
    spare_door.stop()
    kept = b"".join(path.read_bytes() for path in spare_door.folder.rglob("*") if path.is_file())
    assert text.encode() not in kept
    assert warehouse.world.voucher(sale).signature not in kept
    assert warehouse.world.voucher(sale).signature.hex().encode() not in kept
    assert list((spare_door.folder / "inbox").iterdir()) == []


def test_a_photograph_with_a_quarter_turn_mark_is_read(warehouse: Warehouse, door: Door, tmp_path: Path) -> None:
    """A telephone stores the turn beside the pixels; a JPEG of an unpaid order is read and refused for that."""
    text = warehouse.voucher(warehouse.world.list())
    image = Image.fromarray(photo(code(text)))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", "JPEG", exif=exif, quality=80)
    moved = (tmp_path / "turned.jpg").rename(door.folder / "inbox" / "turned.jpg")
    assert door.outcome_of(moved.name) == "not-paid"
