"""The door's screen as one full page for a monitor at the door: served on this machine, read at three metres.

The page asks for `state` twice a second and says by itself when nobody answers. It shows what the terminal says and
holds neither voucher nor key.
"""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources

from iot_client.errors import ConfigError
from iot_client.screen import READY, Mark, Notice, Screen

SHOWN_S = {Mark.STEP: 120.0, Mark.YES: 20.0, Mark.NO: 20.0, Mark.NOTE: 20.0}
LOOKS = {Mark.STEP: "step", Mark.YES: "yes", Mark.NO: "no", Mark.NOTE: "note"}
WELCOME = {"look": "ready", "says": "Show your barcode.", "detail": "", "do": "Hold it flat before the scanner."}
ADDRESS = re.compile(r"0x([0-9a-fA-F]{4})[0-9a-fA-F]{32}([0-9a-fA-F]{4})")
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/door.css": ("door.css", "text/css; charset=utf-8"),
    "/door.js": ("door.js", "text/javascript; charset=utf-8"),
}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'"


def shown(latest: Notice, idle: Notice, now: float) -> dict[str, str]:
    """What the page shows at this time: an old notice makes room for the next person; pure."""
    notice = latest if now - latest.at <= SHOWN_S[latest.mark] else idle
    if notice.says == READY.says:
        return WELCOME
    return {"look": LOOKS[notice.mark], "says": notice.says, "detail": short(notice.detail), "do": notice.do}


def short(text: str) -> str:
    """The text with its addresses as a person compares them, by both ends."""
    return ADDRESS.sub(r"0x\1…\2", text)


class DoorPage:
    """Shows a screen, and serves until closed."""

    def __init__(self, address: str, title: str, screen: Screen) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._server = ThreadingHTTPServer((host.strip("[]"), int(port)), _handler(title, screen))
        except OSError as error:
            raise ConfigError(f"door_page {address} cannot be served: {error}. Is the port taken?") from error
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.2,), name="page", daemon=True).start()

    def close(self) -> None:
        """Serve no longer."""
        self._server.shutdown()
        self._server.server_close()


def _handler(title: str, screen: Screen) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            if self.path == "/state":
                state = shown(screen.latest, screen.idle, time.time()) | {
                    "title": title,
                    "time": time.strftime("%H:%M"),
                }
                self._answer(200, "application/json", json.dumps(state).encode())
            elif self.path in FILES:
                name, kind = FILES[self.path]
                self._answer(200, kind, resources.files(__package__).joinpath(name).read_bytes())
            else:
                self._answer(404, "text/plain; charset=utf-8", b"no such page\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            for name, value in (
                ("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", POLICY),
            ):  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A page that asks twice a second is not worth a line each time."""

    return Handler
