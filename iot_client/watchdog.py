"""Tells systemd that the door serves and that its loop still turns (sd_notify(3))."""

import os
import socket
import time


class Watchdog:
    """Silent where no systemd listens."""

    def __init__(self, every_s: float = 5.0) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        self._every_s = every_s
        self._told_at = float("-inf")

    def ready(self) -> None:
        """The door serves."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """The door ends."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """Called by the loop itself, so that a loop that hangs is restarted."""
        if self._address and time.monotonic() - self._told_at > self._every_s:
            self._told_at = time.monotonic()
            self._tell("WATCHDOG=1")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        path = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.sendto(state.encode(), path)
