"""How the network's process is told to stop."""

import contextlib
import os
import select
import threading


class Stop(threading.Event):
    """An event that a signal handler may set, without a lock and without a thread.

    A handler runs in between any two steps of the main thread, also while that holds the lock of a common event.
    A second thread would not do: when a parent of two threads is killed, its children get SIGTERM twice, and geth
    counts them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._came, self._told = os.pipe()
        os.set_blocking(self._told, False)

    def set(self) -> None:
        """End every wait, from now on."""
        with contextlib.suppress(BlockingIOError):  # full of bytes that say the same
            os.write(self._told, b"\0")

    def is_set(self) -> bool:
        """Whether it was set."""
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it was set within this many seconds."""
        return bool(select.select([self._came], [], [], timeout)[0])
