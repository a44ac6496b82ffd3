"""Starts Pis by forking a process that has imported everything: a start costs a tenth of a second, a kill is a kill.

Run as a program it reads a JSON line for each Pi and forks; what it writes are the pids, and the statuses of those
that ended.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0
PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """A forked Pi, with the few methods of `Popen` that tests use."""

    number: int
    pid: int
    zygote: Zygote

    def poll(self) -> int | None:
        """Its status, once it has ended."""
        return self.zygote.ended.get(self.number)

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """Its status; fails if it does not end."""
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            assert time.monotonic() < deadline, f"process {self.pid} does not end"
            time.sleep(0.01)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Zygote:
    """The forking process, seen from the tests."""

    def __init__(self, preload: Path | None = None) -> None:
        """Start it, with this library before libc if there is one."""
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "tests.iot_client.zygote"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, cwd=root,
            env=os.environ | ({"LD_PRELOAD": str(preload)} if preload else {}),
        )  # fmt: skip
        self.ended: dict[int, int] = {}
        self._born: dict[int, int] = {}
        self._number_of: dict[int, int] = {}
        self._lock = threading.Lock()
        self._number = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def spawn(self, config: Path, environment: dict[str, str], out: Path, *, mortal: bool = False) -> Child:
        """Fork a Pi of this configuration; a mortal one dies where its folder's file `fault` says."""
        assert self._process.stdin is not None
        with self._lock:
            self._number += 1
            number = self._number
            order = {"number": number, "config": str(config), "env": environment, "out": str(out), "mortal": mortal}
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        deadline = time.monotonic() + PATIENCE_S
        while number not in self._born:
            assert self._process.poll() is None, "the forking process has ended"
            assert time.monotonic() < deadline, "nothing was forked"
            time.sleep(0.005)
        return Child(number, self._born[number], self)

    def close(self) -> None:
        """End it; Pis that still run end with it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told: dict[str, int] = json.loads(line)
            if "born" in told:
                self._number_of[told["born"]] = told["number"]
                self._born[told["number"]] = told["born"]
            else:
                # By number, since in an hour the kernel gives a pid a second time.
                self.ended[self._number_of.pop(told["ended"])] = told["status"]


def main() -> None:
    """Import everything, then fork on demand until stdin ends."""
    import iot_client.once
    import iot_client.pi  # noqa: F401
    import tests.iot_client.faults  # noqa: F401

    lines = ""
    while True:
        readable, _, _ = select.select([0], [], [], 0.02)
        if readable:
            chunk = os.read(0, 65_536).decode()
            if not chunk:
                return
            lines += chunk
        while "\n" in lines:
            line, lines = lines.split("\n", 1)
            _fork(json.loads(line))
        _reap()


def _tell(**facts: int) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _reap() -> None:
    try:
        while (found := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            _tell(ended=found[0], status=os.waitstatus_to_exitcode(found[1]))
    except ChildProcessError:
        pass


def _fork(order: dict[str, Any]) -> None:
    pid = os.fork()
    if pid:
        _tell(number=order["number"], born=pid)
        return
    status = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _become(order)
        status = 0
    except BaseException:  # noqa: BLE001  # the child must end here, whatever happened, and say why
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _become(order: dict[str, Any]) -> None:
    from iot_client.log import set_up_log
    from iot_client.pi import make_parts, serve
    from iot_client.settings import load_settings
    from tests.iot_client.faults import mortal_parts

    handle = os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(handle, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(order["env"])
    settings = load_settings(Path(order["config"]))
    set_up_log(settings.folder / "log.jsonl")
    serve(settings, mortal_parts if order["mortal"] else make_parts)


if __name__ == "__main__":
    main()
