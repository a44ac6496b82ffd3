"""How the commands of this machine reach the running Pi: one JSON line each way over a Unix socket, mode 0600."""

import json
import os
import socket
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path

from iot_client.errors import PiError

Answer = dict[str, object]
Handler = Callable[[dict[str, object]], Answer]
MAX_LINE = 16_384


class AdminServer:
    """Serves until closed."""

    def __init__(self, path: Path, handle: Handler) -> None:
        self._path = path
        path.unlink(missing_ok=True)

        class Conversation(socketserver.StreamRequestHandler):
            timeout = 5

            def handle(self) -> None:
                try:
                    asked = json.loads(self.rfile.readline(MAX_LINE))
                    answer = handle(asked if isinstance(asked, dict) else {})
                except (ValueError, RecursionError):
                    answer = {"error": "not a JSON object"}
                self.wfile.write(json.dumps(answer).encode() + b"\n")

        old = os.umask(0o177)
        try:
            self._server = socketserver.ThreadingUnixStreamServer(str(path), Conversation)
        finally:
            os.umask(old)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.2,), name="admin", daemon=True).start()

    def close(self) -> None:
        """Stop and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


def ask_pi(path: Path, question: dict[str, object], timeout_s: float = 10.0) -> Answer:
    """Ask the running Pi; raises `PiError` if none runs."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_s)
            connection.connect(str(path))
            connection.sendall(json.dumps(question).encode() + b"\n")
            answer = connection.makefile("rb").readline(MAX_LINE)
    except OSError as error:
        raise PiError("no lading-pi runs for this thing: start it with `lading-pi run`") from error
    try:
        found = json.loads(answer)
    except ValueError as error:
        raise PiError("the running Pi ended before it answered; what it did is in its journal") from error
    if not isinstance(found, dict):
        raise PiError("the running Pi gave no answer")
    return found
