"""A gateway process started for a test, and the ways to speak to it."""

import base64
import contextlib
import io
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock
from urllib.parse import urlsplit

from proxy.__main__ import main
from proxy.admin import request_admin
from tests.proxy.authority import Authority, Identity

PATIENCE_S = 60.0
Line = TypeVar("Line", HTTPConnection, HTTPSConnection, socket.socket)


def await_until(condition: Callable[[], Any], what: str) -> Any:
    """The condition's first true value."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return value


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


class Running:
    """A `lading-gateway up` with its own run folder."""

    inside: tuple[str, ...] = ()

    def __init__(self, home: Path, authority: Authority, upstreams: list[str], **settings: Any) -> None:
        self.home, self.authority = home, authority
        server = authority.issue("gateway", hosts=("127.0.0.1",))
        selectors = home / "selectors.json"
        selectors.write_text(json.dumps(["0x8f32d59b", "0xa1b2c3d4"]))
        self.settings: dict[str, Any] = {
            "devices_port": 0,
            "wallets_port": 0,
            "upstreams": upstreams,
            "certificate": str(server.certificate),
            "key": str(server.key),
            "client_ca": str(authority.ca),
            "client_crl": str(authority.crl),
            "selectors_file": str(selectors),
            "wallet_origins": ["http://127.0.0.1:8080"],
            "workers": 1,
            **settings,
        }
        self.process: subprocess.Popen[str] | None = None
        self.ready: dict[str, Any] = {}
        self._open: list[HTTPConnection | socket.socket] = []

    @property
    def environment(self) -> dict[str, str]:
        """What every command of this gateway gets."""
        return {**os.environ, "LADING_HOME": str(self.home)}

    @property
    def folder(self) -> Path:
        """The gateway's own state."""
        return self.home / "gateway"

    def configure(self, **changes: Any) -> None:
        """Write lading.toml."""
        self.settings |= changes
        lines = [f"{key} = {json.dumps(value)}" for key, value in self.settings.items()]
        (self.home / "lading.toml").write_text("[gateway]\n" + "\n".join(lines) + "\n")

    def up(self) -> None:
        """Start it and wait until it serves."""
        self.configure()
        command = ["setpriv", "--pdeathsig", "TERM", "--", *self.inside, sys.executable, "-m", "proxy", "up"]
        self.process = subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True)
        await_until(lambda: self._is_ready() or self.process.poll() is not None, "ready.json")
        assert self._is_ready(), self.process.communicate()[1]

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            self.ready = json.loads((self.folder / "ready.json").read_text())
        return self.ready.get("pid") == self.process.pid

    def down(self) -> None:
        """Stop it; it must end well."""
        self.hang_up()
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0, errors
        self.process = None

    def command(self, *arguments: str) -> Done:
        """A subcommand of lading-gateway, in this process; `up` in one of its own."""
        if "up" in arguments:
            command = [sys.executable, "-m", "proxy", *arguments]
            done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
            return Done(done.returncode, done.stdout, done.stderr)
        said, complained = io.StringIO(), io.StringIO()
        with mock.patch.dict(os.environ, self.environment), redirect_stdout(said), redirect_stderr(complained):
            try:
                status = main(arguments)
            except SystemExit as usage:
                status = int(str(usage.code))
        return Done(status, said.getvalue(), complained.getvalue())

    def admin(self, method: str, target: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """A request to the admin socket."""
        return request_admin(self.folder / "admin.sock", method, target, body)

    def admit(self, name: str) -> Identity:
        """A new device, certified and admitted."""
        identity = self.authority.issue(name)
        status, answer = self.admin("POST", "/devices", {"name": name, "serial": identity.serial})
        assert status == 201, answer
        return identity

    def context(self, identity: Identity | None = None) -> ssl.SSLContext:
        """TLS that trusts the tests' CA."""
        context = ssl.create_default_context(cafile=str(self.authority.ca))
        if identity is not None:
            context.load_cert_chain(identity.certificate, identity.key)
        return context

    def devices(self, identity: Identity | None = None, source: str = "127.0.0.1") -> HTTPSConnection:
        """A connection to the devices' block."""
        port = urlsplit(self.ready["devices"]).port
        context = self.context(identity)
        line = HTTPSConnection("127.0.0.1", port, context=context, timeout=PATIENCE_S, source_address=(source, 0))
        return self.keep(line)

    def health(self) -> dict[str, Any]:
        """What /healthz says."""
        return json.loads(self.status("/healthz")[1])

    def status(self, target: str) -> tuple[int, str]:
        """A monitoring system's request."""
        line = HTTPConnection("127.0.0.1", urlsplit(self.ready["status"]).port, timeout=PATIENCE_S)
        with closing(line):
            line.request("GET", target)
            response = line.getresponse()
            return response.status, response.read().decode()

    def wallets(self) -> HTTPConnection:
        """A connection to the wallets' block."""
        return self.keep(HTTPConnection("127.0.0.1", urlsplit(self.ready["wallets"]).port, timeout=PATIENCE_S))

    def raw(self, block: str) -> socket.socket:
        """A bare TCP connection to a block."""
        return self.keep(socket.create_connection(("127.0.0.1", urlsplit(self.ready[block]).port), timeout=PATIENCE_S))

    def secure(self, url: str) -> HTTPSConnection:
        """A TLS connection to one of the gateway's addresses."""
        return self.keep(HTTPSConnection("127.0.0.1", urlsplit(url).port, context=self.context(), timeout=PATIENCE_S))

    def plain_port(self) -> int:
        """Where plain HTTP listens, which ready.json does not say."""
        conf = (self.folder / "nginx" / "current" / "gateway.conf").read_text()
        return int(conf.rsplit("listen 127.0.0.1:", 1)[1].split(";")[0])

    def hang_up(self) -> None:
        """Close every connection that a test has opened."""
        while self._open:
            self._open.pop().close()

    def keep(self, line: Line) -> Line:
        """Close this line when the test is over."""
        self._open.append(line)
        return line


class Answer:
    """A response: status, headers and JSON."""

    def __init__(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.status, self.headers, self.content = status, headers, content
        self.json = json.loads(content) if content else None

    @property
    def reason(self) -> str:
        """The refusal's reason code."""
        return self.json["error"]["data"]["reason"]


def ask(line: HTTPConnection, call: Any, **headers: str) -> Answer:
    """POST a call (bytes as they are) on an open connection."""
    body = call if isinstance(call, bytes) else json.dumps(call).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    line.request("POST", "/", body, {"Content-Type": "application/json", **given})
    response = line.getresponse()
    return Answer(response.status, dict(response.headers), response.read())


def rpc(method: str, *params: Any, call_id: Any = 7) -> dict[str, Any]:
    """A JSON-RPC call."""
    return {"jsonrpc": "2.0", "id": call_id, "method": method, "params": list(params)}


def basic(name: str, secret: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()
