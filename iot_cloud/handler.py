"""One HTTPS connection: reads requests, asks who sends them, sends what they get."""

import contextlib
import logging
import socket
import sqlite3
import ssl
import time
import uuid
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol

from iot_cloud.authentication import Door
from iot_cloud.broker import MAX_PAYLOAD
from iot_cloud.refusals import Refusals
from iot_cloud.routes import Answers, Route
from iot_cloud.shadow.document import compact
from iot_cloud.shadow.errors import InternalError, InvalidRequestError, ShadowError, TooLargeError
from iot_cloud.sigv4 import SignatureError, SignedRequest

log = logging.getLogger(__name__)
IDLE_TIMEOUT_S = 60.0
LINGER_S = 5.0


class Serving(Protocol):
    """The server as its handlers see it."""

    answers: Answers
    door: Door
    refusals: Refusals


class Handler(BaseHTTPRequestHandler):
    """Serves one connection, on a thread of its own."""

    protocol_version = "HTTP/1.1"
    server_version = "lading-cloud"
    sys_version = ""
    timeout = IDLE_TIMEOUT_S
    server: Any
    _unread = False
    """Whether a body was refused unread: the connection ends with the answer."""

    def do_GET(self) -> None:  # noqa: D102
        self._serve()

    def do_POST(self) -> None:  # noqa: D102
        self._serve()

    def do_DELETE(self) -> None:  # noqa: D102
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Refusals are logged where they are decided; the rest is not worth a line."""

    def finish(self) -> None:
        """Close; whoever still sends what was refused must first have read why (RFC 9112, 9.6)."""
        super().finish()
        if self._unread:
            with contextlib.suppress(OSError):
                self._linger()

    def _linger(self) -> None:
        # Closed with bytes unread, TCP answers them with a reset, which can overtake the refusal.
        self.connection.shutdown(socket.SHUT_WR)
        ends = time.monotonic() + LINGER_S
        while (left := ends - time.monotonic()) > 0:
            self.connection.settimeout(left)
            if not self.connection.recv(65_536):
                return

    def _serve(self) -> None:
        try:
            self._principal = "somebody "
            self._send(200, self._answer())
        except SignatureError as error:
            self._refuse(403, error.aws_type, str(error))
        except ShadowError as error:
            self._refuse(error.code, error.aws_type, str(error))
        except sqlite3.Error as error:
            log.error("the store failed: %s", error)  # noqa: TRY400
            self._refuse(500, InternalError.aws_type, str(InternalError()))

    def _answer(self) -> Any:
        serving: Serving = self.server
        body = self._body()
        headers = {key.lower(): value for key, value in self.headers.items()}
        request = SignedRequest(self.command, self.path, headers, body)
        principal = serving.door.admit(request, self._certificate())
        self._principal = f"{principal.name} "
        return serving.answers.answer(principal, self.command, Route.parse(self.path), body)

    def _certificate(self) -> bytes | None:
        secured = self.connection
        return secured.getpeercert(binary_form=True) if isinstance(secured, ssl.SSLSocket) else None

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self._unread = True
            raise InvalidRequestError("A Content-Length is required")
        if len(length) > 9 or int(length) > MAX_PAYLOAD:
            self._unread = True
            raise TooLargeError
        return self.rfile.read(int(length))

    def _refuse(self, status: int, aws_type: str, message: str) -> None:
        serving: Serving = self.server
        serving.refusals.tell(
            f"{self._principal}at {self.client_address[0]}", f"{self.command} {self.path!r}", f"{status} {message}"
        )
        body = {"message": message, "traceId": str(uuid.uuid4())}
        self._send(status, body, {"x-amzn-ErrorType": aws_type})

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = compact(body)
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        if self._unread:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
