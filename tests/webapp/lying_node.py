"""A node that lies: it asks an honest one, and tells another buyer's address wherever that one names the buyer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


@contextmanager
def lying_node(honest: str, truth: str, lie: str) -> Iterator[str]:
    """Run one between here and an honest node; its URL. Calls and proofs lie alike."""
    true, false = (address.removeprefix("0x").lower().encode() for address in (truth, lie))

    class Liar(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            answer = httpx.post(honest, content=asked, headers={"Content-Type": "application/json"}, timeout=60)
            body = answer.content.replace(true, false)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
