"""The gateway between doors and nodes: the real nginx, with the cloud's certificates, on ports that outlive it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from contracts.abi import selectors
from iot_cloud import certificates
from proxy.admin import request_admin
from tests.iot_cloud.running import RunningCloud

PLENTY = 100_000
PATIENCE_S = 600.0
"""Longer than a crowded machine takes: many Pis start at the same time."""
RATES = ("device_rate", "device_burst", "wallet_rate", "wallet_burst", "stranger_rate", "stranger_burst")


class Gateway:
    """`lading-gateway up` in a run folder of its own, in front of these nodes."""

    def __init__(self, home: Path, cloud: RunningCloud, upstreams: list[str]) -> None:
        self._home = home
        self._folder = home / "gateway"
        self._folder.mkdir(parents=True, mode=0o700)
        self._settings: dict[str, Any] = self._certify(cloud) | dict.fromkeys(RATES, PLENTY)
        self._settings |= {"devices_port": 0, "wallets_port": 0, "upstreams": upstreams, "workers": 1}
        self._environment = os.environ | {"LADING_HOME": str(home), "LADING_CONFIG": str(home / "lading.toml")}
        self.process = self._start()
        for name in ("devices", "wallets"):
            self._settings[f"{name}_port"] = urlsplit(self._ready()[name]).port

    @property
    def url(self) -> str:
        """Where devices ask."""
        return f"https://127.0.0.1:{self._settings['devices_port']}"

    @property
    def wallets(self) -> str:
        """Where people's wallets ask."""
        return f"http://127.0.0.1:{self._settings['wallets_port']}"

    def admit(self, name: str, serial: str) -> None:
        """Let a certificate's holder in."""
        status, answer = request_admin(
            self._folder / "admin.sock", "POST", "/devices", {"name": name, "serial": serial}
        )
        assert status in (200, 201), answer

    def nginx(self) -> list[psutil.Process]:
        """The master, then its workers."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill(self) -> None:
        """SIGKILL to `lading-gateway`, then a new one on the same ports, as systemd would."""
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def close(self) -> None:
        """Stop it in order."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def _start(self) -> subprocess.Popen[bytes]:
        lines = [f"{key} = {json.dumps(value)}" for key, value in self._settings.items()]
        (self._home / "lading.toml").write_text("[gateway]\n" + "\n".join(lines) + "\n")
        with (self._home / "gateway.out").open("ab") as out:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "proxy", "up"],
                env=self._environment, stdout=out, stderr=out,
            )  # fmt: skip

        deadline = time.monotonic() + PATIENCE_S
        while self._ready().get("pid") != process.pid:
            assert process.poll() is None, (self._home / "gateway.out").read_text()
            assert time.monotonic() < deadline, "the gateway does not get ready"
            time.sleep(0.05)
        return process

    def _ready(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self._folder / "ready.json").read_text()))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def _certify(self, cloud: RunningCloud) -> dict[str, str]:
        key = certificates.new_key()
        csr = certificates.request("chaos-gateway", key)
        answer = cloud.api("POST", "/servers", {"name": "chaos-gateway", "hosts": ["127.0.0.1"], "csr": csr})
        files = {"server.key": certificates.key_pem(key), "server.pem": answer["certificate"].encode()}
        files["selectors.json"] = json.dumps(sorted(selectors().values())).encode()
        for name, content in files.items():
            (self._folder / name).touch(mode=0o600)
            (self._folder / name).write_bytes(content)
        ca = Path(cloud.ready["ca"])
        paths = {"certificate": self._folder / "server.pem", "key": self._folder / "server.key", "client_ca": ca}
        paths |= {"client_crl": ca.with_name("crl.pem"), "selectors_file": self._folder / "selectors.json"}
        return {name: str(path) for name, path in paths.items()}
