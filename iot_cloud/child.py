"""A child process that is started again when it dies, and never outlives the cloud."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

STOP_TIMEOUT_S = 10.0
CALM_S = 5.0
MAX_PAUSE_S = 5.0


class Child:
    """One process with a log file of its own.

    Args:
        name: for people.
        command: gives the command line; called before every start, to write what the process reads.
        log: where its output goes.
    """

    def __init__(self, name: str, command: Callable[[], list[str]], log: Path) -> None:
        self.name, self._command, self._log = name, command, log
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause_s = 0.0
        self._retry_at = 0.0

    def start(self) -> None:
        """Start it. Only the main thread may: the kernel ends the child with the thread that made it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *self._command()],
                # So that `python -m` finds this package however it was started.
                cwd=Path(__file__).resolve().parents[1],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._started_at = time.monotonic()

    @property
    def pid(self) -> int | None:
        """The running process, or None."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def revive(self) -> bool:
        """Start it again if it died, with growing pauses if it keeps dying; whether it was started now."""
        if self.pid is not None:
            return False
        now = time.monotonic()
        if not self._retry_at:
            calm = now - self._started_at > CALM_S
            self._pause_s = 0.0 if calm else min(MAX_PAUSE_S, self._pause_s * 2 or 0.1)
            self._retry_at = now + self._pause_s
        if now < self._retry_at:
            return False
        self._retry_at = 0.0
        self.start()
        return True

    def send(self, number: signal.Signals) -> None:
        """Send a signal if it runs."""
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL."""
        if self._process is None:
            return
        self.send(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """The end of its log, to say why it died."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(lines[-5:])
