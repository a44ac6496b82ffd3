"""The journal: what it promises to whoever reads it after a crash."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from iot_client.errors import JournalError
from iot_client.journal import Journal, Key, Record, Sending
from iot_client.machine import Event, State

KEY = Key(1337, "0x" + "ab" * 20, 0)


def record(key: Key = KEY, state: State = State.SUBMITTED) -> Record:
    """A release just begun."""
    return Record(key, state, "0x" + "cd" * 20, 100.0, 40.0, 40.0, voucher="hash")


def sending(key: Key = KEY, nonce: int = 0) -> Sending:
    """Its transaction."""
    return Sending(nonce, "release", key.sale, key.attempt, "0xhash", b"sealed", 40.0)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A new one."""
    return Journal(tmp_path / "journal.sqlite")


def consumed(journal: Journal, key: Key = KEY) -> None:
    """Begin a release and have it proven."""
    journal.begin(record(key), sending(key), {"event": "begun"})
    journal.move(key, Event.RELEASE_PROVEN, State.CONSUMED, {"event": "release"})


def test_an_intent_is_written_once(journal: Journal) -> None:
    """A second intent for the same sale and attempt fails in the database, whatever the code believes."""
    consumed(journal)
    journal.move(KEY, Event.OPEN_WANTED, State.INTENT, {})
    with pytest.raises(sqlite3.IntegrityError):
        journal.move(KEY, Event.OPEN_WANTED, State.INTENT, {})
    assert [state for _, state, _, _ in journal.steps(KEY)] == ["submitted", "consumed", "intent"]


def test_a_failed_commit_changes_nothing(journal: Journal) -> None:
    """State, step and event are one commit: the refused second intent left none of them."""
    consumed(journal)
    journal.move(KEY, Event.OPEN_WANTED, State.INTENT, {"event": "first"})
    before = len(journal.unsent_events())
    with pytest.raises(sqlite3.IntegrityError):
        journal.move(KEY, Event.OPEN_WANTED, State.INTENT, {"event": "second"})
    assert len(journal.unsent_events()) == before


def test_the_voucher_goes_once_it_is_consumed(journal: Journal) -> None:
    """The sealed transaction is kept while it may have to be sent again, and not longer."""
    journal.begin(record(), sending(), {})
    assert [one.raw for one in journal.sendings()] == [b"sealed"]
    journal.move(KEY, Event.RELEASE_PROVEN, State.CONSUMED, {})
    assert journal.sendings() == []


def test_attempts_of_a_sale_are_kept_apart(journal: Journal) -> None:
    """A new attempt is a new release with an intent of its own."""
    second = Key(KEY.chain_id, KEY.sale, 1)
    for key in (KEY, second):
        consumed(journal, key)
        journal.move(key, Event.OPEN_WANTED, State.INTENT, {})
    assert journal.has_intent(KEY)
    assert journal.has_intent(second)
    assert [one.key.attempt for one in journal.releases(KEY.sale)] == [0, 1]


def test_a_second_process_is_refused(journal: Journal, tmp_path: Path) -> None:
    """Two Pis on one journal could both pulse: the second does not start."""
    with pytest.raises(JournalError, match="another lading-pi"):
        Journal(tmp_path / "journal.sqlite")


def test_the_file_is_its_owners_alone(journal: Journal, tmp_path: Path) -> None:
    """Nobody else reads the journal."""
    assert (tmp_path / "journal.sqlite").stat().st_mode & 0o077 == 0


def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    """A process that is killed right after `move` returned leaves the intent behind."""
    program = f"""
import os, signal
from pathlib import Path
from iot_client.journal import Journal
from iot_client.machine import Event, State
from tests.iot_client.test_journal import KEY, consumed
journal = Journal(Path({str(tmp_path / "journal.sqlite")!r}))
consumed(journal)
journal.move(KEY, Event.OPEN_WANTED, State.INTENT, {{}})
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, env=os.environ | {"PYTHONPATH": str(Path.cwd())}
    )
    assert done.returncode == -9
    journal = Journal(tmp_path / "journal.sqlite")
    assert [one.state for one in journal.unfinished()] == [State.INTENT]
    assert journal.has_intent(KEY)


def test_commits_are_synchronous(journal: Journal) -> None:
    """`synchronous` is FULL, so that a commit is on the disk when it returns."""
    assert journal._read("PRAGMA synchronous") == [(2,)]


def test_a_command_is_taken_once(journal: Journal) -> None:
    """An operator's command id works once, also after a restart."""
    assert journal.take_command("a", "open")
    assert not journal.take_command("a", "open")


def test_events_leave_in_order_until_acknowledged(journal: Journal) -> None:
    """Unsent events come in order, and an acknowledged one not again."""
    for number in range(3):
        journal.add_event({"event": str(number)})
    first, second, third = journal.unsent_events()
    assert [body["event"] for _, body in (first, second, third)] == ["0", "1", "2"]
    journal.events_sent([first[0], third[0]])
    assert journal.unsent_events() == [second]
