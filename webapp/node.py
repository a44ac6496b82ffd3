"""JSON-RPC to a node that answers and keeps up: several URLs, one client, batches."""

import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import httpx
from web3 import Web3
from web3.middleware import ExtraDataToPOAMiddleware
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from webapp.errors import NodeUnreachable, WebError

BATCH = 100
LOOK_S = 2.0
"""So often at most, and only while there are calls, the heads of all nodes are compared."""
LAG_BLOCKS = 2
"""A node is left when another one is this far ahead: one block is the time that it takes to travel."""


class RpcError(WebError):
    """A node answered with an error; `answer` is all of it, with the revert's bytes where there are some."""

    code = "rpc"

    def __init__(self, error: dict[str, Any]) -> None:
        """Take the error object of the answer."""
        super().__init__(str(error.get("message", "the node refused")))
        self.number = error.get("code")
        self.answer: Any = {"error": error}


def best_turn(turn: int, heads: Mapping[int, int]) -> int:
    """Return whose turn it is, by the heads of those that answered: the same node, unless another one is ahead."""
    highest = max(heads.values(), default=0)
    keeps_up = turn in heads and highest - heads[turn] < LAG_BLOCKS
    return turn if keeps_up or not heads else min(each for each, head in heads.items() if head == highest)


class Node:
    """Asks the node that answered last, and another one when it no longer answers or falls behind.

    A node that is cut off from its peers still answers, with a picture of the past, and keeps what it is sent to
    itself. So the heads are compared, beside the call that gave the occasion: no call waits for it.
    """

    def __init__(self, urls: Sequence[str], timeout_s: float = 5.0) -> None:
        """Use these URLs, in this order."""
        self._urls = list(urls)
        self._first = 0
        self._ids = itertools.count(1)
        self._next_look = 0.0
        self._looking = threading.Lock()
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=16)
        self._client = httpx.Client(timeout=httpx.Timeout(timeout_s, connect=1.0), limits=limits)

    def call(self, method: str, *params: Any) -> Any:
        """Return the result of one call.

        Raises:
            RpcError: the node answered with an error.
            NodeUnreachable: none answered.
        """
        return _result(self.post(self._request(method, params)))

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Return the results in order; an element that failed is its `RpcError`."""
        results: list[Any] = []
        for start in range(0, len(calls), BATCH):
            requests = [self._request(method, params) for method, params in calls[start : start + BATCH]]
            answers = self.post(requests)
            if not isinstance(answers, list):
                raise RpcError(answers.get("error", {}))
            by_id = {answer.get("id"): answer for answer in answers}
            results += [_result_or_error(by_id.get(request["id"], {})) for request in requests]
        return results

    def post(self, body: Any) -> Any:
        """Send a body to the first node that answers and return its answer."""
        self._look_when_due()
        first = self._first  # another call, or a look at the heads, may turn to another node meanwhile
        for step in range(len(self._urls)):
            turn = (first + step) % len(self._urls)
            try:
                answer = self._client.post(self._urls[turn], json=body).json()
            except (httpx.HTTPError, ValueError):
                continue
            if step and self._first == first:
                self._first = turn
            return answer
        raise NodeUnreachable(", ".join(self._urls) or "none is configured")

    def _look_when_due(self) -> None:
        due = len(self._urls) > 1 and time.monotonic() >= self._next_look
        if due and self._looking.acquire(blocking=False):
            try:
                threading.Thread(target=self._look, name="heads", daemon=True).start()
            except RuntimeError:  # no thread is to be had: the call goes on without
                self._looking.release()

    def _look(self) -> None:
        try:
            self.compare()
        finally:
            self._next_look = time.monotonic() + LOOK_S
            self._looking.release()

    def compare(self) -> None:
        """Ask every node for its head and turn to the one that is ahead."""
        heads = {turn: head for turn in range(len(self._urls)) if (head := self._head(turn)) is not None}
        self._first = best_turn(self._first, heads)

    def _head(self, turn: int) -> int | None:
        asked = self._request("eth_blockNumber", ())
        try:
            return int(self._client.post(self._urls[turn], json=asked, timeout=LOOK_S / 2).json()["result"], 16)
        except (httpx.HTTPError, ValueError, LookupError, TypeError):
            return None

    def _request(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    def close(self) -> None:
        """Close the connections, once a look at the heads has ended: it would open another."""
        with self._looking:
            self._client.close()


def _result(answer: dict[str, Any]) -> Any:
    if answer.get("error"):
        raise RpcError(answer["error"])
    return answer.get("result")


def _result_or_error(answer: dict[str, Any]) -> Any:
    if answer.get("error") or "result" not in answer:
        return RpcError(answer.get("error") or {})
    return answer["result"]


class NodeProvider(JSONBaseProvider):
    """Lets web3.py, and so the contract bindings, speak through a `Node`."""

    def __init__(self, node: Node) -> None:
        """Speak through this node."""
        super().__init__()
        self._node = node

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Send one request."""
        return cast("RPCResponse", self._node.post(self._node._request(method, params)))  # noqa: SLF001

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse] | RPCResponse:
        """Send many at once; an error that is about all of them is the answer."""
        asked = [self._node._request(method, params) for method, params in requests]  # noqa: SLF001
        answers = self._node.post(asked)
        if not isinstance(answers, list):
            return cast("RPCResponse", answers)
        return cast("list[RPCResponse]", sorted(answers, key=lambda answer: int(answer.get("id") or 0)))


def web3_over(node: Node) -> Web3:
    """Return web3.py over this node; Clique's long `extraData` is admitted."""
    w3 = Web3(NodeProvider(node))
    w3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    return w3
