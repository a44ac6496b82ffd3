"""What the operator orders: by signature through the cloud, once and in time; and by hand on the machine."""

import time
import uuid
from typing import Any

import pytest
from eth_account import Account

from contracts.command import NO_SALE, command_data
from iot_client.cloud.documents import Command, OpenRequest, Partial, command_in, parse, wanted_by
from iot_client.cloud.operator import refuse_command
from iot_client.gate.simulated import set_mode
from tests.iot_client.warehouse import Door, Warehouse, wait_until

OPERATOR = Account.from_key("0x" + "0a" * 32)
STRANGER = Account.from_key("0x" + "0b" * 32)
PLACE = {"chain_id": 1337, "device_id": 7, "operator": OPERATOR.address}


def signed(signer: Any, *, chain_id: int = 1337, device_id: int = 7, **changes: Any) -> dict[str, Any]:
    """A command as it stands in the shadow."""
    fields: dict[str, Any] = {
        "id": uuid.uuid4().hex, "kind": "open", "sale": NO_SALE, "attempt": 0, "reason": "fire drill", "before": 2_000,
    } | changes  # fmt: skip
    data = command_data(chain_id=chain_id, device_id=device_id, **fields)
    return fields | {"signature": signer.sign_typed_data(full_message=data).signature.to_0x_hex()}


def command(fields: dict[str, Any]) -> Command:
    """The command read from a document."""
    found = command_in({"command": fields})
    assert isinstance(found, Command)
    return found


def test_the_operators_signature_is_obeyed() -> None:
    """A command of this operator for this device, in time, is not refused."""
    assert refuse_command(command(signed(OPERATOR)), now=1_999, **PLACE) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "now", "why"),
    [
        (signed(OPERATOR), 2_000, "too late"),
        (signed(STRANGER), 0, "not signed by"),
        (signed(OPERATOR, device_id=8), 0, "not signed by"),
        (signed(OPERATOR, chain_id=1), 0, "not signed by"),
        (signed(OPERATOR) | {"kind": "opened"}, 0, "not signed by"),
        (signed(OPERATOR) | {"before": 9_999}, 0, "not signed by"),
        (signed(OPERATOR) | {"signature": "0x00"}, 0, "cannot be read"),
        (signed(OPERATOR) | {"signature": "nonsense"}, 0, "cannot be read"),
    ],
)
def test_every_other_command_is_refused(fields: dict[str, Any], now: float, why: str) -> None:
    """Late, foreign, altered or malformed: refused in words."""
    refused = refuse_command(command(fields), now=now, **PLACE)  # type: ignore[arg-type]
    assert refused is not None
    assert why in refused


@pytest.mark.parametrize(
    "state",
    [
        {"release": {"sale": "0x" + "ab" * 20, "attempt": 0}},
        {"release": {"attempt": 1}},
        {"release": {"sale": "0x12", "attempt": 0, "openBefore": 1}},
        {"release": {"sale": "0x" + "ab" * 20, "attempt": True, "openBefore": 1}},
        {"release": {"sale": "0x" + "ab" * 20, "attempt": -1, "openBefore": 1}},
        {"release": {"sale": "0x" + "ab" * 20, "attempt": 0, "openBefore": "soon"}},
    ],
)
def test_a_partial_or_odd_request_opens_nothing(state: dict[str, Any]) -> None:
    """A delta that is not whole asks for the document instead."""
    assert isinstance(wanted_by(state), Partial)


def test_a_whole_request_is_read() -> None:
    """Sale, attempt and openBefore."""
    state = {"release": {"sale": "0x" + "ab" * 20, "attempt": 2, "openBefore": 9}}
    assert wanted_by(state) == OpenRequest("0x" + "ab" * 20, 2, 9.0)


@pytest.mark.parametrize("payload", [b"", b"[]", b"nonsense", b"\xff\xfe", b'"text"', b"[" * 50_000])
def test_what_is_no_document_wants_nothing(payload: bytes) -> None:
    """The wire may carry anything."""
    assert wanted_by(parse(payload).get("state")) is None
    assert command_in(parse(payload).get("state")) is None


def order(warehouse: Warehouse, door: Door, **changes: Any) -> str:
    """Put a signed command of the warehouse's operator into the shadow; returns its id."""
    world = warehouse.world
    fields = signed(
        world.operator, chain_id=world.chain_id, device_id=door.config()["device_id"],
        **({"before": int(time.time()) + 60} | changes),
    )  # fmt: skip
    put(warehouse, door, fields)
    return str(fields["id"])


