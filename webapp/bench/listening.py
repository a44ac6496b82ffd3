"""What listening costs: a gate's change up to the browser, through the real cloud; and the memory of 500 listeners."""

import asyncio
import json
import os
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import psutil
from paho.mqtt.enums import CallbackAPIVersion

from contracts.calls import send
from contracts.chain import connect
from contracts.deployment import deploy
from contracts.registry import DeviceRegistry
from webapp.bench.figures import p95, say, spread
from webapp.bench.sending import PHRASE, TREASURY, anvil
from webapp.client import Client
from webapp.cloud import ask_socket, certificate_request
from webapp.errors import CloudError
from webapp.models import ThingRow
from webapp.people import Role, create_account
from webapp.services import Services
from webapp.settings import Settings
from webapp.tokens import Scope, make_token

LISTENERS = 500
CHANGES = 60
PAUSE_S = 0.15
THING = "gate-1"
PATIENCE_S = 120.0


def measure(folder: Path) -> None:
    """Run all."""
    home = folder / "listening"
    (home / "contracts").mkdir(parents=True)
    with anvil() as url:
        token = _prepare(home, url)
        with _running("iot_cloud", home, "cloud"), _running("webapp", home, "web") as web:
            address = json.loads((home / "web" / "ready.json").read_text())["url"]
            _gate(home, address, token)
            asyncio.run(_weigh(web, address))


def _prepare(home: Path, rpc: str) -> str:
    """Make an operator with a site and a gate; return a token of theirs."""
    w3 = connect(rpc)
    deployment = deploy(w3, TREASURY, home / "contracts" / "deployments.json")
    registry = DeviceRegistry.at(w3, deployment.registry)
    send(w3, TREASURY, registry.list_operator(TREASURY.address, "Bench"))
    send(w3, TREASURY, registry.open_site("Bench"))
    (home / "lading.toml").write_text(
        f'[web]\nport = 0\nrpc = ["{rpc}"]\nscrypt_n = 1024\n[cloud]\nmqtt_port = 0\nhttp_port = 0\n'
    )
    parts = Services.open(Settings(home=home, rpc=(rpc,), scrypt_n=1024))
    parts.database.migrate()
    operator = create_account(
        parts.database, parts.unlocker, name="operator", passphrase=PHRASE, role=Role.OPERATOR, key=bytes(TREASURY.key)
    )
    with parts.database.write() as session:
        row = ThingRow(
            thing=THING, chain_id=parts.chain.chain_id, device_id=None, site=1, state="provisioned", steps={}
        )
        session.add(row)
    token = make_token(parts.database, operator, "bench", [Scope.READ, Scope.WAREHOUSE], 1)
    parts.close()
    return token


@contextmanager
def _running(module: str, home: Path, name: str) -> Iterator[psutil.Process]:
    settings = {"LADING_HOME": str(home), "LADING_CONFIG": str(home / "lading.toml")}
    with (home / f"{name}.out").open("wb") as out:
        command = ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", module, "up"]
        process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=out, stderr=out)
    until = time.monotonic() + PATIENCE_S
    try:
        while not (home / name / "ready.json").exists():
            if time.monotonic() > until or process.poll() is not None:
                raise TimeoutError(f"{module} does not serve: see {home}/{name}.out")
            time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _gate(home: Path, url: str, token: str) -> None:
    """Let a device report its gate open and locked in turns, and see when the operator's browser hears it."""
    device, took = _device(home), []
    with Client(url, token) as client:
        heard = client.events(kinds="gates")
        device.publish(f"$aws/things/{THING}/shadow/update", _reported("LOCKED"), 1).wait_for_publish(10)
        time.sleep(2)  # the watcher finds the gate
        for number in range(CHANGES):
            state = ("OPEN", "LOCKED")[number % 2]
            began = time.perf_counter()
            device.publish(f"$aws/things/{THING}/shadow/update", _reported(state), 1)
            while next(heard).data.get("outcome") != state:
                pass
            took.append((time.perf_counter() - began) * 1000)
            time.sleep(PAUSE_S)
    device.loop_stop()
    device.disconnect()
    name = "a gate's change, from the device to the browser"
    say(f"{name}, p50", statistics.median(took), "ms", "<= 100", spread=spread(took, "ms"))
    say(f"{name}, p95", p95(took), "ms")


def _reported(state: str) -> str:
    return json.dumps({"state": {"reported": {"gate": state}}})


def _device(home: Path) -> mqtt.Client:
    """Enrol a device with the cloud, and connect it."""
    key = home / "device.key"
    asked = {"thing": THING, "csr": certificate_request(key, THING), "role": "device"}
    given = ask_socket(home / "cloud" / "admin.sock", "POST", "/things", asked, CloudError)
    for name in ("certificate", "ca"):
        (home / f"device.{name}.pem").write_text(given[name])
    context = ssl.create_default_context(cafile=str(home / "device.ca.pem"))
    context.load_cert_chain(home / "device.certificate.pem", key)
    ready = json.loads((home / "cloud" / "ready.json").read_text())
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=THING)
    client.tls_set_context(context)
    client.connect(ready["host"], ready["mqtt_port"])
    client.loop_start()
    return client


async def _weigh(web: psutil.Process, url: str) -> None:
    """Weigh the processes before and after so many listen."""
    before = _weight(web)
    opened = [await open_stream(url) for _ in range(LISTENERS)]
    await asyncio.gather(*(reader.readuntil(b"event: start") for reader, _ in opened))
    await asyncio.sleep(2)
    more = _weight(web) - before
    say(f"{LISTENERS} who listen, memory on top", more, "MB", "<= 100", spread=f"{more * 1024 / LISTENERS:.0f} KB each")
    for _, writer in opened:
        writer.close()


async def open_stream(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Begin to listen to what happens."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET /api/v1/events HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    return reader, writer


def _weight(process: psutil.Process) -> float:
    """Return the memory of a process and its children, shared pages counted once."""
    return float(sum(one.memory_full_info().pss for one in [process, *process.children(recursive=True)]) / 2**20)
