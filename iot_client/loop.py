"""One thread decides; others scan, send, receive and sense, and hand over what they have.

Everything that changes a release runs here, one thing after another, so that no two threads ever decide at once.
"""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

log = logging.getLogger("iot_client")

Task = Callable[[], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Failed:
    """A job that raised."""

    error: Exception


class Loop:
    """A queue of tasks and a tick."""

    def __init__(self, tick_s: float = 0.05) -> None:
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._tick_s = tick_s
        self._ticks: list[Task] = []
        self._stop = threading.Event()

    def post(self, task: Task) -> None:
        """Have this done on the loop's thread; from any thread."""
        self._tasks.put(task)

    def every_tick(self, task: Task) -> None:
        """Have this done between tasks, every tick."""
        self._ticks.append(task)

    def stop(self) -> None:
        """End after the task under way."""
        self._stop.set()
        self._tasks.put(lambda: None)

    def run(self) -> None:
        """Work until stopped."""
        while not self._stop.is_set():
            self.step(self._tick_s)

    def step(self, wait_s: float) -> None:
        """Do what is due, then one round of ticks."""
        try:
            _guarded(self._tasks.get(timeout=wait_s))
            while True:
                _guarded(self._tasks.get_nowait())
        except queue.Empty:
            pass
        for task in self._ticks:
            _guarded(task)


def _guarded(task: Task) -> None:
    try:
        task()
    except Exception:
        # A door that stops deciding strands whoever stands there; the journal keeps what was decided so far.
        log.exception("a task failed")


class Worker:
    """A thread that may wait for the network; its results come back on the loop."""

    def __init__(self, loop: Loop, name: str) -> None:
        self._loop = loop
        self._jobs: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def do(self, job: Callable[[], T], then: Callable[[T | Failed], None]) -> None:
        """Run the job here and `then` on the loop."""

        def run() -> None:
            result: Any
            try:
                result = job()
            except Exception as error:  # noqa: BLE001  # whatever it is, the loop must hear of it
                result = Failed(error)
            self._loop.post(lambda: then(result))

        self._jobs.put(run)

    def stop(self) -> None:
        """End after the job under way."""
        self._jobs.put(None)
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
