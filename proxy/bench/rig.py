"""A gateway, a bare proxy and nodes in a folder of their own, for measuring."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from proxy.admin import request_admin
from proxy.listeners import bind
from proxy.render import node_address

SELECTOR = "0x8f32d59b"
PLENTY = 10_000_000
RATES = ("device_rate", "device_burst", "stranger_rate", "stranger_burst", "wallet_rate", "wallet_burst")

PLAIN_NGINX = """
daemon off; pid {home}/{name}.pid; error_log {home}/{name}.log; {user}
worker_processes 1; worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path {home}/{name}1; proxy_temp_path {home}/{name}2;
  fastcgi_temp_path {home}/{name}3; uwsgi_temp_path {home}/{name}4; scgi_temp_path {home}/{name}5;
  upstream node {{ server {node}; keepalive 32; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ {answer} }}
  }}
}}
"""
BARE = (
    'proxy_pass http://node; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host localhost;'
)
TRIVIAL = """default_type application/json; return 200 '{"jsonrpc":"2.0","id":1,"result":"0x64"}';"""


class Rig:
    """Everything that runs for a measurement."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self.home, self._stack = home, stack
        self._ca = Authority(home)
        self.ready: dict[str, Any] = {}
        self.selectors = {SELECTOR}
        self.gateway: subprocess.Popen[bytes] | None = None

    def plain_nginx(self, name: str, answer: str, node: str = "127.0.0.1:1") -> str:
        """Start an nginx of one location; its host:port."""
        port = free_port()
        user = "user nobody nogroup;" if os.geteuid() == 0 else ""
        text = PLAIN_NGINX.format(home=self.home, name=name, user=user, node=node, port=port, answer=answer)
        (self.home / f"{name}.conf").write_text(text)
        command = ["nginx", "-e", f"{self.home}/{name}.log", "-p", str(self.home), "-c", f"{self.home}/{name}.conf"]
        self.start(command)
        return f"127.0.0.1:{port}"

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        """A process that ends with this one, in a session of its own as the gateway's nginx: sessions share the CPU."""
        guarded = ["setpriv", "--pdeathsig", "TERM", "--", *command]
        process = subprocess.Popen(guarded, stderr=subprocess.DEVNULL, start_new_session=True)
        self._stack.callback(_end, process)
        return process

    def up(self, upstreams: list[str], **settings: Any) -> None:
        """Start the gateway and wait until it serves."""
        server = self._ca.issue("gateway")
        selectors = self.home / "selectors.json"
        selectors.write_text(json.dumps(sorted(self.selectors)))
        told = {
            "devices_port": 0,
            "wallets_port": 0,
            "upstreams": upstreams,
            "certificate": str(server.certificate),
            "key": str(server.key),
            "client_ca": str(self.home / "ca.pem"),
            "client_crl": str(self.home / "crl.pem"),
            "selectors_file": str(selectors),
            "workers": 1,
            **dict.fromkeys(RATES, PLENTY),
            **settings,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in told.items()]
        (self.home / "lading.toml").write_text("[gateway]\n" + "\n".join(lines) + "\n")
        environment = {**os.environ, "LADING_HOME": str(self.home)}
        self.gateway = subprocess.Popen([sys.executable, "-m", "proxy", "up"], env=environment)
        self._stack.callback(_end, self.gateway)
        path = self.home / "gateway" / "ready.json"
        wait_until(path.exists, "the gateway")
        self.ready = json.loads(path.read_text())

    def address(self, block: str) -> tuple[str, int]:
        """Where a block listens."""
        host, _, port = self.ready[block].rpartition("//")[2].rpartition(":")
        return host, int(port)

    def device(self, name: str) -> "Identity":
        """A certified and admitted device."""
        identity = self._ca.issue(name)
        request_admin(
            self.home / "gateway" / "admin.sock", "POST", "/devices", {"name": name, "serial": identity.serial}
        )
        return identity

    def revoke(self, identity: "Identity") -> None:
        """Put a device's certificate on the list."""
        self._ca.revoke(int(identity.serial, 16))

    def workers(self) -> list[psutil.Process]:
        """The gateway's nginx workers."""
        if self.gateway is None:
            return []
        children = psutil.Process(self.gateway.pid).children(recursive=True)
        return [child for child in children if "worker process" in " ".join(child.cmdline())]


class Identity:
    """A certificate, its key and its serial."""

    def __init__(self, certificate: Path, key: Path, serial: str) -> None:
        self.certificate, self.key, self.serial = certificate, key, serial


class Authority:
    """A CA for one measurement."""

    def __init__(self, home: Path) -> None:
        self._home, self._key = home, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
        self._revoked: list[int] = []
        own = self._builder("bench", self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        (home / "ca.pem").write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        self._write_list()

    def issue(self, name: str) -> Identity:
        """A certificate for 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        leaf = self._builder(name, key).add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        paths = self._home / f"{name}.pem", self._home / f"{name}.key"
        paths[0].write_bytes(leaf.public_bytes(Encoding.PEM))
        paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return Identity(*paths, f"{leaf.serial_number:x}")

    def revoke(self, serial: int) -> None:
        """Write a new list."""
        self._revoked.append(serial)
        self._write_list()

    def _builder(self, name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
        return builder.not_valid_after(now + timedelta(days=1))

    def _write_list(self) -> None:
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self._name).last_update(now)
        builder = builder.next_update(now + timedelta(days=1))
        for serial in self._revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(entry)
        draft = self._home / "crl.new"
        draft.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        draft.replace(self._home / "crl.pem")


@contextmanager
def rig() -> Iterator[Rig]:
    """A folder and processes that are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="lb-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)
        yield Rig(Path(folder), stack)


def wait_until(condition: Callable[[], Any], what: str, patience_s: float = 60) -> float:
    """Seconds until the condition held."""
    start = time.perf_counter()
    while not condition():
        if time.perf_counter() - start > patience_s:
            raise TimeoutError(what)
        time.sleep(0.005)
    return time.perf_counter() - start


def bare_answer(upstream: str) -> tuple[str, str]:
    """A bare proxy's location and the node behind it."""
    return BARE, node_address(upstream)


def free_port() -> int:
    """A port that was free a moment ago."""
    (listener,) = bind({"bench": ("127.0.0.1", 0)}).values()
    with listener:
        return int(listener.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGCONT)
    process.terminate()
    process.wait(30)
