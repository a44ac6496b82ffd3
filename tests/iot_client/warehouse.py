"""A warehouse: a chain with the contracts, the IoT cloud, and Pis enrolled in both.

All are real processes but the chain's consensus, for which anvil stands in.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import tomli_w

from contracts.sale import Sale
from contracts.voucher import Voucher, encode_voucher
from iot_client.admin import ask_pi
from iot_client.commands.journal import release_document
from iot_client.errors import PiError
from iot_client.identity.enrolment import Request, accept_bundle, default_until, enrol
from iot_client.journal import Journal
from tests.contracts.world import World, fund
from tests.iot_client.gateway import Gateway
from tests.iot_client.pictures import save_code
from tests.iot_client.zygote import Child, Zygote
from tests.iot_cloud.running import RunningCloud

PATIENCE_S = 120.0
SEALERS = ["0x" + "11" * 20]
FAST: dict[str, object] = {
    "pulse_s": 0.3,
    "poll_s": 0.05,
    "resend_s": 1.0,
    "max_head_age_s": 3600.0,
    "max_clock_ahead_s": 36000.0,
    "timeout_s": 20.0,
    "verification": "node",
}


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """The condition's value once it is true; fails after two minutes."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_S:.0f} s"
        time.sleep(0.02)
    return value


@dataclass
class Door:
    """One Pi: its folder and, while it runs, its process."""

    folder: Path
    thing: str
    environment: dict[str, str]
    zygote: Zygote
    process: Child | None = None
    shown: int = 0

    def start(self, *, cloud: bool = True, mortal: bool = False, **settings: object) -> Door:
        """Run it and wait until it serves; settings of this run come by the environment."""
        self.launch(mortal=mortal, **settings)
        wait_until(lambda: self._serves(cloud=cloud), "lading-pi run")
        return self

    def launch(self, *, mortal: bool = False, **settings: object) -> None:
        """Run it; a mortal one dies at its fault points."""
        (self.folder / "ready.json").unlink(missing_ok=True)
        overrides = {f"LADING_PI_{name.upper()}": str(value) for name, value in settings.items()}
        config = self.folder / "config.toml"
        self.process = self.zygote.spawn(config, self.environment | overrides, self.folder / "out", mortal=mortal)

    @property
    def died(self) -> bool:
        """Whether it has ended."""
        return self.process is not None and self.process.poll() is not None

    @property
    def serves(self) -> bool:
        """Whether it runs and says so."""
        return not self.died and (self.folder / "ready.json").exists()

    def _serves(self, *, cloud: bool) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "out").read_text()
        return (self.folder / "ready.json").exists() and (not cloud or self.status()["cloud"] is True)

    def stop(self) -> int:
        """SIGTERM and its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait()

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `lading-pi …` for this thing."""
        return subprocess.run(
            [sys.executable, "-m", "iot_client", "--thing", self.thing, *arguments],
            env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        """What the running Pi says of itself."""
        try:
            return ask_pi(self.folder / "admin.sock", {"do": "status"})
        except PiError:
            return {"cloud": False}

    def order(self, kind: str, sale: Sale, attempt: int = 0, reason: str = "looked") -> str:
        """An order given on the machine, as `lading-pi resolve` and `open` give it."""
        question: dict[str, object] = {"do": kind, "sale": sale.address, "attempt": attempt, "reason": reason}
        return str(ask_pi(self.folder / "admin.sock", question)["outcome"])

    def show(self, text: str) -> str:
        """Put a picture of this text into the inbox; returns the picture's name."""
        self.shown += 1
        return save_code(text, self.folder / "inbox" / f"scan-{self.shown}.png").name

    def outcome(self, text: str) -> str:
        """Show a text and wait for the scan's outcome."""
        return self.outcome_of(self.show(text))

    def outcome_of(self, name: str) -> str:
        """The outcome of the picture of this name."""

        def found() -> str | None:
            scans = self.journal()["scans"]
            return next((scan["outcome"] for scan in scans if scan["name"] == name), None)

        return str(wait_until(found, f"the outcome of {name}"))

    def journal(self) -> dict[str, Any]:
        """The journal as it is."""
        journal = Journal(self.folder / "journal.sqlite", read_only=True)
        try:
            names = ("at", "scanner", "name", "remote", "sale", "outcome", "detail", "ms")
            scans = [dict(zip(names, row, strict=True)) for row in journal.scans(1_000)]
            return {"scans": scans, "releases": [release_document(journal, one) for one in journal.releases()]}
        finally:
            journal.close()

    def events(self) -> list[dict[str, Any]]:
        """Every event in the journal, sent or not."""
        journal = Journal(self.folder / "journal.sqlite", read_only=True)
        try:
            return [json.loads(body) for (body,) in journal._read("SELECT body FROM event ORDER BY seq")]
        finally:
            journal.close()

    def release(self, sale: Sale, attempt: int = 0) -> dict[str, Any] | None:
        """The journal's release of this sale and attempt."""
        releases = self.journal()["releases"]
        return next((one for one in releases if (one["sale"], one["attempt"]) == (sale.address, attempt)), None)

    def reaches(self, sale: Sale, state: str, attempt: int = 0) -> dict[str, Any]:
        """Wait until the release is in this state."""

        def there() -> dict[str, Any] | None:
            found = self.release(sale, attempt)
            return found if found and found["state"] == state else None

        try:
            return dict(wait_until(there, f"{state} of {sale.address}"))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.release(sale, attempt)}\n{self.said()}") from None

    def config(self) -> dict[str, Any]:
        """Its configuration."""
        return dict(tomllib.loads((self.folder / "config.toml").read_text())["pi"])

    def gate(self) -> dict[str, Any]:
        """The simulated gate's facts."""
        return dict(json.loads((self.folder / "gate.json").read_text()))

    def locked(self) -> None:
        """Wait until the gate is locked again."""
        wait_until(lambda: self.gate()["state"] == "LOCKED", "the gate locks")

    def said(self) -> str:
        """What the door has said so far."""
        return (self.folder / "out").read_text()

    def log(self) -> str:
        """The log."""
        return (self.folder / "log.jsonl").read_text()


