"""A cloud of its own to measure, with things that were enrolled before it started."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iot_cloud import certificates
from iot_cloud.authority import Authority
from iot_cloud.connection import Endpoint
from iot_cloud.enrolment import Enrolment, NoRights
from iot_cloud.errors import ProcessError
from iot_cloud.home import CloudHome
from iot_cloud.registry import Registry
from iot_cloud.settings import Settings

START_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Stand:
    """The running cloud and the names of its things."""

    home: CloudHome
    things: tuple[str, ...]
    facts: dict[str, Any]
    broker_pid: int
    service_pid: int

    @classmethod
    @contextlib.contextmanager
    def build(cls, things: int) -> Iterator["Stand"]:
        """Enrol, start, and stop in the end."""
        folder = Path(tempfile.mkdtemp(prefix="lb"))
        home = CloudHome(folder / "cloud")
        environment = os.environ | {
            "LADING_HOME": str(folder),
            "LADING_CONFIG": str(folder / "lading.toml"),
            "LADING_CLOUD_MQTT_PORT": "0",
            "LADING_CLOUD_HTTP_PORT": "0",
            "LADING_CLOUD_REQUESTS_PER_S": "1000000",
            "LADING_CLOUD_BURST": "1000000",
        }
        names = tuple(f"bench-{number}" for number in range(max(things, 1)))
        _enrol(home, names)
        process = subprocess.Popen(
            [sys.executable, "-m", "iot_cloud", "up"], env=environment, stdout=subprocess.DEVNULL
        )
        try:
            _await_ready(home, process)
            broker, service = _children(process.pid)
            yield cls(home, names, home.read_ready(), broker, service)
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder)

    def endpoint(self, thing: str) -> Endpoint:
        """How a thing connects."""
        folder = self.home.root / "bench"
        return Endpoint(
            self.facts["host"],
            self.facts["mqtt_port"],
            self.home.ca_certificates,
            folder / f"{thing}.pem",
            folder / f"{thing}.key",
        )


def _enrol(home: CloudHome, names: tuple[str, ...]) -> None:
    home.create()
    (home.root / "bench").mkdir()
    registry = Registry(home.registry)
    enrolment = Enrolment(home, Settings(), registry, Authority(home, registry), NoRights())
    for name in names:
        key = certificates.new_key()
        answer, _ = enrolment.provision(name, certificates.request(name, key))
        (home.root / "bench" / f"{name}.key").write_bytes(certificates.key_pem(key))
        (home.root / "bench" / f"{name}.pem").write_text(answer["certificate"])
    registry.close()


def _await_ready(home: CloudHome, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not home.ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ProcessError("the cloud to measure did not start")
        time.sleep(0.05)


def _children(pid: int) -> tuple[int, int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    pids = [int(each) for task in tasks for each in (task / "children").read_text().split()]
    pids.sort(key=lambda each: b"mosquitto" not in Path(f"/proc/{each}/cmdline").read_bytes())
    return pids[0], pids[1]
