"""The simulated power cut itself: it forgets exactly what was not synced."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.iot_client import power

WRITER = """
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=FULL")
db.execute("CREATE TABLE kept (number)")
db.execute(f"PRAGMA synchronous={sys.argv[2]}")
for number in range(50):
    db.execute("INSERT INTO kept VALUES (?)", (number,))
os.kill(os.getpid(), 9)
"""


@pytest.mark.row("N10")
@pytest.mark.parametrize(("synchronous", "left"), [("FULL", 50), ("NORMAL", 0)])
def test_a_power_cut_forgets_what_was_not_synced(tmp_path: Path, synchronous: str, left: int) -> None:
    """The journal's own setting keeps every commit; the laxer one, under which a kill loses nothing, keeps none."""
    folder = tmp_path / "gate"
    folder.mkdir()
    environment = os.environ | power.watched(folder) | {"LD_PRELOAD": str(power.build(tmp_path))}
    command = [sys.executable, "-c", WRITER, folder / "journal.sqlite", synchronous]
    assert subprocess.run(command, env=environment, check=False).returncode == -9
    assert _count(folder) == 50
    power.cut(folder)
    assert _count(folder) == left


def _count(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder / 'journal.sqlite'}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM kept").fetchone()[0])
