"""How a process is told to stop."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys

import pytest

PIPED = """
from geth_network.signals import Stop
from signal import SIGTERM, signal
stopping = Stop()
signal(SIGTERM, lambda *_: stopping.set())
"""
THREADED = """
import threading
from {module}.signals import on_stop
stopping = threading.Event()
on_stop(stopping.set)
"""
WAITS = """
print("ready", flush=True)
while not stopping.wait(0.0001):
    pass
print("ended", flush=True)
"""


@pytest.mark.parametrize("module", ["geth_network", "proxy", "iot_cloud", "iot_client", "webapp"])
def test_any_number_of_signals_at_once_ends_the_wait(module: str) -> None:
    """As when a parent of several threads is killed; a handler that took the event's lock would wait for itself."""
    program = (PIPED if module == "geth_network" else THREADED.format(module=module)) + WAITS
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for _ in range(300):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        finally:
            process.kill()
        assert process.stdout.readline() == "ended\n"
