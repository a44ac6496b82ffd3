"""How the processes of this folder are told to stop."""

import os
import signal
import threading
from collections.abc import Callable


def on_stop(act: Callable[[], object]) -> None:
    """Call `act` when SIGINT or SIGTERM has come, on a thread of its own.

    A handler runs in between any two steps of the main thread, also while that holds the very lock that `act` needs: a
    killed parent of several threads sends SIGTERM once for each. So the handler only writes a byte.
    """
    came, told = os.pipe()

    def wait() -> None:
        os.read(came, 1)
        act()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.write(told, b"\0"))
