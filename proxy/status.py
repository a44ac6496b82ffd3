"""`/healthz` and `/metrics` on loopback."""

import json
import threading
from collections import Counter
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from proxy.gateway import Gateway
from proxy.poller import Poller
from proxy.watch import DiskWatch


class AccessLog:
    """Counts the access log's lines by block, verdict and status, reading only what is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._offset = path.stat().st_size if path.exists() else 0
        self.counts: Counter[tuple[str, str, int]] = Counter()

    def read(self) -> None:
        """Count what was written since."""
        with self._lock, self._path.open("rb") as file:
            if file.seek(0, 2) < self._offset:
                self._offset = 0
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
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

    def __init__(self, address: tuple[str, int], gateway: Gateway, poller: Poller, disk: DiskWatch) -> None:
        self.gateway, self.poller, self.disk = gateway, poller, disk
        self.log = AccessLog(gateway.settings.folder / "logs" / "access.log")
        super().__init__(address, StatusHandler)


class StatusHandler(BaseHTTPRequestHandler):
    """One request of a monitoring system."""

    timeout = 10
    server: StatusServer

    def do_GET(self) -> None:
        """Health, metrics, or 404."""
        if self.path == "/healthz":
            answer = healthz(self.server)
            self._answer(200 if answer["ok"] else 503, "application/json", json.dumps(answer))
        elif self.path == "/metrics":
            self._answer(200, "text/plain; version=0.0.4", metrics(self.server))
        else:
            self._answer(404, "text/plain", "only /healthz and /metrics\n")

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
    trouble = server.disk.trouble or gateway.trouble
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
