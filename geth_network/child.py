"""One process of ours: started with its log, stopped with one SIGINT."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from geth_network.errors import NodeError

MAX_LOG_BYTES = 20_000_000
TAIL_LINES = 8


class Child:
    """A started process; it ends when this process ends, however that happens."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name, self.log = name, log
        self.started = time.monotonic()
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.begins = output.tell()
            # A session of its own: Ctrl-C in a terminal reaches only us, so that nodes get one SIGINT, not two.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "INT", "--", *command],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def exit_status(self) -> int | None:
        """How it ended, or None while it lives."""
        return self.process.poll()

    def interrupt(self) -> None:
        """Asks it once to stop; geth panics when asked too often."""
        if self.exit_status() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.send_signal(signal.SIGCONT)  # a suspended process would not hear

    def wait(self, timeout_s: float) -> bool:
        """Waits for the end; kills after the time-out. Returns whether it ended by itself."""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False
        return True

    def last_words(self, lines: int = TAIL_LINES) -> str:
        """The last lines of its log, without what an earlier process wrote there."""
        return log_tail(self.log, lines, self.begins)

    def trim_log(self) -> None:
        """Keeps one older part of a long log; the process goes on writing to the same file."""
        with contextlib.suppress(OSError):  # of a full disk: the log stays as it is
            if self.log.stat().st_size > MAX_LOG_BYTES:
                shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
                os.truncate(self.log, 0)


def log_tail(log: Path, lines: int = TAIL_LINES, begins: int = 0) -> str:
    """The last lines of a log from a byte on; from its first, if it was trimmed since."""
    try:
        said = log.read_bytes()
    except FileNotFoundError:
        return "(no log)"
    return "\n".join(said[begins if begins <= len(said) else 0 :].decode(errors="replace").splitlines()[-lines:])


def run_once(name: str, command: list[str], timeout_s: float = 120) -> str:
    """Runs a command that ends by itself; raises with its last words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode:
        words = "\n".join((done.stderr or done.stdout).splitlines()[-TAIL_LINES:])
        raise NodeError(f"{name} ended with status {done.returncode}; its last words:\n{words}")
    return done.stdout + done.stderr
