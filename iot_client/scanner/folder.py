"""Pictures that arrive in a folder: the web application's inbox, or a folder of still images."""

import threading
import time
from pathlib import Path

from iot_client.scanner import Reading, Scan, Sink
from iot_client.scanner.decode import read_code
from iot_client.scanner.picture import RefusedPictureError, load_picture

POLL_S = 0.02


def scan_file(path: Path, scanner: str = "file", *, remote: bool = False) -> Scan:
    """Read one picture file."""
    started = time.monotonic_ns()
    try:
        reading = read_code(load_picture(path))
    except RefusedPictureError as refused:
        reading = Reading(None, refused.unread)
    spent = (time.monotonic_ns() - started) / 1e6
    return Scan(reading, scanner, path.name, remote, started, spent)


class FolderScanner:
    """Watches a folder and reads each picture once.

    Whoever puts a picture there writes it under a name that begins with a dot and renames it, so that no half is
    read. An inbox deletes what it read, since the picture is a bearer right.
    """

    def __init__(self, folder: Path, name: str, *, remote: bool = False, delete: bool = False) -> None:
        self._folder = folder
        self._name = name
        self._remote = remote
        self._delete = delete
        self._seen: set[tuple[str, int]] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, sink: Sink) -> None:
        """Begin to watch."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._watch, args=(sink,), name=f"scanner-{self._name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _watch(self, sink: Sink) -> None:
        while not self._stop.wait(POLL_S):
            for path in self._arrived():
                scan = scan_file(path, self._name, remote=self._remote)
                if self._delete:
                    path.unlink(missing_ok=True)
                sink(scan)

    def _arrived(self) -> list[Path]:
        try:
            files = sorted(self._folder.iterdir())
        except FileNotFoundError:
            return []
        return [path for path in files if self._is_new(path)]

    def _is_new(self, path: Path) -> bool:
        if path.name.startswith(".") or not path.is_file() or path.is_symlink():
            return False
        mark = (path.name, path.stat().st_mtime_ns)
        if mark in self._seen and not self._delete:
            return False
        self._seen.add(mark)
        return True
