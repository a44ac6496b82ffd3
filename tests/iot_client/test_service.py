"""The door as a service: what systemd hears of it, and what its unit allows."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iot_client.watchdog import Watchdog
from tests.iot_client.warehouse import Warehouse, wait_until

UNIT = Path(__file__).resolve().parents[2] / "iot_client" / "systemd" / "lading-pi@.service"
EXPOSED_AT_MOST = 20  # tenths: systemd calls up to 2.0 "OK", an open service is 9.6


@contextmanager
def listening(path: Path) -> Iterator["Heard"]:
    """A socket as systemd opens one, and what was told on it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        notify.setblocking(False)
        yield Heard(notify)


class Heard(list[str]):
    """The messages so far."""

    def __init__(self, notify: socket.socket) -> None:
        super().__init__()
        self._notify = notify

    def has(self, message: str) -> bool:
        """Whether this was told by now."""
        try:
            while True:
                self.append(self._notify.recv(1_024).decode())
        except BlockingIOError:
            return message in self


@pytest.mark.slow
def test_systemd_hears_that_a_door_serves_lives_and_ends(warehouse: Warehouse) -> None:
    """READY once it serves, WATCHDOG from the loop that decides, STOPPING before it ends."""
    door = warehouse.door("gate-notified", start=False)
    path = door.folder.parents[1] / "notify"
    with listening(path) as heard:
        door.environment["NOTIFY_SOCKET"] = str(path)
        door.start()
        wait_until(lambda: heard.has("READY=1") and heard.has("WATCHDOG=1"), "systemd hears of it")
        door.stop()
        assert heard.has("STOPPING=1")
    warehouse.close(door)


def test_without_systemd_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A door started by hand runs as well."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Watchdog().ready()


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit of one door, its program where this machine has one."""
    text = UNIT.read_text().replace("/opt/lading/.venv/bin/lading-pi", sys.executable)
    path = tmp_path / "lading-pi@gate-1.service"
    path.write_text(text)
    return path


def test_the_unit_is_what_systemd_understands(unit: Path) -> None:
    """No unknown key, no wrong value."""
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_exposes_little(unit: Path) -> None:
    """What a door that was taken over could reach, by systemd's own measure."""
    command = [
        "systemd-analyze",
        "security",
        "--offline=true",
        f"--threshold={EXPOSED_AT_MOST}",
        "--no-pager",
        str(unit),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"Overall exposure level .*: [01]\.\d", done.stdout)


def test_the_unit_allows_what_its_scanners_and_gate_need() -> None:
    """Pins, cameras and keyboards by their device classes, and no other device."""
    text = UNIT.read_text()
    assert "DevicePolicy=closed" in text
    for device in ("char-gpiochip", "char-input", "char-video4linux"):
        assert f"DeviceAllow={device} rw" in text
