"""What was recorded on a real network is proven, from the files alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.__main__ import main
from contracts.hexadecimal import to_hex
from contracts.portable import Anchor, says, sealers_of, verify_portable
from contracts.proof_errors import Flaw, ProofError
from contracts.sale_state import Status
from contracts.slot import encode_slot
from contracts.terms import Terms
from tests.contracts.proof.offline import LOOK, clean_checkout, verify_offline, without_network
from tests.contracts.proof.record import VECTORS

EXPECTED = json.loads((VECTORS / "expected.json").read_text())


def text(name: str) -> str:
    """The vector of this name."""
    return (VECTORS / f"{name}.json").read_text()


@pytest.mark.parametrize("name", EXPECTED)
def test_every_vector_proves_what_was_recorded(name: str) -> None:
    """By the checkpoint's hash alone, and by the sealers alone."""
    wanted = EXPECTED[name]
    for anchor in (
        Anchor(checkpoint=bytes.fromhex(wanted["checkpoint"][2:])),
        Anchor(sealers=sealers_of(wanted["sealers"])),
    ):
        found = verify_portable(text(name), anchor)
        assert says(found) == wanted["says"]
        assert found.terms == Terms(**wanted["terms"])  # a later field has its default
        assert to_hex(found.row.base.hash) == wanted["base_hash"]
        assert [to_hex(header.sealer) for header in found.row.headers] == wanted["sealed_by"]
        assert encode_slot(found.state) >> 160 & 0xFF == found.state.status


def test_the_recorded_life_goes_from_listed_to_released() -> None:
    """One file for each status, all of the same sale."""
    found = [verify_portable(text(name), Anchor(sealers=sealers_of(EXPECTED[name]["sealers"]))) for name in EXPECTED]
    assert {one.state.status for one in found} == {
        Status.LISTED,
        Status.SOLD,
        Status.RELEASING,
        Status.RELEASED,
    }
    assert len({one.sale for one in found}) == 1


def test_a_vote_out_and_back_in_is_followed_from_the_genesis() -> None:
    """The walk passes through an epoch of two sealers."""
    body = json.loads(text("walked"))
    listed = [(len(row[0]) - len(body["headers"][0])) // 40 for row in body["walk"]]
    assert len(set(listed)) > 1
    assert verify_portable(text("walked"), Anchor(bytes.fromhex(EXPECTED["walked"]["checkpoint"][2:])))


def test_a_walk_that_leaves_out_an_epoch_is_refused() -> None:
    """No epoch block may be passed over."""
    body = json.loads(text("walked"))
    for index in range(len(body["walk"])):
        shorter = body | {"walk": body["walk"][:index] + body["walk"][index + 1 :]}
        with pytest.raises(ProofError) as refused:
            verify_portable(_sealed(shorter), Anchor(sealers=sealers_of(EXPECTED["walked"]["sealers"])))
        assert refused.value.flaw in (Flaw.OTHER_BLOCK, Flaw.CHECKPOINT_BEHIND, Flaw.STRANGER_HEAD)


def test_another_checkpoint_or_other_sealers_are_refused() -> None:
    """Whoever knows something else believes nothing."""
    for anchor in (Anchor(bytes(32)), Anchor(sealers=frozenset({bytes(20)})), Anchor()):
        with pytest.raises(ProofError) as refused:
            verify_portable(text("sold"), anchor)
        assert refused.value.flaw is Flaw.OTHER_CHAIN


def test_a_proof_is_verified_on_a_clean_checkout_with_the_network_down(tmp_path: Path) -> None:
    """With nothing but the committed files, the proof and the sealers; not even loopback can be reached."""
    checkout = clean_checkout(tmp_path / "checkout")
    assert "unreachable" in without_network("-c", LOOK, folder=checkout).stderr
    good = verify_offline(checkout, VECTORS / "released.json", EXPECTED["released"]["sealers"])
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["status"] == "Released"
    bad = verify_offline(checkout, VECTORS / "released.json", EXPECTED["released"]["sealers"][:2])
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "other sealers than yours" in bad.stderr


def test_a_proof_from_another_checkpoint_is_refused_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1, and a reason."""
    assert main(["proof", "verify", str(VECTORS / "released.json"), "--checkpoint", "0x" + "00" * 32]) == 1
    assert "not at yours" in capsys.readouterr().err


def _sealed(body: dict[str, object]) -> str:
    """The file as a forger would write it: with a digest that fits."""
    from contracts.portable import _digest

    return json.dumps(body | {"digest": _digest(body)})
