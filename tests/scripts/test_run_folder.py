"""The run folder is private from the first file on, whichever command makes it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.test_bad_input import ENROL, call

FIRST = (
    "lading-chain new --chain anvil",
    "lading-gateway certificate",  # keeps the key that it made, for the next try
    "lading-web account list",
    ENROL.replace("iot_client", "lading-pi"),
)


@pytest.fixture
def open_handed() -> Iterator[None]:
    """The mask of most people's shells, which lets everybody read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_handed")
@pytest.mark.parametrize("line", FIRST)
def test_whoever_makes_the_run_folder_makes_it_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    """Folders 0700, missing parents of the run folder among them; no file is for others."""
    tmp_path.chmod(0o755)
    monkeypatch.setenv("LADING_HOME", str(tmp_path / "missing" / "run folder"))
    call(line)
    made = list(tmp_path.rglob("*"))
    assert len(made) >= 4
    assert [path for path in made if path.stat().st_mode & 0o077] == []
