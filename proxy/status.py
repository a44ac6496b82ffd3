"""`/healthz`, `/readyz` (the same: a gateway that cannot serve is of no use) and `/metrics` on loopback."""

import json
import os
import threading
from collections import Counter
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

from proxy.gateway import Gateway
from proxy.poller import Poller
from proxy.watch import Watch


class AccessLog:
    """Counts the access log's lines by block, verdict and status, reading only what is new; it may be rotated."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: BinaryIO | None = path.open("rb") if path.exists() else None
        if self._file is not None:
            self._file.seek(0, os.SEEK_END)
        self.counts: Counter[tuple[str, str, int]] = Counter()

    def read(self) -> None:
        """Count what was written since, to the end of a file that was moved away before the new one."""
        with self._lock:
            self._drain()
            if self._is_rotated():
                if self._file is not None:
                    self._file.close()
                self._file = self._path.open("rb")
                self._drain()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _is_rotated(self) -> bool:
        if not self._path.exists():
            return False
        return self._file is None or not os.path.samestat(os.fstat(self._file.fileno()), self._path.stat())

    def _drain(self) -> None:
        if self._file is None:
            return
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)
        while line := self._file.readline():
            if not line.endswith(b"\n"):
                self._file.seek(-len(line), os.SEEK_CUR)
                break
            self._count(line)

    def _count(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            self.counts[entry["block"], entry["verdict"], entry["status"]] += 1
        except (ValueError, KeyError, TypeError):
            self.counts["unknown", "unreadable", 0] += 1


class StatusServer(ThreadingHTTPServer):
    """Answers a monitoring system."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], gateway: Gateway, poller: Poller, watches: Iterable[Watch]) -> None:
        self.gateway, self.poller, self.watches = gateway, poller, tuple(watches)
        self.log = AccessLog(gateway.settings.folder / "logs" / "access.log")
        super().__init__(address, StatusHandler)

    def server_close(self) -> None:
        """Stop listening and reading."""
        super().server_close()
        self.log.close()


class StatusHandler(BaseHTTPRequestHandler):
    """One request of a monitoring system."""

    timeout = 10
    server: StatusServer

    def do_GET(self) -> None:
        """Health, metrics, or 404."""
        if self.path in {"/healthz", "/readyz"}:
            answer = healthz(self.server)
            self._answer(200 if answer["ok"] else 503, "application/json", json.dumps(answer))
        elif self.path == "/metrics":
            self._answer(200, "text/plain; version=0.0.4", metrics(self.server))
        else:
            self._answer(404, "text/plain", "only /healthz, /readyz and /metrics\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Probes are not worth a line."""

    def _answer(self, status: int, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def healthz(server: StatusServer) -> dict[str, Any]:
    """Whether an honest request would be served, and what is wrong if not."""
    gateway, health = server.gateway, server.poller.health
    nodes = {url: {"head": node.head, "down": url in gateway.state.down} for url, node in health.nodes.items()}
    running = gateway.nginx.failure() is None
    trouble = next((watch.trouble for watch in server.watches if watch.trouble), gateway.trouble)
    return {"ok": running and health.answering and not trouble, "nginx": running, "nodes": nodes, "trouble": trouble}


def metrics(server: StatusServer) -> str:
    """The same in Prometheus's text format, with counts of requests and connections."""
    server.log.read()
    state = healthz(server)
    lines = ["# TYPE lading_gateway_requests_total counter"]
    for (block, verdict, status), count in sorted(server.log.counts.items()):
        lines.append(f'lading_gateway_requests_total{{block="{block}",verdict="{verdict}",status="{status}"}} {count}')
    lines.append("# TYPE lading_gateway_node_down gauge")
    for url, node in state["nodes"].items():
        lines.append(f'lading_gateway_node_down{{node="{url}"}} {int(node["down"])}')
        if node["head"] is not None:
            lines.append(f'lading_gateway_node_head{{node="{url}"}} {node["head"]}')
    lines.append(f"lading_gateway_ok {int(state['ok'])}")
    lines.append(f"lading_gateway_reloads_total {server.gateway.reloads}")
    lines.append(f"lading_gateway_connections {_connections(server.gateway.addresses['stub'])}")
    return "\n".join(lines) + "\n"


def _connections(address: tuple[str, int]) -> int:
    line = HTTPConnection(*address, timeout=2)
    try:
        line.request("GET", "/stub")
        return int(line.getresponse().read().split()[2])
    except (OSError, HTTPException, ValueError, IndexError):
        return 0
    finally:
        line.close()
