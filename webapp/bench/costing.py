"""What a sale and a viewer cost in processor time, and so what limits first."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from eth_account import Account
from hexbytes import HexBytes

from contracts.calls import Call, send
from contracts.chain import connect
from contracts.deployment import deploy
from contracts.factory import Listing
from contracts.registry import DeviceRegistry
from webapp.bench.figures import say
from webapp.bench.listening import open_stream
from webapp.bench.sending import PHRASE, TREASURY, anvil
from webapp.bench.weighing import ready_address
from webapp.people import create_account
from webapp.services import Services
from webapp.settings import Settings

SALES = 6
VIEWS = 100
LISTENERS = 200
QUIET_S = 3
"""So long nobody does anything, and so long those who listen hear a block a second."""
PAGES, UNLOCKING, INDEX = "pages", "unlocking", "index and outbox"
Spent = dict[str, float]
_HIDDEN = re.compile(r'name="(csrf_token|form_key)"[^>]*value="([^"]+)"')


def measure(folder: Path) -> None:
    """Measure both, with keys as hard to open as they are."""
    home = folder / "costing"
    home.mkdir()
    with anvil() as url:
        paths = _prepare(home, url)
        connect(url).provider.make_request("evm_setIntervalMining", [1])  # type: ignore[arg-type]
        with _serving(home) as process:
            address = ready_address(home / "web" / "ready.json")
            with httpx.Client(base_url=address, timeout=120) as client:
                _await(lambda: client.get(paths[-1]).status_code == 200)
                idle = _quiet(process)
                _viewers(client, process, paths)
                _sales(client, process, paths, idle)
                asyncio.run(_listeners(address, process, idle))


def _prepare(home: Path, url: str) -> list[str]:
    """Deploy, open a site, list goods, make a buyer; return the goods' pages."""
    (home / "contracts").mkdir()
    (home / "lading.toml").write_text(f'[web]\nport = 0\nrpc = ["{url}"]\nconfirmations = 2\n')
    w3 = connect(url)
    registry = DeviceRegistry.at(w3, deploy(w3, TREASURY, home / "contracts" / "deployments.json").registry)
    send(w3, TREASURY, registry.list_operator(TREASURY.address, "Costing"))
    send(w3, TREASURY, registry.open_site("Costing"))
    goods = [Listing("Nimbus", "alpha", str(number), 2019, 1, 0, 1) for number in range(SALES)]
    parts = Services.open(Settings(home=home, rpc=(url,)))
    parts.database.migrate()
    send(w3, TREASURY, parts.chain.factory.create_sales(goods))
    key = Account.create()
    send(w3, TREASURY, Call(key.address, HexBytes(b""), 10**20, 21_000))
    create_account(parts.database, parts.unlocker, name="buyer", passphrase=PHRASE, key=bytes(key.key))
    addresses = [parts.chain.factory.find(TREASURY.address, one) for one in goods]
    paths = [f"/sales/{parts.chain.chain_id}/{address}" for address in addresses]
    parts.close()
    return paths


@contextmanager
def _serving(home: Path) -> Iterator[psutil.Process]:
    environment = {**os.environ, "LADING_HOME": str(home), "LADING_CONFIG": str(home / "lading.toml")}
    with (home / "up.out").open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "webapp", "up"], env=environment, stdout=out, stderr=out)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _quiet(process: psutil.Process) -> Spent:
    """Return what each part spends a second while nobody asks for anything."""
    time.sleep(QUIET_S)  # what begins with the process is over then
    before = _spent(process)
    time.sleep(QUIET_S)
    idle = {part: (now - before[part]) / QUIET_S for part, now in _spent(process).items()}
    say("processor time while nobody is there, a block a second: index and outbox", idle[INDEX] * 1000, "ms/s")
    return idle


def _viewers(client: httpx.Client, process: psutil.Process, paths: list[str]) -> None:
    before = _spent(process)
    for number in range(VIEWS):
        client.get("/" if number % 2 else paths[number % SALES]).raise_for_status()
    viewed = (_spent(process)[PAGES] - before[PAGES]) / VIEWS
    say("processor time of a view of market or sale", viewed * 1000, "ms", spread=f"{VIEWS} views")
    say("views that a core serves, at most", 1 / viewed, "views/s")


def _sales(client: httpx.Client, process: psutil.Process, paths: list[str], idle: Spent) -> None:
    """Buy everything with the forms, from the page to the settled transaction."""
    client.post("/sign-in", data={**_hidden(client, "/sign-in"), "name": "buyer", "passphrase": PHRASE})
    before, began = _spent(process), time.perf_counter()
    for path in paths:
        answer = client.post(f"{path}/buy", data={**_hidden(client, path), "passphrase": PHRASE})
        if answer.status_code != 303:
            raise RuntimeError(f"{path}: buying answered {answer.status_code}")
        done = answer.headers["Location"]
    _await(lambda: 'data-state="done"' in client.get(done).text, every_s=1.0)  # looking costs as well
    took, after = time.perf_counter() - began, _spent(process)
    cost = {part: max(after[part] - before[part] - idle[part] * took, 0.01) / SALES for part in idle}
    for part, seconds in cost.items():
        say(f"processor time of a purchase: {part}", seconds * 1000, "ms", spread=f"{SALES} purchases")
    say("purchases that the one unlocking worker signs, at most", 1 / cost[UNLOCKING], "purchases/s")
    say("purchases that a core serves beside it, at most", 1 / (cost[PAGES] + cost[INDEX]), "purchases/s")


async def _listeners(url: str, process: psutil.Process, idle: Spent) -> None:
    """Let many hear a block a second."""
    opened = [await open_stream(url) for _ in range(LISTENERS)]
    await asyncio.gather(*(reader.readuntil(b"event: start") for reader, _ in opened))
    before = _spent(process)
    await asyncio.sleep(QUIET_S)
    spent = (_spent(process)[PAGES] - before[PAGES]) / QUIET_S - idle[PAGES]
    for _, writer in opened:
        writer.close()
    say(
        "processor time of each who listens, a block a second",
        spent / LISTENERS * 1e6,
        "µs/s",
        spread=f"{LISTENERS} listen",
    )


def _hidden(client: httpx.Client, path: str) -> dict[str, str]:
    return dict(_HIDDEN.findall(client.get(path).text))


def _await(what: Callable[[], bool], every_s: float = 0.1) -> None:
    until = time.monotonic() + 120
    while not what():
        if time.monotonic() > until:
            raise TimeoutError("the application did not get there within two minutes")
        time.sleep(every_s)


def _spent(process: psutil.Process) -> Spent:
    """Return the seconds of processor time that each part has used."""
    spent = dict.fromkeys((PAGES, UNLOCKING, INDEX), 0.0)
    for one in (process, *process.children(recursive=True)):
        unlocks = "webapp.unlock" in one.cmdline()
        part = INDEX if one.pid == process.pid else UNLOCKING if unlocks else PAGES
        times = one.cpu_times()
        spent[part] += times.user + times.system
    return spent