@dataclass
class Warehouse:
    """Chain, cloud, doors."""

    world: World
    cloud: RunningCloud
    zygote: Zygote
    doors: list[Door] = field(default_factory=list)
    gateway: Gateway | None = None
    defaults: dict[str, object] = field(default_factory=FAST.copy)
    confirmations: int = 1
    sealers: list[str] = field(default_factory=lambda: SEALERS)
    clients: dict[str, httpx.Client] = field(default_factory=dict)

    def door(
        self, thing: str, *, site: int | None = None, start: bool = True, home: Path | None = None, **settings: object
    ) -> Door:
        """Enrol a Pi as a person would, with these settings, and start it; in a run folder of its own unless told."""
        home = home or Path(tempfile.mkdtemp(prefix="lp", dir="/tmp"))
        environment = os.environ | {"LADING_HOME": str(home), "PYTHONUNBUFFERED": "1"}
        door = Door(home / "pi" / thing, thing, environment, self.zygote)
        self._enrol(door, site or self.world.site)
        config = door.folder / "config.toml"
        self._set(config, self.defaults | settings)
        self.doors.append(door)
        return door.start() if start else door

    def _enrol(self, door: Door, site: int) -> None:
        world = self.world
        request = Request(
            door.thing, site, world.operator.address, world.chain_id, world.registry.address, default_until()
        )  # fmt: skip
        enrolment: Any = enrol(door.folder, request)
        answer = self.cloud.api("POST", "/things", {"thing": door.thing, "csr": enrolment["csr"], "role": "device"})
        consent, digest = (bytes.fromhex(enrolment[name][2:]) for name in ("consent", "certificate"))
        assert digest.hex() == answer["public_key_sha256"].removeprefix("0x")
        device = enrolment["device"]
        with ThreadPoolExecutor() as beside:
            funding = beside.submit(fund, world.node, device, 10**19)
            world.send(world.operator, world.registry.provision(site, device, enrolment["until"], digest, consent))
            funding.result()
        if self.gateway is not None:
            self.gateway.admit(door.thing, answer["serial"])
        self._take_bundle(door, site, world.registry.id_of(device), answer)

    def _take_bundle(self, door: Door, site: int, device_id: int, answer: dict[str, Any]) -> None:
        world, ready = self.world, self.cloud.ready
        bundle = {
            "device_id": device_id, "thing": door.thing, "site": site, "operator": world.operator.address,
            "certificate": answer["certificate"], "ca": answer["ca"], "chain_id": world.chain_id,
            "chain_url": self.gateway.url if self.gateway else world.node.url, "gateway_ca": answer["ca"],
            "iot_host": ready["host"], "iot_port": ready["mqtt_port"],
            "deployments": json.loads(world.path.read_text()),
            "sealers": self.sealers, "confirmations": self.confirmations,
        }  # fmt: skip
        accept_bundle(door.folder, bundle)

    def _set(self, config: Path, settings: dict[str, object]) -> None:
        table = tomllib.loads(config.read_text())
        table["pi"].update(settings)
        config.write_text(tomli_w.dumps(table))

    def shadow(self, door: Door, name: str | None = None) -> dict[str, Any]:
        """A shadow's state, by the HTTP data plane and the door's certificate; empty if there is none."""
        answer = self._data_plane(door).get(f"/things/{door.thing}/shadow", params={"name": name} if name else None)
        return {} if answer.status_code == 404 else dict(answer.json()["state"])

    def update_shadow(self, door: Door, state: dict[str, Any], name: str | None = None) -> None:
        """Update a shadow, as whoever may write it."""
        parameters = {"name": name} if name else None
        answer = self._data_plane(door).post(f"/things/{door.thing}/shadow", params=parameters, json={"state": state})
        assert answer.status_code == 200, answer.text

    def _data_plane(self, door: Door) -> httpx.Client:
        if door.thing not in self.clients:
            context = ssl.create_default_context(cafile=self.cloud.ready["ca"])
            context.load_cert_chain(door.folder / "certificate.pem", door.folder / "x509.key")
            self.clients[door.thing] = httpx.Client(base_url=self.cloud.ready["http"], verify=context, timeout=60)
        return self.clients[door.thing]

    def voucher(self, sale: Sale, **changes: Any) -> str:
        """The barcode's text of the buyer's voucher."""
        return encode_voucher(self.world.voucher(sale, **changes))

    def changed(self, of: Sale, **fields: Any) -> str:
        """A voucher with some fields replaced."""
        good = self.world.voucher(of)
        names = ("chain_id", "sale", "buyer", "expires_at", "signature")
        return encode_voucher(Voucher(**({name: getattr(good, name) for name in names} | fields)))

    def close(self, door: Door) -> None:
        """Stop a door and remove its folder."""
        if door.process is not None and door.process.poll() is None:
            door.stop()
        shutil.rmtree(door.folder.parents[1], ignore_errors=True)

    def remove(self) -> None:
        """Stop every door."""
        for client in self.clients.values():
            client.close()
        for door in self.doors:
            self.close(door)
