"""The door's page: what it shows, for how long, and what it never holds."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from iot_client.errors import ConfigError
from iot_client.page import DoorPage, short, shown
from iot_client.reasons import LINES, Refusal
from iot_client.screen import CLOUD_AWAY, READY, Mark, Notice, Screen

SALE = "0x" + "ab" * 20


@pytest.fixture
def screen(tmp_path: Path) -> Screen:
    """A screen without a terminal."""
    return Screen(tmp_path / "door.txt", io.StringIO())


@pytest.fixture
def page(screen: Screen) -> Iterator[DoorPage]:
    """Its page, on any free port."""
    made = DoorPage("127.0.0.1:0", "gate-1 · site 1", screen)
    yield made
    made.close()


def state(page: DoorPage) -> dict[str, str]:
    """What the page shows."""
    return dict(httpx.get(f"{page.url}state").json())


@pytest.mark.parametrize("refusal", Refusal)
def test_each_refusal_is_shown_with_what_to_do(screen: Screen, page: DoorPage, refusal: Refusal) -> None:
    """Large why, and large what to do; the detail beneath."""
    screen.no(refusal, f"at {SALE}")
    line = LINES[refusal]
    found = state(page)
    assert (found["look"], found["says"], found["do"]) == ("no", line.says, line.do)
    assert found["detail"] == "(at 0xabab…abab)"


def test_what_was_said_makes_room_for_the_next_person() -> None:
    """A refusal stays for twenty seconds, a step until it must have failed."""
    for mark, look, after in ((Mark.NO, "no", 20), (Mark.YES, "yes", 20), (Mark.STEP, "step", 120)):
        notice = Notice(mark, "Said.", at=100)
        assert shown(notice, READY, 100 + after)["look"] == look
        assert shown(notice, READY, 101 + after)["look"] == "ready"


def test_a_door_without_its_cloud_says_so_while_nobody_is_served(screen: Screen, page: DoorPage) -> None:
    """It does not ask for a barcode that it would refuse."""
    screen.rest(CLOUD_AWAY)
    assert shown(Notice(Mark.NO, "Refused.", at=0), screen.idle, 100)["says"] == CLOUD_AWAY.says
    assert state(page)["look"] == "note"
    screen.rest(READY)
    assert state(page)["look"] == "ready"


def test_it_is_one_page_from_this_machine_alone(page: DoorPage) -> None:
    """Page, style and script; nothing of another origin may be loaded, nothing else is served."""
    answer = httpx.get(page.url)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "//" not in answer.text.replace("<!doctype html>", "")
    assert [httpx.get(page.url + name).status_code for name in ("door.css", "door.js")] == [200, 200]
    assert [httpx.get(page.url + name).status_code for name in ("config.toml", "../keystore.json")] == [404, 404]


def test_a_taken_port_is_said(page: DoorPage, screen: Screen) -> None:
    """The configuration's field is named."""
    with pytest.raises(ConfigError, match="door_page"):
        DoorPage(page.url.removeprefix("http://").rstrip("/"), "gate-2", screen)


def test_the_file_has_the_last_twenty_lines(screen: Screen, tmp_path: Path) -> None:
    """For whoever looks over SSH; a voucher that slips into a line is cut out."""
    for number in range(25):
        screen.step(f"line {number} LADING:1:{'A0' * 88}")
    lines = (tmp_path / "door.txt").read_text().splitlines()
    assert len(lines) == 20
    assert lines[-1].endswith("· line 24 <hidden>")
    assert "A0A0" not in json.dumps(lines)
    assert short(SALE) == "0xabab…abab"
