"""The admin API: HTTP/1.1 with JSON over a Unix socket of mode 0600. Who can open it may do everything."""

import contextlib
import json
import logging
import os
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from iot_cloud.enrolment import Enrolment
from iot_cloud.errors import CloudError
from iot_cloud.shadow.document import compact

log = logging.getLogger(__name__)
MAX_BODY = 65_536


class BadRequestError(CloudError, ValueError):
    """The body is not what the route takes."""

    reason = "bad-request"
    http_status = 400


class NoRouteError(CloudError, LookupError):
    """There is no such route."""

    reason = "no-route"
    http_status = 404


class AdminServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Serves in the background until closed."""

    daemon_threads = True

    def __init__(self, path: Path, enrolment: Enrolment) -> None:
        path.unlink(missing_ok=True)
        self.routes = AdminRoutes(enrolment)
        before = os.umask(0o177)
        try:
            super().__init__(str(path), AdminHandler)
        finally:
            os.umask(before)
        self._path = path
        threading.Thread(target=self.serve_forever, name="admin", daemon=True).start()

    def close(self) -> None:
        """Stop and remove the socket."""
        self.shutdown()
        self.server_close()
        self._path.unlink(missing_ok=True)


class AdminRoutes:
    """What each request does; every answer is a status and a JSON value."""

    def __init__(self, enrolment: Enrolment) -> None:
        self._enrolment = enrolment

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Carry a request out, or raise CloudError."""
        to = self._enrolment
        match (method, *[unquote(part) for part in path.strip("/").split("/")]):
            case ("GET", "things"):
                return 200, {"things": to.things()}
            case ("POST", "things"):
                return _made(to.provision(body.get("thing"), body.get("csr"), body.get("role", "device")))
            case ("POST", "things", thing, "certificates"):
                return _made(to.renew(thing, body.get("csr")))
            case ("DELETE", "things", thing):
                return 200, to.revoke(thing)
            case ("POST", "servers"):
                return _made(to.server(body.get("name"), body.get("hosts"), body.get("csr")))
            case ("POST", "authority"):
                to.rotate_authority()
                return 201, {"ca": to.home.ca_certificates.read_text()}
        raise NoRouteError(f"there is no {method} {path}")


def _made(result: tuple[Any, bool]) -> tuple[int, Any]:
    answer, new = result
    return (201 if new else 200), answer


class AdminHandler(BaseHTTPRequestHandler):
    """Reads a request, sends the answer."""

    protocol_version = "HTTP/1.1"
    server: AdminServer

    def do_GET(self) -> None:  # noqa: D102
        self._serve(dict)

    def do_POST(self) -> None:  # noqa: D102
        self._serve(self._body)

    def do_DELETE(self) -> None:  # noqa: D102
        self._serve(dict)

    def _serve(self, read: Callable[[], dict[str, Any]]) -> None:
        try:
            status, answer = self.server.routes.answer(self.command, self.path, read())
        except CloudError as error:
            status, answer = error.http_status, {"error": {"code": error.reason, "message": str(error)}}
        except Exception:
            log.exception("%s %s", self.command, self.path)
            status, answer = 500, {"error": {"code": "failed", "message": "see cloud.log"}}
        data = compact(answer)
        with contextlib.suppress(BrokenPipeError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            raise BadRequestError("the body is missing or too long")
        try:
            body = json.loads(self.rfile.read(int(length)) or b"{}")
        except (ValueError, RecursionError):
            raise BadRequestError("the body is not JSON") from None
        if not isinstance(body, dict):
            raise BadRequestError("the body is not a JSON object")
        return body

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Requests are logged by what they change."""

    def address_string(self) -> str:
        """A Unix socket has no address."""
        return "local"
