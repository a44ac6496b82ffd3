"""The unit for a member's machine."""

import subprocess
import sys
from pathlib import Path

import geth_network

UNIT = Path(geth_network.__file__).parent / "systemd" / "lading-chain.service"


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs systemd-analyze."""
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def unit_of_this_checkout(folder: Path, text: str) -> Path:
    """The unit with the path of the commands that are installed here."""
    path = folder / UNIT.name
    path.write_text(text.replace("/opt/lading/.venv", sys.prefix))
    return path


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """No unknown key, no missing program."""
    done = analyze("verify", "--recursive-errors=yes", str(unit_of_this_checkout(tmp_path, UNIT.read_text())))
    assert done.returncode == 0, done.stderr


def test_the_check_would_notice_a_misspelt_key(tmp_path: Path) -> None:
    """The test above can fail."""
    text = UNIT.read_text().replace("KillMode=", "KilMode=")
    assert analyze("verify", "--recursive-errors=yes", str(unit_of_this_checkout(tmp_path, text))).returncode != 0


def test_the_service_is_shut_in(tmp_path: Path) -> None:
    """Systemd's own rating of what the service may do: at most 2.5 of 10."""
    unit = unit_of_this_checkout(tmp_path, UNIT.read_text())
    done = analyze("security", "--offline=true", "--threshold=25", str(unit))
    assert done.returncode == 0, done.stdout[-300:]
