"""A cloud of its own in a temporary folder, started by its own command."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

from iot_cloud import certificates
from iot_cloud.__main__ import main
from iot_cloud.admin_client import call
from iot_cloud.connection import Endpoint
from iot_cloud.home import CloudHome

WAIT_S = 120.0


def wait_until(condition: Callable[[], Any], what: str = "the condition") -> Any:
    """The condition's value once it is true; fails after two minutes."""
    deadline = time.monotonic() + WAIT_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true in {WAIT_S:.0f} s"
        time.sleep(0.01)
    return value


@dataclass
class RunningCloud:
    """`lading-cloud up` as a process, and what a test asks of it."""

    folder: Path
    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    things: dict[str, Path] = field(default_factory=dict)

    @classmethod
    def start(cls, folder: Path | None = None, **settings: object) -> "RunningCloud":
        """Start one and wait until it serves; settings are keys of [cloud]."""
        folder = folder or Path(tempfile.mkdtemp(prefix="lc", dir="/tmp"))
        environment = os.environ | {"LADING_HOME": str(folder), "LADING_CONFIG": str(folder / "lading.toml")}
        environment |= {"LADING_CLOUD_MQTT_PORT": "0", "LADING_CLOUD_HTTP_PORT": "0"}
        environment |= {f"LADING_CLOUD_{key.upper()}": str(value) for key, value in settings.items()}
        cloud = cls(folder, cls._launch(environment, folder), environment)
        cloud.wait_ready()
        return cloud

    @staticmethod
    def _launch(environment: dict[str, str], folder: Path) -> subprocess.Popen[bytes]:
        with (folder / "up.out").open("ab") as out:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "iot_cloud", "up"],
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def home(self) -> CloudHome:
        """Its folder."""
        return CloudHome(self.folder / "cloud")

    @property
    def ready(self) -> dict[str, Any]:
        """What it says about itself."""
        return self.home.read_ready()

    def wait_ready(self) -> None:
        """Wait until it serves."""

        def served() -> bool:
            assert self.process.poll() is None, (self.folder / "up.out").read_text()
            return self.home.ready.exists()

        wait_until(served, "ready.json")

    def api(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """An answer of the admin API."""
        return call(self.home, method, path, body)

    def provision(self, thing: str, role: str = "device") -> Endpoint:
        """A new thing with a key of its own, and how it connects."""
        key = certificates.new_key()
        answer = self.api("POST", "/things", {"thing": thing, "csr": certificates.request(thing, key), "role": role})
        return self.keep(thing, certificates.key_pem(key), answer)

    def keep(self, name: str, key: bytes, answer: dict[str, Any]) -> Endpoint:
        """Write a key and what was answered to its request."""
        folder = self.folder / "clients"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.key").write_bytes(key)
        (folder / f"{name}.pem").write_text(answer["certificate"])
        return self.endpoint(name)

    def endpoint(self, name: str) -> Endpoint:
        """How a client whose files were kept connects."""
        folder = self.folder / "clients"
        facts = self.ready
        return Endpoint(
            facts["host"], facts["mqtt_port"], Path(facts["ca"]), folder / f"{name}.pem", folder / f"{name}.key"
        )

    def children(self) -> dict[str, int]:
        """The processes under it, by name."""
        names = {"mosquitto": "broker", "iot_cloud.worker": "service"}
        found: dict[str, int] = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # one that was there for a moment
                words = {Path(word).name for word in child.cmdline()}
                found |= {names[word]: child.pid for word in names.keys() & words}
        return found

    def refusals(self) -> int:
        """How many handshakes the broker's log says failed."""
        return self.home.log("broker").read_text().count("certificate verify failed")

    def await_log(self, process: str, text: str) -> None:
        """Wait until one of its logs says this."""
        wait_until(lambda: text in self.home.log(process).read_text(errors="replace"), f"{text!r} in {process}.log")

    def command(self, *arguments: str) -> "Said":
        """What `lading-cloud …` says of this cloud."""
        return run_here(self.environment, *arguments)

    def stop(self) -> int:
        """SIGTERM, and its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_S)

    def remove(self) -> None:
        """Stop it and delete its folder."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run_here(environment: dict[str, str], *arguments: str) -> Said:
    """Run `lading-cloud …` inside this process: an interpreter of its own would take longer than the command."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch("boto3.DEFAULT_SESSION", None),  # it remembers credentials
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = main(list(arguments))
        except SystemExit as ended:
            code = int(str(ended.code))
    return Said(code, out.getvalue(), err.getvalue())


def run_apart(environment: dict[str, str], *arguments: str) -> Said:
    """Run `lading-cloud …` as a process."""
    command = [sys.executable, "-m", "iot_cloud", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=WAIT_S)
    return Said(done.returncode, done.stdout, done.stderr)
