"""What befalls a warehouse besides its Pis: broker, shadow service, gateway and node go away at random."""

from __future__ import annotations

import contextlib
import os
import random
import selectors
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable

from tests.iot_cloud.running import RunningCloud


class Forwarder:
    """The gateway's place between doors and node: `kill` drops every connection and refuses new ones for a while."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._down, self._stop = threading.Event(), threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def kill(self, for_s: float) -> None:
        """Away for so long."""
        self._down.set()
        self._stop.wait(for_s)
        self._down.clear()

    def close(self) -> None:
        """For good."""
        self._stop.set()
        self._down.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near, selectors.DefaultSelector() as ready:
            if self._down.is_set():
                return
            with socket.create_connection(self._target, timeout=5) as far:
                others = {near: far, far: near}
                for one in others:
                    ready.register(one, selectors.EVENT_READ)
                while not self._down.is_set():
                    for key, _ in ready.select(0.05):
                        part = key.fileobj.recv(65_536)  # type: ignore[union-attr]
                        if not part:
                            return
                        others[key.fileobj].sendall(part)  # type: ignore[index]


class Weather:
    """Until stopped, every few seconds something is killed by SIGKILL or stands still; `counts` says how often."""

    def __init__(self, cloud: RunningCloud, gateway: Forwarder, node_pid: int, seed: int) -> None:
        self._cloud, self._gateway, self._node_pid = cloud, gateway, node_pid
        self._dice = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._blow, daemon=True)
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Clear up."""
        self._stop.set()
        self._thread.join()

    def _blow(self) -> None:
        gusts: dict[str, Callable[[], None]] = {
            "broker": lambda: self._kill("broker"),
            "service": lambda: self._kill("service"),
            "gateway": lambda: self._gateway.kill(self._dice.uniform(0.2, 2)),
            "node": self._freeze,
        }
        while not self._stop.wait(self._dice.uniform(2, 6)):
            name = self._dice.choice(list(gusts))
            gusts[name]()
            self.counts[name] += 1

    def _kill(self, name: str) -> None:
        pid = self._cloud.children().get(name)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _freeze(self) -> None:
        os.kill(self._node_pid, signal.SIGSTOP)
        self._stop.wait(self._dice.uniform(0.2, 2))
        os.kill(self._node_pid, signal.SIGCONT)
