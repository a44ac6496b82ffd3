"""The run folder is private from the first file on, whichever command makes it."""

import os
import subprocess
import sys
import time
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
    assert seen_by_others(tmp_path) == []


@pytest.mark.usefixtures("open_handed")
def test_the_cloud_makes_the_run_folder_private(tmp_path: Path) -> None:
    """It makes one only when it comes up: what it has by the time it is ready."""
    home = tmp_path / "missing" / "run"
    command = [str(Path(sys.executable).with_name("lading-cloud")), "up"]
    ports = {"LADING_CLOUD_MQTT_PORT": "0", "LADING_CLOUD_HTTP_PORT": "0"}
    with subprocess.Popen(command, env={**os.environ, **ports, "LADING_HOME": str(home)}) as process:
        try:
            deadline = time.monotonic() + 60
            while not (home / "cloud" / "ready.json").exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert seen_by_others(tmp_path) == []
        finally:
            process.terminate()
    assert process.returncode == 0


def seen_by_others(folder: Path) -> list[Path]:
    """What others than its owner may enter, read or write; a good deal must be there."""
    made = list(folder.rglob("*"))
    assert len(made) >= 4
    return [path for path in made if path.stat().st_mode & 0o077]
