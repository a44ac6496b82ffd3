"""A node that records every byte it is sent and answers as geth would."""

import contextlib
import json
import socket
import socketserver
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Node(ThreadingHTTPServer):
    """Records; its head can be set, and clearing `flow` makes it hang, while it runs."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), NodeHandler)
        self.head = 100
        self.flow = threading.Event()
        self.flow.set()
        self.seen: list[Seen] = []
        self._peers: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def calls(self) -> list[Seen]:
        """What was recorded, without the lag poller's questions."""
        return [request for request in self.seen if b'"id":1,"method":"eth_blockNumber"' not in request.body]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that hangs up is no news."""

    def get_request(self) -> tuple[socket.socket, Any]:
        """Remember the connection."""
        peer, address = super().get_request()
        self._peers.add(peer)
        return peer, address

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        self._peers.discard(request)
        super().shutdown_request(request)

    def close(self) -> None:
        """Die: no listening, and every connection cut."""
        self.flow.set()
        for peer in list(self._peers):
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        self.shutdown()
        self.server_close()
        self._thread.join()


class NodeHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Node

    def do_POST(self) -> None:
        """Record and answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(Seen(self.command, self.path, dict(self.headers), body))
        self.server.flow.wait()
        asked = json.loads(body)
        answer = [self._answer(call) for call in asked] if isinstance(asked, list) else self._answer(asked)
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": call["id"], "result": hex(self.server.head)}

    def log_message(self, *args: object) -> None:
        """Silent."""


socketserver.TCPServer.allow_reuse_address = True
