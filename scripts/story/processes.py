"""Starts the project's own commands, waits until each says that it serves, stops them in reverse order.

A command says so by `<process>/ready.json` in the run folder (docs/interfaces.md).
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import psutil

T = TypeVar("T")

START_S = 120
RUN_S = 300
STOP_S = 75  # a node may take up to 60 s to write its state


class ProcessFailed(RuntimeError):  # noqa: N818  # reads as what happened
    """A process ended or stayed silent while others need it; the message names its log."""


def last_words(log: str) -> str:
    """Return how a command's log ends: its own last refusal to the end, else three lines; at most eight."""
    lines = log.strip().splitlines()
    refusals = [at for at, line in enumerate(lines) if line.startswith("lading-")]
    start = max(refusals[-1], len(lines) - 8) if refusals else -3
    return "\n".join(lines[start:])


def await_condition(condition: Callable[[], T | None], what: str, seconds: float = START_S) -> T:
    """Return the first true answer of `condition`; raise ProcessFailed when none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.05)
    raise ProcessFailed(f"{what} did not happen within {seconds:.0f} s")


@dataclass
class RunFolder:
    """One run folder and the processes that this program started in it."""

    path: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which every command finds this run folder, its settings and the project's tools."""
        tools = str(Path(sys.executable).parent)
        return {
            **os.environ,
            "LADING_HOME": str(self.path),
            "LADING_CONFIG": str(self.path / "lading.toml"),
            "PATH": f"{tools}:{os.environ.get('PATH', '')}",
        }

    def run(self, *command: str, stdin: str = "") -> str:
        """Run one command to its end and return what it prints; raise ProcessFailed with its own words."""
        try:
            done = subprocess.run(
                command, env=self.environment, input=stdin, capture_output=True, text=True, timeout=RUN_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ProcessFailed(f"{' '.join(command[:3])} did not end within {RUN_S} s") from error
        if done.returncode:
            raise ProcessFailed(f"{' '.join(command[:3])} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def start(self, name: str, *command: str, ready: str | None = None) -> dict[str, Any]:
        """Start a process and return its ready.json; its output goes to demo/<name>.log."""
        ready_file = self.path / (ready or name) / "ready.json"
        log = self.path / "demo" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                # Killed itself, this program leaves nothing behind.
                ["setpriv", "--pdeathsig", "TERM", "--", *command],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,  # Ctrl-C reaches this program alone, which stops them in order
            )  # fmt: skip
        self.running[name] = process
        return self._await_ready(name, process, ready_file, log)

    def _await_ready(self, name: str, process: subprocess.Popen[bytes], ready_file: Path, log: Path) -> dict[str, Any]:
        def answer() -> dict[str, Any] | None:
            if process.poll() is not None:
                last = last_words(log.read_text(errors="replace"))
                raise ProcessFailed(f"{name} ended with status {process.returncode}:\n{last}\nAll that it said: {log}")
            return _read_ready(ready_file, process.pid)

        return await_condition(answer, f"{name} getting ready (its log: {log})")

    def memory_mb(self) -> float:
        """Return what all these processes and their children hold together (PSS, so that shared pages count once)."""
        total = 0
        for process in self.running.values():
            total += sum(_pss(p) for p in _family(process.pid))
        return total / 1e6

    def stop(self, name: str) -> None:
        """Ask one process to stop with SIGINT and wait; kill it and its children only if it does not."""
        process = self.running.pop(name)
        family = _family(process.pid)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
        for left in psutil.wait_procs(family, timeout=5)[1]:
            left.kill()

    def kill(self, name: str) -> None:
        """Kill a process; its children end by themselves, for which this waits."""
        process = self.running.pop(name)
        children = [child for child in _family(process.pid) if child.pid != process.pid]
        process.kill()
        process.wait()
        _, left = psutil.wait_procs(children, timeout=STOP_S)
        if left:
            raise ProcessFailed(f"{name} was killed and left {left} behind")

    def children(self, name: str) -> list[psutil.Process]:
        """Return the processes that a process has started."""
        return _family(self.running[name].pid)[:-1]

    def stop_all(self) -> None:
        """Stop everything, the last started first."""
        for name in reversed(list(self.running)):
            self.stop(name)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything that was started."""
        self.stop_all()


def _read_ready(path: Path, pid: int) -> dict[str, Any] | None:
    try:
        ready: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return ready if ready.get("pid") == pid else None  # else it is an earlier process's


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return []


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0
