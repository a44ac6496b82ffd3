"""Asks every node for its head, twice a second: what nginx itself cannot see is a node that answers with the past."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

from proxy.health import Health, observe
from proxy.render import node_address
from proxy.settings import Settings

ANSWER_S = 1.0
QUESTION = b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'


class Poller:
    """Keeps `health`, and tells `on_change` when the set of nodes that are down changes."""

    def __init__(self, settings: Settings, on_change: Callable[[frozenset[str]], None]) -> None:
        self._settings = settings
        self._on_change = on_change
        self._pool = ThreadPoolExecutor(len(settings.upstreams), "poll")
        self._lines = {url: NodeLine(url, ANSWER_S) for url in settings.upstreams}
        self.health = Health()
        self._told: frozenset[str] = frozenset()

    def poll(self) -> None:
        """One round over all nodes at once."""
        heads = dict(zip(self._lines, self._pool.map(NodeLine.head, self._lines.values()), strict=True))
        self.health = observe(self.health, heads, self._settings.max_lag_blocks)
        if self.health.down != self._told:
            self._on_change(self.health.down)
            self._told = self.health.down

    def run(self, stop: threading.Event) -> None:
        """Poll until told to stop."""
        while not stop.wait(self._settings.poll_s):
            self.poll()
        self._pool.shutdown()
        for line in self._lines.values():
            line.close()


def is_silent(url: str, timeout_s: float) -> bool:
    """Whether a node does not say its head."""
    line = NodeLine(url, timeout_s)
    try:
        return line.head() is None
    finally:
        line.close()


class NodeLine:
    """A kept connection to one node."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._connection = HTTPConnection(node_address(url), timeout=timeout_s)

    def head(self) -> int | None:
        """The number of the node's newest block, or None when it does not say."""
        try:
            self._connection.request("POST", "/", QUESTION, {"Content-Type": "application/json", "Host": "localhost"})
            return int(json.loads(self._connection.getresponse().read())["result"], 16)
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            self.close()
            return None

    def close(self) -> None:
        """Hang up; the next question connects again."""
        self._connection.close()
