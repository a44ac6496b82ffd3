"""JSON-RPC to one node, over its Unix socket or its loopback port."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geth_network.errors import RpcError

Ask = Callable[..., Any]
CHUNK = 1 << 16


@dataclass(frozen=True)
class IpcNode:
    """A node by its Unix socket: every method, for who may read the folder."""

    path: Path
    timeout_s: float = 5

    def __call__(self, method: str, *params: Any) -> Any:
        """Asks one question; raises `RpcError` for a refusal or no answer."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(self.timeout_s)
                connection.connect(str(self.path))
                connection.sendall(request(method, params))
                return result(receive(connection), method)
        except OSError as fault:
            raise RpcError(f"{self.path.parent.name} does not answer {method}: {fault}") from fault


@dataclass(frozen=True)
class HttpNode:
    """A node by its URL."""

    url: str
    timeout_s: float = 5

    def __call__(self, method: str, *params: Any) -> Any:
        """Asks one question; raises `RpcError` for a refusal or no answer."""
        call = urllib.request.Request(  # noqa: S310  # the URL is our own node's
            self.url, request(method, params), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(call, timeout=self.timeout_s) as response:  # noqa: S310
                return result(response.read(), method)
        except (OSError, urllib.error.URLError) as fault:
            raise RpcError(f"{self.url} does not answer {method}: {fault}") from fault


def request(method: str, params: tuple[Any, ...]) -> bytes:
    """The text of a request."""
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def receive(connection: socket.socket) -> bytes:
    """Reads until geth's newline ends the answer."""
    answer = bytearray()
    while not answer.endswith(b"\n"):
        part = connection.recv(CHUNK)
        if not part:
            raise ConnectionError("the connection ended early")
        answer += part
    return bytes(answer)


def result(answer: bytes, method: str) -> Any:
    """The result in an answer."""
    try:
        document = json.loads(answer)
    except (ValueError, RecursionError) as damage:
        raise RpcError(f"the answer to {method} is not JSON") from damage
    if error := document.get("error"):
        raise RpcError(f"{method}: {error.get('message')}", error.get("code"))
    return document.get("result")


@dataclass(frozen=True)
class Head:
    """The newest block of a node."""

    number: int
    hash: str
    time: int
    difficulty: int


def head_of(ask: Ask) -> Head:
    """The node's newest block."""
    block = ask("eth_getBlockByNumber", "latest", False)
    number, time, difficulty = (int(block.get(key) or "0", 16) for key in ("number", "timestamp", "totalDifficulty"))
    return Head(number, block["hash"], time, difficulty)


def head_or_none(ask: Ask) -> Head | None:
    """The node's newest block, or None while it does not answer."""
    try:
        return head_of(ask)
    except RpcError:
        return None
