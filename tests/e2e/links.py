"""Network links that can be cut: a cut one carries nothing and closes nothing, as a partition does."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time

PART = 65_536


class Link:
    """Between whoever connects here and one port of loopback."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._cut_until = 0.0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, for_s: float) -> None:
        """Carry nothing for so long."""
        self._cut_until = time.monotonic() + for_s

    def close(self) -> None:
        """Accept nobody any more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError):
            self._wait()
            with socket.create_connection(self._target, timeout=5) as far:
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._carry(near, far)

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(near, selectors.EVENT_READ, far)
            ready.register(far, selectors.EVENT_READ, near)
            while True:
                for key, _ in ready.select():
                    self._wait()
                    part = key.fileobj.recv(PART)  # type: ignore[union-attr]
                    if not part:
                        return
                    key.data.sendall(part)

    def _wait(self) -> None:
        while (left := self._cut_until - time.monotonic()) > 0:
            time.sleep(left)
