"""The units that run the processes at boot."""

import subprocess
import sys
from pathlib import Path

import pytest

UNITS = sorted(Path(__file__).resolve().parents[1].glob("*/systemd/*.service"), key=lambda unit: unit.name)


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs systemd-analyze."""
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def unit_of_this_checkout(folder: Path, unit: Path, text: str) -> str:
    """The unit with the path of the commands that are installed here; a template gets an instance."""
    path = folder / unit.name.replace("@.", "@gate-1.")
    path.write_text(text.replace("/opt/lading/.venv", sys.prefix))
    return str(path)


def test_every_process_has_a_unit() -> None:
    """Chain, cloud, gateway, Pi, web."""
    assert [unit.stem for unit in UNITS] == [
        "lading-chain",
        "lading-cloud",
        "lading-gateway",
        "lading-pi@",
        "lading-web",
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    """No unknown key, no missing program."""
    done = analyze("verify", "--recursive-errors=yes", unit_of_this_checkout(tmp_path, unit, unit.read_text()))
    assert done.returncode == 0, done.stderr


def test_the_check_would_notice_a_misspelt_key(tmp_path: Path) -> None:
    """The test above can fail."""
    text = UNITS[0].read_text().replace("KillMode=", "KilMode=")
    misspelt = unit_of_this_checkout(tmp_path, UNITS[0], text)
    assert analyze("verify", "--recursive-errors=yes", misspelt).returncode != 0


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_the_service_is_shut_in(unit: Path, tmp_path: Path) -> None:
    """Systemd's own rating of what the service may do: at most 2.5 of 10."""
    done = analyze(
        "security", "--offline=true", "--threshold=25", unit_of_this_checkout(tmp_path, unit, unit.read_text())
    )
    assert done.returncode == 0, done.stdout[-300:]
