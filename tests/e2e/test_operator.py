"""What the operator and the auditor do on the pages, with the real door behind them."""

import itertools
import re
from pathlib import Path

import pytest

from contracts.sale import Status
from iot_client.gate.simulated import read_door, set_mode
from scripts.story.cast import THING, make_person
from scripts.story.people import Story
from scripts.story.processes import await_condition
from scripts.story.visitor import Visitor
from tests.e2e.conftest import Told, paid

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
GATE = f"/warehouse/{THING}"
PATIENCE_S = 90
DRILL, SETTLED = "fire drill", "the shelf is empty"


def door_of(story: Story) -> Path:
    """The file that is the simulated door."""
    return story.stage.path / "pi" / THING / "gate.json"


def pulses(story: Story) -> int:
    """How often the lock was energised, as the door itself counted."""
    return read_door(door_of(story)).pulses


def shows(visitor: Visitor, path: str, text: str) -> bool:
    """Whether a page says this."""
    return text in visitor.http.get(path).text


@pytest.fixture(scope="module")
def drill(told: Told) -> int:
    """Open the gate by the operator's signed command, once; how many pulses that took."""
    operator, before = told.story.visitor(told.story.operator), pulses(told.story)
    await_condition(lambda: shows(operator, GATE, 'data-gate="LOCKED"'), "the page showing the locked gate", PATIENCE_S)
    operator.send(f"{GATE}/open", "reason", reason=DRILL, passphrase=told.story.operator.passphrase)
    await_condition(lambda: shows(operator, GATE, "Order: done"), "the door's word on the page", PATIENCE_S)
    await_condition(lambda: shows(operator, GATE, 'data-gate="LOCKED"'), "the gate locking again", PATIENCE_S)
    return pulses(told.story) - before


@pytest.fixture(scope="module")
def settled(told: Told, shelf: list[str]) -> str:
    """Let no sensor tell that the gate opened for a sale, and settle the case by a signature; return the sale."""
    story, address, tries = told.story, paid(told.story, shelf), itertools.count()
    operator, door = story.visitor(story.operator), door_of(story)

    def taken() -> bool:
        return story.show(story.barcode(address), f"case-{next(tries)}.png")[0] == "released"

    set_mode(door, "blind")
    try:
        await_condition(taken, "the door taking the receipt", PATIENCE_S)
        await_condition(lambda: shows(operator, "/warehouse/tasks", address), "the case on the list", PATIENCE_S)
        assert shows(operator, GATE, "Nobody knows whether the gate opened")
    finally:
        set_mode(door, "ok")
    typed = {"outcome": "opened", "reason": SETTLED, "passphrase": story.operator.passphrase}
    operator.send(f"{GATE}/cases/{address}/0", "reason", **typed)
    return address


@pytest.mark.row("M10")
@pytest.mark.row("M14")
def test_the_operator_s_signed_command_opens_the_real_gate(story: Story, drill: int) -> None:
    """Signed on the page, carried by the cloud, obeyed by the door; the page shows what came of it."""
    assert drill == 1
    log = story.visitor(story.operator).http.get(f"/warehouse/log?gate={THING}&kind=gate").text
    assert ">Unlocking<" in log or ">Open<" in log


@pytest.mark.row("M11")
def test_a_case_of_the_real_door_is_settled_on_the_page(story: Story, settled: str) -> None:
    """No sensor tells that the gate opened: the case stands until a signature settles it, and the sale is completed."""
    operator = story.visitor(story.operator)
    story.release(settled)
    assert story.sale(settled).status() is Status.RELEASED
    await_condition(lambda: not shows(operator, "/warehouse/tasks", settled), "the list being empty", PATIENCE_S)


@pytest.mark.row("M5")
@pytest.mark.usefixtures("drill", "settled")
def test_an_auditor_reconstructs_every_command_from_the_logs(story: Story) -> None:
    """As many commands that energised the lock as the door itself counted; each signature holds."""
    visitor = story.visitor(make_person(story.stage, "auditor", "auditor"))
    await_condition(lambda: shows(visitor, "/audit/commands", SETTLED), "the last command in the log", PATIENCE_S)
    page = visitor.http.get("/audit/commands").text
    rows = [re.sub(r"<[^>]+>|\s+", " ", row) for row in page.split("<tbody>")[1].split("</tbody>")[0].split("</tr>")]
    opened = [row for row in rows if "receipt" in row or ("open " in row and "done" in row)]
    assert len(opened) == pulses(story), rows
    signed = [row for row in rows if "operator&#39;s signature" in row]
    assert len(signed) >= 2, rows
    assert all("signature holds" in row for row in signed)
    assert DRILL in page
