"""The refusals that follow from time, sealers and blocks; each begins with a picture, before a chain made for it."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.sale_state import SaleState, Status
from iot_client.admin import ask_pi
from iot_client.checkup import check_up
from iot_client.reasons import LINES, Refusal
from tests.contracts.proof import sealing
from tests.contracts.proof.lying import flip_hex
from tests.iot_client.lying_gateway import DEVICE, OWNER, Attack, LyingDoor, lying_door, release
from tests.iot_client.recording import PAGE, SUCCESS, is_said, recorded
from tests.iot_client.test_lying_gateway import only
from tests.iot_client.warehouse import wait_until

pytestmark = pytest.mark.slow
HOUR_S = 3_600


def said(door: LyingDoor) -> Callable[[], str]:
    """What the door has said; it has begun with being ready."""
    screen = door.folder / "door.txt"
    wait_until(screen.exists, "the door is ready")
    return screen.read_text


@pytest.mark.parametrize(("reason", "ahead_s"), [("clock-wrong", HOUR_S), ("chain-stale", -HOUR_S)])
def test_a_clock_that_is_an_hour_off_is_found_by_the_chains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str, ahead_s: int
) -> None:
    """An expired voucher could pass with a slow clock: nothing is released, and `check` tells the operator."""
    with lying_door(tmp_path / "gate", monkeypatch, ahead_s=ahead_s) as door:
        with recorded(reason, said(door)):
            assert door.show() == reason
        assert door.gateway.mined == {}
        found = {one.part: one for one in check_up(door.settings)}["clock"]
        assert not found.well
        assert "timedatectl" in found.says


def test_a_node_that_lies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that the sealers did not sign is worth nothing."""
    with lying_door(tmp_path / "gate", monkeypatch) as door, recorded("node-lied", said(door)):
        door.gateway.begin(Attack("foreign code", result=only("eth_getCode", flip_hex)))
        assert door.show() == "node-lied"


def test_a_door_that_was_off_for_too_long_knows_no_sealers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that were retired meanwhile must not speak for the chain."""
    with lying_door(tmp_path / "gate", monkeypatch, max_checkpoint_age_s=1.0) as door:
        began = time.time()
        wait_until(lambda: time.time() > began + 2.1, "the sealers are too old")
        with recorded("sealers-unknown", said(door)):
            assert door.show() == "sealers-unknown"


def test_a_fault_of_its_own_is_told_and_leaves_the_door_shut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with the program, the person is not left without a word, and the next picture is served."""
    with lying_door(tmp_path / "gate", monkeypatch) as door:
        with monkeypatch.context() as broken, recorded("internal", said(door)):
            broken.setattr(door.pi.attendant._examiner, "examine", lambda _: 1 // 0)
            assert door.show() == "internal"
        assert door.show("again.png") == "released"


def test_a_release_that_another_door_made_first_was_not_this_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chain took up another transaction; the lock is not touched."""
    with lying_door(tmp_path / "gate", monkeypatch) as door, recorded("not-mined", said(door)):
        assert door.show() == "released"
        release(door.gateway.chain, SaleState(Status.RELEASED, OWNER.address, 0, 0, DEVICE))
        tells(door, Refusal.NOT_MINED)
    assert door.pulses == 0


def test_what_is_proven_too_late_opens_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever scanned may have left; and once the chain took the release back, the operator's order opens nothing."""
    with lying_door(tmp_path / "gate", monkeypatch, open_within_s=0.5) as door:
        with recorded("too-late", said(door)):
            assert door.show() == "released"
            began = time.time()
            wait_until(lambda: time.time() > began + 0.6, "it is too late")
            release(door.gateway.chain)
            tells(door, Refusal.TOO_LATE)
        release(door.gateway.chain, SaleState(Status.REFUNDED, OWNER.address, 0, 0, 0))
        with recorded("undone", said(door)):
            order: dict[str, object] = {"do": "open", "sale": sealing.SALE, "attempt": 0, "reason": "asked to"}
            assert ask_pi(door.folder / "admin.sock", order)["outcome"] == "done"
            tells(door, Refusal.UNDONE)
        assert door.pulses == 0


def tells(door: LyingDoor, refusal: Refusal) -> None:
    """Wait until the door says it."""
    wait_until(lambda: LINES[refusal].says in said(door)(), refusal)


@pytest.mark.parametrize("refusal", Refusal)
def test_the_recording_has_every_refusal(refusal: Refusal) -> None:
    """docs/door.md was made from pictures; a refusal that is added or reworded asks for a new recording."""
    assert is_said(refusal, PAGE.read_text())


def test_the_recording_shows_a_gate_that_opens() -> None:
    """From the picture to the open gate and the chain."""
    part = PAGE.read_text().partition(f"## {SUCCESS}\n")[2].partition("\n## ")[0]
    for word in ("Ownership verified.", "Unlocked.", "OPEN.", "Completed on chain."):
        assert word in part
