"""Nothing opens after `openBefore`, however slow disk and machine are between the decision and the pulse."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from iot_client.journal import Journal
from iot_client.machine import State
from tests.iot_client.lying_gateway import LyingDoor, lying_door, release
from tests.iot_client.warehouse import wait_until

OPEN_WITHIN_S = 4.0


def steps(door: LyingDoor) -> list[tuple[str, str]]:
    """States and details of the only release."""
    with closing(sqlite3.connect(f"file:{door.folder / 'journal.sqlite'}?mode=ro", uri=True)) as db:
        return db.execute("SELECT state, detail FROM step ORDER BY id").fetchall()


@pytest.mark.slow
def test_an_intent_that_took_the_disk_too_long_is_not_pulsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a case: an intent stands in the journal, and nobody is let in after the time."""
    move = Journal.move

    def slow(journal: Journal, key: Any, event: Any, to: State, *rest: Any, **named: Any) -> None:
        move(journal, key, event, to, *rest, **named)
        found = journal.release(key)
        if to is State.INTENT and found is not None:
            wait_until(lambda: time.time() >= found.open_before, "it is too late")

    monkeypatch.setattr(Journal, "move", slow)
    with lying_door(tmp_path / "gate", monkeypatch, open_within_s=OPEN_WITHIN_S) as door:
        assert door.show() == "released"
        release(door.gateway.chain)
        wait_until(lambda: steps(door)[-1][0] == "case", "the case")
        assert steps(door)[-1][1] == "the intent was written too late, and not pulsed"
        assert door.pulses == 0


@pytest.mark.slow
def test_no_intent_is_begun_in_the_last_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is proven just before `openBefore` waits for the receipt to be shown again."""
    with lying_door(tmp_path / "gate", monkeypatch, open_within_s=0.9) as door:
        assert door.show() == "released"
        release(door.gateway.chain)
        wait_until(lambda: steps(door)[-1][0] == "late", "the release being late")
        assert "intent" not in {state for state, _ in steps(door)}
        assert door.pulses == 0
