"""A camera, for which a film stands that the test makes; and several scanners at once."""

import io
import queue
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from iot_client.errors import ConfigError
from iot_client.pi import make_scanners
from iot_client.scanner import Scan
from iot_client.scanner import camera as camera_module
from iot_client.scanner.camera import CameraScanner
from iot_client.scanner.held import Held
from iot_client.settings import load_settings
from tests.iot_client.pictures import Grey, code, photo, save
from tests.iot_client.test_settings import GOOD, write

FIRST, SECOND = "LADING:1:" + "A0" * 60, "LADING:1:" + "B1" * 60
PATIENCE_S = 60


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A film has no time of its own."""
    monkeypatch.setattr(camera_module, "EVERY_S", 0.005)


def film(path: Path, *views: Grey, each: int = 3) -> Path:
    """A film of these views."""
    height, width = views[0].shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (width, height))
    for view in views:
        for _ in range(each):
            writer.write(cv2.cvtColor(np.ascontiguousarray(view), cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def delivered(start: Callable[[Callable[[Scan], None]], None]) -> "queue.SimpleQueue[Scan]":
    """What a scanner delivers from now on."""
    scans: queue.SimpleQueue[Scan] = queue.SimpleQueue()
    start(scans.put)
    return scans


def test_each_code_that_is_held_up_is_one_scan(tmp_path: Path) -> None:
    """An empty table, one person, another one; shown for a while each, and the film over and over again."""
    path = film(tmp_path / "door.avi", photo(), photo(code(FIRST)), photo(code(SECOND)))
    scanner = CameraScanner(str(path), Held())
    scans = delivered(scanner.start)
    found = [scans.get(timeout=PATIENCE_S) for _ in range(2)]
    scanner.stop()
    assert [scan.reading.text for scan in found] == [FIRST, SECOND]
    assert scans.empty()


def test_a_camera_that_yields_no_picture_is_opened_again(tmp_path: Path) -> None:
    """A plug that was pulled, or a film that has ended: the next sight is a new scan."""
    path = film(tmp_path / "door.avi", photo(code(FIRST)))
    scanner = CameraScanner(str(path), Held(held_s=0.0))
    scans = delivered(scanner.start)
    assert {scans.get(timeout=PATIENCE_S).reading.text for _ in range(5)} == {FIRST}
    scanner.stop()


def test_a_camera_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The configuration names a device that cannot be opened."""
    with pytest.raises(ConfigError, match="connected"):
        CameraScanner(str(tmp_path / "video9"), Held()).start(print)


def test_several_scanners_serve_one_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What camera and lines both see is one scan; a folder and an uploaded picture come beside it."""
    path = film(tmp_path / "door.avi", photo(code(FIRST)))
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{FIRST}\n{SECOND}\n"))
    names = ["camera", "lines", "images", "inbox"]
    settings = load_settings(write(tmp_path / "config.toml", GOOD | {"scanners": names, "camera": str(path)}))
    for folder in ("images", "inbox"):
        save(photo(code(f"{FIRST}:{folder}")), tmp_path / folder / "a.png")
    scanners, scans = make_scanners(settings), queue.SimpleQueue[Scan]()
    for scanner in scanners:
        scanner.start(scans.put)
    found = [scans.get(timeout=PATIENCE_S) for _ in range(4)]
    for scanner in scanners:
        scanner.stop()
    assert sorted(str(scan.reading.text) for scan in found) == sorted(
        [FIRST, SECOND, f"{FIRST}:images", f"{FIRST}:inbox"]
    )
    assert {scan.scanner: scan.remote for scan in found}["inbox"] is True
    assert scans.empty()
