"""The admin API: HTTP with JSON bodies over the Unix socket gateway/admin.sock, mode 0600."""

import json
import os
import socket
import socketserver
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from proxy.admission import Admission, nginx_serial
from proxy.errors import BadRequestError, GatewayError, UnknownError
from proxy.gateway import Gateway

MAX_BODY = 65536


class AdminServer(socketserver.ThreadingUnixStreamServer):
    """Serves one gateway to whoever may open the socket."""

    daemon_threads = True

    def __init__(self, path: Path, gateway: Gateway) -> None:
        self.gateway = gateway
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            super().__init__(str(path), AdminHandler)
        finally:
            os.umask(before)


class AdminHandler(BaseHTTPRequestHandler):
    """One connection of the admin API."""

    protocol_version = "HTTP/1.1"
    timeout = 10
    server: AdminServer

    def setup(self) -> None:
        """A Unix socket's peer has no address, which the base class would print."""
        self.client_address = ("local", 0)
        super().setup()

    def do_GET(self) -> None:
        """Lists and status."""
        self._serve("GET")

    def do_POST(self) -> None:
        """Admissions and reload."""
        self._serve("POST")

    def do_DELETE(self) -> None:
        """Withdrawals."""
        self._serve("DELETE")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: a user's secret is in these answers."""

    def _serve(self, method: str) -> None:
        try:
            status, answer = route(self.server.gateway, method, self.path, self._body())
        except GatewayError as error:
            status, answer = error.status, {"error": {"code": error.reason, "message": str(error)}}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            raise BadRequestError("the body is too large")
        content = self.rfile.read(int(length))
        try:
            body = json.loads(content or b"{}")
        except ValueError as error:
            raise BadRequestError("the body is not JSON") from error
        if not isinstance(body, dict):
            raise BadRequestError("the body must be an object")
        return body


def route(gateway: Gateway, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and answer of one request.

    Raises:
        GatewayError: with a reason code and a status of its own.
    """
    kind, _, name = path.removeprefix("/").partition("/")
    match method, kind, bool(name):
        case "GET", _, False:
            return 200, _listed(gateway, kind)
        case "POST", "devices", False:
            return _admit_device(gateway, _text(body, "name"), _text(body, "serial"))
        case "POST", "users", False:
            return _admit_user(gateway, _text(body, "name"))
        case "DELETE", "devices" | "users", True:
            return _withdraw(gateway, kind, name)
        case "POST", "reload", False:
            gateway.reload()
            return 200, {"reloads": gateway.reloads}
    raise UnknownError(f"there is no {method} {path}")


def _listed(gateway: Gateway, kind: str) -> dict[str, Any]:
    if kind == "devices":
        return {"devices": [{"name": n, "serial": s} for n, s in sorted(gateway.state.admission.devices.items())]}
    if kind == "users":
        return {"users": [{"name": n} for n in sorted(gateway.state.admission.users)]}
    raise UnknownError(f"there is no list of {kind}")


def _withdraw(gateway: Gateway, kind: str, name: str) -> tuple[int, dict[str, Any]]:
    withdraw = Admission.without_device if kind == "devices" else Admission.without_user
    gateway.admit(lambda admission: withdraw(admission, name))
    return 200, {"name": name}


def _admit_device(gateway: Gateway, name: str, serial: str) -> tuple[int, dict[str, Any]]:
    created = gateway.admit(lambda admission: admission.with_device(name, serial))
    return 201 if created else 200, {"name": name, "serial": nginx_serial(serial)}


def _admit_user(gateway: Gateway, name: str) -> tuple[int, dict[str, Any]]:
    created = gateway.admit(lambda admission: admission.with_user(name))
    return 201 if created else 200, {"name": name, "secret": gateway.secret(name)}


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str):
        raise BadRequestError(f"{key} must be a text")
    return value


def request_admin(path: Path, method: str, target: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """One request to a running gateway.

    Raises:
        OSError: nothing answers there.
    """
    content = json.dumps(body or {}).encode()
    head = f"{method} {target} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60)
        line.connect(str(path))
        line.sendall(head.encode() + content)
        reply = b"".join(iter(lambda: line.recv(65536), b""))
    headers, _, answer = reply.partition(b"\r\n\r\n")
    return int(headers.split(b" ", 2)[1]), json.loads(answer)
