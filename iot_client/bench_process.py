"""How soon a Pi serves, and how much memory it takes: a door of its own, with neither chain nor cloud to reach."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from iot_client.identity.keys import make_chain_key, make_x509_key

PATIENCE_S = 60.0
ADDRESS = "0x" + "11" * 20


@dataclass(frozen=True)
class Process:
    """Seconds to ready, and the highest resident memory in MB, at rest and after pictures were read."""

    ready_s: float
    rest_mb: float
    peak_mb: float


def measure(pictures: list[bytes]) -> Process:
    """Start `lading-pi run`, put these pictures into its inbox, and look."""
    with tempfile.TemporaryDirectory(prefix="lb", dir="/tmp") as home:
        folder = _enrol(Path(home) / "pi" / "bench")
        began = time.monotonic()
        command = [sys.executable, "-m", "iot_client", "--config", str(folder / "config.toml"), "run"]
        with (folder / "out").open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | {"LADING_HOME": home})
        try:
            _await((folder / "ready.json").exists)
            ready_s, rest = time.monotonic() - began, _peak_mb(process.pid)
            for number, picture in enumerate(pictures):
                _show(folder / "inbox", f"{number}.jpg", picture)
            return Process(ready_s, rest, _peak_mb(process.pid))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


def _enrol(folder: Path) -> Path:
    make_chain_key(folder / "keystore.json", folder / "password")
    make_x509_key(folder / "x509.key")
    deployment = dict.fromkeys(("factory", "implementation", "registry"), ADDRESS)
    (folder / "deployments.json").write_text(json.dumps([{"chain_id": 1, "kind": "sale", **deployment}]))
    table = {
        "thing": "bench", "device_id": 1, "site": 1, "operator": ADDRESS, "chain_id": 1, "confirmations": 3,
        "chain_url": "http://127.0.0.1:9", "sealers": [ADDRESS], "iot_host": "127.0.0.1", "iot_port": 9,
    }  # fmt: skip
    (folder / "config.toml").write_text(tomli_w.dumps({"pi": table}))
    return folder


def _show(inbox: Path, name: str, picture: bytes) -> None:
    (inbox / f".{name}").write_bytes(picture)
    (inbox / f".{name}").rename(inbox / name)
    _await(lambda: not (inbox / name).exists())


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the Pi does not serve")
        time.sleep(0.01)


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
