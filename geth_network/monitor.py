"""`/healthz`, `/readyz` and `/metrics` for a monitoring system: on loopback or a Unix socket, nowhere by default."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

WHERE = r"^$|^unix:.+$|^(127\.0\.0\.1|localhost):[0-9]{1,5}$"
ANYWHERE = "127.0.0.1:PORT or unix:PATH where /healthz, /readyz and /metrics answer; empty: nowhere"
TIMEOUT_S = 10


@dataclass(frozen=True)
class Figure:
    """One value, as Prometheus's text format has it."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        quoted = ",".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in self.labels.items())
        return f"{self.name}{{{quoted}}} {self.value}" if quoted else f"{self.name} {self.value}"


@dataclass(frozen=True)
class Health:
    """How it is now; `why` says what keeps it from serving, nothing: it serves."""

    figures: tuple[Figure, ...]
    why: tuple[str, ...] = ()


Look = Callable[[], Health]


class _TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Probe(BaseHTTPRequestHandler):
    timeout = TIMEOUT_S
    look: Look

    def do_GET(self) -> None:
        """Answer one of the three."""
        if self.path == "/healthz":
            return self._say(200, {"status": "ok"})
        if self.path not in ("/readyz", "/metrics"):
            return self._say(404, {"error": "only /healthz, /readyz and /metrics"})
        try:
            health = type(self).look()
        except Exception as error:  # noqa: BLE001  # whatever it is, it does not serve
            return self._say(503, {"ready": False, "why": [str(error) or type(error).__name__]})
        if self.path == "/readyz":
            return self._say(503 if health.why else 200, {"ready": not health.why, "why": list(health.why)})
        return self._send(200, "text/plain; version=0.0.4", _text(health.figures))

    def _say(self, status: int, said: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(said) + "\n")

    def _send(self, status: int, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Probes are not worth a line."""


def _text(figures: tuple[Figure, ...]) -> str:
    lines, told = [], ""
    for figure in figures:
        if figure.name != told:
            told = figure.name
            lines.append(f"# TYPE {told} {'counter' if told.endswith('_total') else 'gauge'}")
        lines.append(str(figure))
    return "\n".join(lines) + "\n"


@contextmanager
def monitored(where: str, look: Look) -> Iterator[None]:
    """Answer a monitoring system meanwhile; `look` is called from its thread."""
    if not where:
        yield
        return
    server = _serving(where, type("Probe", (_Probe,), {"look": staticmethod(look)}))
    threading.Thread(target=server.serve_forever, name="monitor", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        if where.startswith("unix:"):
            Path(where[5:]).unlink(missing_ok=True)


def _serving(where: str, probe: type[_Probe]) -> socketserver.BaseServer:
    if where.startswith("unix:"):
        path = Path(where[5:])
        path.unlink(missing_ok=True)
        unix = socketserver.ThreadingUnixStreamServer(str(path), probe)
        path.chmod(0o600)
        return unix
    host, _, port = where.rpartition(":")
    return _TcpServer((host, int(port)), probe)
