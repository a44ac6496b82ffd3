"""The HTTPS data plane: AWS's shadow routes and the queries of records."""

import socket
import ssl
import sys
import threading
from http.server import ThreadingHTTPServer
from typing import Any

from iot_cloud.authentication import Door
from iot_cloud.handler import Handler
from iot_cloud.home import CloudHome
from iot_cloud.refusals import Refusals
from iot_cloud.routes import Answers

HANDSHAKE_TIMEOUT_S = 10.0


class TlsServer(ThreadingHTTPServer):
    """A threaded HTTP server whose handshakes happen on the connection's own thread.

    Done where connections are accepted, one silent client would lock everybody out.
    """

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext, answers: Answers, door: Door) -> None:
        self.context, self.answers, self.door, self.refusals = context, answers, door, Refusals()
        super().__init__(address, Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands, then serve."""
        request.settimeout(HANDSHAKE_TIMEOUT_S)
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A handshake that failed, or a connection that broke off."""
        self.refusals.tell(client_address[0], "a connection", sys.exception())


class DataPlane:
    """Serves until it is stopped."""

    def __init__(self, home: CloudHome, address: tuple[str, int], answers: Answers, door: Door) -> None:
        self._home = home
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(home.ca_certificates))
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.verify_mode = ssl.CERT_OPTIONAL
        self._context.load_cert_chain(home.keys / "server.pem", home.keys / "server.key")
        self._server = TlsServer(address, self._context, answers, door)
        self._thread = threading.Thread(target=self._server.serve_forever, name="data-plane", daemon=True)

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Serve in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting."""
        self._server.shutdown()
        self._server.server_close()

    def reload_trust(self) -> None:
        """Accept certificates of a new authority too; revocation is looked up at every request."""
        self._context.load_verify_locations(cafile=str(self._home.ca_certificates))
