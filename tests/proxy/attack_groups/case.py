"""One attack: bytes, who sends them where, and what must come of it."""

import json
from dataclasses import dataclass, field
from typing import Any

REFUSALS: dict[str, tuple[int, int, str]] = {
    "params": (400, -32602, ""),
    "precompile": (403, -32602, "calls to precompiled contracts are not allowed"),
    "selector": (403, -32602, "this function is not one of the project's"),
    "method": (403, -32601, "this method is not allowed here"),
    "id": (400, -32600, "an id must be null, a safe integer or up to 64 plain characters"),
    "request": (400, -32600, ""),
    "member": (400, -32600, "a request has only jsonrpc, id, method and params"),
    "batch": (400, -32600, "a batch has 1 to 32 calls"),
    "batch_write": (403, -32600, "a transaction may not be part of a batch"),
    "content_type": (415, -32600, "send application/json"),
    "content_encoding": (415, -32600, "send the body unencoded"),
    "json": (400, -32700, "the body is not JSON"),
    "http_method": (405, -32600, "send POST"),
    "not_admitted": (403, -32001, "this certificate is not admitted here"),
    "credentials": (401, -32001, "present a client certificate or basic credentials"),
    "origin": (403, -32001, "this page may not call the chain"),
    "http": (400, -32600, "not a request that this gateway reads"),
    "path": (404, -32600, "send requests to /"),
    "size": (413, -32600, "the body is larger than 64 KB"),
    "certificate": (403, -32001, ""),
    "plain_http": (400, -32600, "send HTTPS to this port"),
}

Piece = str | dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Bytes are written as Latin-1 text; a long run as {"repeat": text, "times": n}."""

    group: str
    name: str
    block: str
    send: list[Piece]
    refusal: str | None = None
    message: str | None = None
    call_id: Any = None
    forwarded: str | None = None
    status: int | None = None
    identity: str = "gate-1"
    answers: int = 1
    extra: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The case as its file says it."""
        content: dict[str, Any] = {"block": self.block, "identity": self.identity, "send": self.send}
        if self.refusal is not None:
            status, code, message = REFUSALS[self.refusal]
            error = {"code": code, "message": self.message or message, "data": {"reason": self.refusal}}
            content["status"] = self.status or status
            content["body"] = {"jsonrpc": "2.0", "id": self.call_id, "error": error}
        else:
            content["status"] = self.status if self.status is not None else 200
        content["answers"] = self.answers
        content["forwarded"] = self.forwarded
        return {**content, **self.extra}


def latin(content: bytes) -> str:
    """Bytes as text, one character each."""
    return content.decode("latin-1")


def size(pieces: list[Piece]) -> int:
    """How many bytes the pieces are."""
    return sum(len(p) if isinstance(p, str) else len(p["repeat"]) * p["times"] for p in pieces)


def post(body: bytes | list[Piece], *headers: str, line: str = "POST / HTTP/1.1") -> list[Piece]:
    """A whole request with the right length."""
    pieces: list[Piece] = [latin(body)] if isinstance(body, bytes) else body
    head = [line, "Host: gateway", "Connection: close", f"Content-Length: {size(pieces)}"]
    if not any(header.lower().startswith("content-type:") for header in headers):
        head.append("Content-Type: application/json")
    return ["\r\n".join([*head, *headers]) + "\r\n\r\n", *pieces]


def anew(method: str, params: str, call_id: str = "1") -> str:
    """The body as the filter writes it."""
    return f'{{"jsonrpc":"2.0","id":{call_id},"method":"{method}","params":[{params}]}}'


def asked(method: str, params: Any, call_id: Any = 1) -> bytes:
    """A plain call."""
    return json.dumps({"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}).encode()
