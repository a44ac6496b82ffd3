"""A trivial node that can be killed, stopped or left behind: python -m proxy.bench.node PORT HEAD-FILE."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    """Answers every request with the head that the file names."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        """Any call."""
        self.rfile.read(int(self.headers["Content-Length"]))
        head = Path(sys.argv[2]).read_text()
        content = f'{{"jsonrpc":"2.0","id":1,"result":"{head}"}}'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Silent."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
