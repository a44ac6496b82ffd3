"""A node cannot fill the memory of whoever asks it, nor hold him for ever."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from contracts import errors
from contracts.chain import asking, block_number, connect
from contracts.rpc import rpc_of
from contracts.sale import Sale

Write = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def node(write: Write) -> Iterator[str]:
    """Answers every request with what `write` writes after the status."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            try:
                write(self)
            except OSError:
                self.close_connection = True  # whoever asked had enough

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sized(body: bytes, **headers: str) -> Write:
    """A whole body."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return write


def endless(handler: BaseHTTPRequestHandler) -> None:
    """No length, and no end."""
    handler.end_headers()
    while True:
        handler.wfile.write(b"0" * 65_536)


def dripping(ended: threading.Event) -> Write:
    """A byte now and then, so that no single wait is long."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.end_headers()
        while not ended.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    return write


def answer(result: Any) -> bytes:
    """A JSON-RPC answer."""
    return json.dumps([{"jsonrpc": "2.0", "id": 0, "result": result}]).encode()


def test_an_answer_that_fits_is_read() -> None:
    """Plain and compressed."""
    for write in (sized(answer("0x1")), sized(gzip.compress(answer("0x1")), Content_Encoding="gzip")):
        with node(write) as url:
            assert rpc_of(connect(url, body_max=100))([("eth_blockNumber", [])]) == ["0x1"]


@pytest.mark.parametrize(
    "write",
    [sized(answer("0" * 2_000)), endless, sized(gzip.compress(b"0" * 50_000_000), Content_Encoding="gzip")],
    ids=["long", "endless", "bomb"],
)
def test_an_answer_that_is_too_long_is_refused(write: Write) -> None:
    """Whether it says its length, has none, or is packed small."""
    with node(write) as url, pytest.raises(errors.NodeError, match="more than 1000 bytes"):
        rpc_of(connect(url, body_max=1_000))([("eth_blockNumber", [])])


def test_an_answer_that_drips_is_given_up() -> None:
    """The time-out is for the whole answer."""
    ended = threading.Event()
    with node(dripping(ended)) as url:
        w3 = connect(url, timeout=0.5)
        with pytest.raises(errors.NodeUnreachable, match="in time"), asking():
            w3.eth.get_balance("0x" + "11" * 20)  # type: ignore[arg-type]
        ended.set()


def cut_short(handler: BaseHTTPRequestHandler) -> None:
    """A length that does not come, as when a gateway restarts in mid-answer."""
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"0x")
    handler.close_connection = True


def ill_chunked(handler: BaseHTTPRequestHandler) -> None:
    """A chunk whose length is no number."""
    handler.protocol_version = "HTTP/1.1"
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"xyz\r\n0x\r\n")
    handler.close_connection = True


def nested(depth: int) -> bytes:
    """Error data in error data."""
    body: Any = "x"
    for _ in range(depth):
        body = {"data": body}
    return json.dumps({"jsonrpc": "2.0", "id": 0, "error": {"code": -32000, "message": "x", "data": body}}).encode()


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (cut_short, errors.NodeUnreachable),
        (ill_chunked, errors.NodeUnreachable),
        (sized(b"\x1f\x8bno gzip", Content_Encoding="gzip"), errors.NodeError),
        (sized(b"[" * 100_000), errors.NodeError),
        (sized(b'{"jsonrpc":"2.0","id":0,"result":1e999}'), errors.NodeError),
        (sized(b'{"jsonrpc":"2.0","id":0,"result":-1}'), errors.NodeError),
        (sized(b'{"jsonrpc":"2.0","id":0,"result":1.5}'), errors.NodeError),
        (sized(nested(60)), errors.NodeError),
        (sized(nested(900)), errors.NodeError),
    ],
    ids=["cut", "chunk", "gzip", "deep", "infinite", "negative", "fraction", "nested", "nested deep"],
)
def test_whatever_breaks_an_answer_is_this_packages_error(write: Write, kind: type[errors.NodeError]) -> None:
    """Reads raise it, also those of a batch, and a verifier has it as its reason."""
    with node(write) as url:
        w3 = connect(url, timeout=5)
        sale = Sale.at(w3, "0x" + "11" * 20)
        for read in (lambda: block_number(w3), sale.status, sale.state, lambda: rpc_of(w3)([("eth_call", [])])):
            with pytest.raises(errors.LadingError):
                read()
        with pytest.raises(kind):
            block_number(w3)
