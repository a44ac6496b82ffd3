"""What a dead geth's last words tell a person to do."""

from pathlib import Path

import pytest

from geth_network.diagnosis import diagnose


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("ERROR Low disk space. Gracefully shutting down Geth to prevent database corruption.", "is full"),
        ("Fatal: Failed to open: write nodes/000001.log: no space left on device", "is full"),
        ("write wal: disk quota exceeded", "is full"),
        ("Fatal: Could not open database: leveldb: manifest corrupted", "is damaged"),
        ("Fatal: Failed to create chaindata", "is damaged"),
        ("missing trie node 3f1c", "is damaged"),
    ],
)
def test_a_known_cause_has_its_advice(words: str, told: str) -> None:
    """A full disk is never called damage: who fetched the chain anew would need still more of it."""
    found = diagnose("seller", Path("/run/seller"), words)
    assert found
    assert told in found.advice
    assert found.passes == (told == "is full")
    assert ("resync seller" in found.advice) == (told == "is damaged")


def test_an_unknown_cause_has_none() -> None:
    """Then the log itself is shown."""
    assert diagnose("seller", Path("/run/seller"), "Fatal: Error starting protocol stack: listen tcp: in use") is None