def put(warehouse: Warehouse, door: Door, fields: dict[str, Any]) -> None:
    """Publish it as the web application does."""
    warehouse.update_shadow(door, {"desired": {"command": fields}}, "operator")


def outcome(warehouse: Warehouse, door: Door, command_id: str) -> str:
    """What the door reports of it."""

    def told() -> str | None:
        last = warehouse.shadow(door, "operator").get("reported", {}).get("lastCommand", {})
        return str(last["outcome"]) if last.get("id") == command_id else None

    return str(wait_until(told, f"the outcome of {command_id}"))


@pytest.mark.slow
def test_a_signed_command_opens_once(warehouse: Warehouse, door: Door) -> None:
    """The operator opens in an emergency; the same command again, as any delta may come twice, opens nothing."""
    before = door.gate()["pulses"]
    world = warehouse.world
    fields = signed(
        world.operator, chain_id=world.chain_id, device_id=door.config()["device_id"], before=int(time.time()) + 600
    )
    put(warehouse, door, fields)
    assert outcome(warehouse, door, fields["id"]) == "done"
    door.locked()
    put(warehouse, door, fields)
    later = order(warehouse, door, kind="opened", sale=world.list().address)
    assert outcome(warehouse, door, later) == "no such case"
    assert door.gate()["pulses"] == before + 1
    assert "Opened by the operator" in door.said()


@pytest.mark.slow
def test_a_signed_command_settles_a_case(warehouse: Warehouse, spare_door: Door) -> None:
    """A gate without a sensor leaves a case; the operator's signed word completes it on chain."""
    sale = warehouse.world.sold()
    set_mode(spare_door.folder / "gate.json", "blind")
    spare_door.start()
    try:
        spare_door.outcome(warehouse.voucher(sale))
        spare_door.reaches(sale, "case")
        assert outcome(warehouse, spare_door, order(warehouse, spare_door, kind="opened", sale=sale.address)) == "done"
        spare_door.reaches(sale, "completed")
    finally:
        spare_door.stop()
        set_mode(spare_door.folder / "gate.json", "ok")
    assert sale.status().name == "RELEASED"


@pytest.mark.slow
def test_a_release_that_came_too_late_waits_and_is_aborted(warehouse: Warehouse, spare_door: Door) -> None:
    """Past openBefore nothing opens; shown again it would, and when nobody comes it is aborted."""
    sale = warehouse.world.sold()
    pulses = spare_door.gate()["pulses"]
    spare_door.start(open_within_s=0.01, abort_after_s=2)
    try:
        spare_door.outcome(warehouse.voucher(sale))
        spare_door.reaches(sale, "aborted")
    finally:
        spare_door.stop()
    assert (sale.status().name, sale.attempt()) == ("SOLD", 1)
    assert spare_door.gate()["pulses"] == pulses


@pytest.mark.slow
def test_a_late_release_opens_when_it_is_shown_again(warehouse: Warehouse, spare_door: Door) -> None:
    """The same voucher shown again gets a new openBefore; the gate opens once."""
    sale = warehouse.world.sold()
    text, openings = warehouse.voucher(sale), spare_door.gate()["openings"]
    spare_door.start(open_within_s=0.01, abort_after_s=600)
    spare_door.outcome(text)
    spare_door.reaches(sale, "late")
    spare_door.kill()
    spare_door.start()
    try:
        assert spare_door.outcome(text) == "shown-again"
        spare_door.reaches(sale, "completed")
    finally:
        spare_door.stop()
    assert spare_door.gate()["openings"] == openings + 1


@pytest.mark.slow
def test_the_cloud_alone_opens_nothing(warehouse: Warehouse, door: Door) -> None:
    """Whoever can write `desired` cannot open: the journal must hold a proven release of this sale and attempt."""
    sale, before = warehouse.world.sold(), door.gate()["pulses"]
    release = {"sale": sale.address, "attempt": 0, "openBefore": int(time.time()) + 60}
    warehouse.update_shadow(door, {"desired": {"release": release}})
    wait_until(lambda: "release" not in warehouse.shadow(door).get("desired", {}), "the request is cleared")
    assert door.gate()["pulses"] == before
    assert "request-refused" in str(door.events())
