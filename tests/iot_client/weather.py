"""What befalls processes besides the Pis: by a seed, every few seconds something is killed or stands still."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

Gust = Callable[[float], object]
"""Does its harm; given how many seconds it may last."""


def kill(pid: int | None) -> None:
    """SIGKILL, if it is there."""
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def freeze(pid: int | None, for_s: float) -> None:
    """Stand still for so long, if it is there."""
    if pid is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(for_s)
        os.kill(pid, signal.SIGCONT)


class Weather:
    """Blows until stopped; `counts` says how often of what, and a gust that failed is raised at the end."""

    def __init__(self, gusts: Mapping[str, Gust], seed: int, between_s: tuple[float, float] = (2, 6)) -> None:
        self._gusts = dict(gusts)
        self._dice = random.Random(seed)
        self._between_s = between_s
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._blow, daemon=True)
        self._failure: BaseException | None = None
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Weather:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Clear up."""
        self.stop.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def report(self) -> str:
        """What befell them, in a line."""
        return "meanwhile: " + (", ".join(f"{name} {count}" for name, count in sorted(self.counts.items())) or "calm")

    def blow(self) -> None:
        """On this thread, until `stop` is set."""
        while self._gusts and not self.stop.wait(self._dice.uniform(*self._between_s)):
            name = self._dice.choice(sorted(self._gusts))
            self._gusts[name](self._dice.uniform(0.2, 2))
            self.counts[name] += 1

    def _blow(self) -> None:
        try:
            self.blow()
        except BaseException as failure:  # noqa: BLE001  # told by the thread that waits
            self._failure = failure
