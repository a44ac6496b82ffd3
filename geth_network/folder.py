"""Where everything of the chain lies in the run folder, and who holds it."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geth_network.errors import FolderError, RunningError, SettingsError, UnsafeFileError

MAX_SOCKET_PATH = 107  # sun_path of a Unix socket holds 108 bytes with the closing zero


@dataclass(frozen=True)
class Folder:
    """The folder `chain` of a run folder."""

    path: Path

    @property
    def network(self) -> Path:
        """The network's description."""
        return self.path / "network.json"

    @property
    def genesis(self) -> Path:
        """The genesis document."""
        return self.path / "genesis.json"

    @property
    def ready(self) -> Path:
        """Exists exactly while the network serves."""
        return self.path / "ready.json"

    @property
    def state(self) -> Path:
        """What the supervisor knows: each node's pid, restarts, alarm."""
        return self.path / "state.json"

    @property
    def treasury(self) -> Path:
        """The folder of the account that the genesis funds."""
        return self.path / "treasury"

    def data(self, node: str) -> Path:
        """A node's data folder."""
        return self.path / "nodes" / node

    def ipc(self, node: str) -> Path:
        """A node's Unix socket."""
        return self.data(node) / "geth.ipc"

    def log(self, node: str) -> Path:
        """A node's log."""
        return self.path / "logs" / f"{node}.log"

    def check_socket_paths(self, names: list[str]) -> None:
        """Refuses a run folder whose name is too long for Unix sockets."""
        for name in names:
            if len(os.fsencode(self.ipc(name))) > MAX_SOCKET_PATH:
                raise SettingsError(
                    f"{self.ipc(name)} is longer than the {MAX_SOCKET_PATH} bytes that a Unix socket may have: "
                    "set LADING_HOME to a shorter path"
                )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the lock of a running network; refuses when another process does."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.path / "lock").open("a+") as lock:
            if not try_lock(lock.fileno()):
                raise RunningError(
                    f"the chain in {self.path} is in use by process {self.holder()}: stop it with `lading-chain down`"
                )
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield

    def holder(self) -> int | None:
        """The process that holds the lock, or None."""
        try:
            with (self.path / "lock").open("r") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(lock.read().strip() or 0) or None
        except (FileNotFoundError, ValueError):
            pass
        return None

    def read_ready(self) -> dict[str, Any]:
        """What the running network says of itself."""
        try:
            return dict(json.loads(self.ready.read_text()))
        except FileNotFoundError:
            raise RunningError(f"the chain in {self.path} is not running: start it with `lading-chain up`") from None


def try_lock(file: int) -> bool:
    """Takes the lock; tries again shortly, since `holder` touches it for a moment."""
    for _ in range(5):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """A reader finds the old text or the new one, never half of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)  # of a full disk


def read_secret(path: Path) -> str:
    """The text of a file that nobody else may read."""
    try:
        mode = path.stat().st_mode & 0o777
    except FileNotFoundError:
        raise FolderError(f"{path} is missing: restore it from a backup") from None
    if mode & 0o077:
        raise UnsafeFileError(f"{path} can be read by others (mode {mode:o}): run `chmod 600 {path}`")
    return path.read_text().strip()


def read_text(path: Path) -> str:
    """The text of a file that a person named."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as fault:
        raise FolderError(f"{path} cannot be read: {fault}") from fault
