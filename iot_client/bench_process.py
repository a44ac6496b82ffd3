"""A door that runs as a process of its own: how soon it serves, what it does with a picture, what memory it takes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from iot_client.admin import ask_pi
from iot_client.errors import PiError
from iot_client.journal import Journal
from iot_client.machine import State

PATIENCE_S = 60.0
OPENED = {State.SENSED, State.COMPLETED}


@dataclass
class Running:
    """A door that serves."""

    folder: Path
    process: subprocess.Popen[bytes]
    ready_s: float
    shown: int = 0

    def show(self, picture: bytes) -> None:
        """Put a picture into the inbox and wait until it was taken."""
        self.shown += 1
        path = self.folder / "inbox" / f"{self.process.pid}-{self.shown}.jpg"
        draft = path.with_name(f".{path.name}")
        draft.write_bytes(picture)
        draft.rename(path)
        self.awaits(lambda: not path.exists(), "the picture is taken")

    def release(self, sale: str, picture: bytes) -> dict[str, float]:
        """Show a receipt, wait until the gate was seen open; the marks that the journal has of it."""
        self.awaits(lambda: self._status()["gate"] == "LOCKED", "the gate locks")
        self.show(picture)
        self.awaits(lambda: self._marks(sale), f"the release of {sale}")
        return self._marks(sale)

    def _marks(self, sale: str) -> dict[str, float]:
        journal = Journal(self.folder / "journal.sqlite", read_only=True)
        try:
            return next((one.marks for one in journal.releases(sale) if one.state in OPENED), {})
        finally:
            journal.close()

    def _status(self) -> dict[str, object]:
        try:
            return ask_pi(self.folder / "admin.sock", {"do": "status"})
        except PiError:
            return {"gate": None, "cloud": False}

    def online(self) -> bool:
        """Whether its cloud is connected."""
        return self._status()["cloud"] is True

    @property
    def peak_mb(self) -> float:
        """The highest resident memory so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def awaits(self, condition: Callable[[], object], what: str) -> None:
        """Come back once it is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"{what}: not so. The door's words:\n{(self.folder / 'out').read_text()[-2000:]}")
            time.sleep(0.01)


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """`lading-pi run` for the thing of this folder, with a gate that is quick to lock again."""
    ready = folder / "ready.json"
    settings = {"LADING_HOME": str(folder.parents[1]), "LADING_PI_PULSE_S": "0.3"}
    command = [sys.executable, "-m", "iot_client", "--thing", folder.name, "run"]
    began = time.monotonic()
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | settings)
    try:
        door = Running(folder, process, 0.0)
        door.awaits(ready.exists, "the door serves")
        door.ready_s = time.monotonic() - began
        door.awaits(door.online, "its cloud is connected")
        yield door
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
