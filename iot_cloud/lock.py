"""One cloud a run folder: a lock that the kernel drops with the process, however it ends."""

import fcntl
import os
from pathlib import Path

from iot_cloud.errors import AlreadyRunningError


class RunLock:
    """Held while the object lives."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            owner = self._file.read().strip() or "unknown"
            self._file.close()
            raise AlreadyRunningError(f"a cloud already runs in {path.parent} (process {owner})") from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let the next one in."""
        self._file.close()


def lock_owner(path: Path) -> int | None:
    """The process that holds the lock, or None."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        text = path.read_text().strip()
        return int(text) if text.isdigit() else None
    return None
