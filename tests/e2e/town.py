"""The demo's stage with many doors, many people, and links between its parts that can be cut."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from eth_account.signers.local import LocalAccount
from web3 import Web3

from contracts.calls import Call, sign
from contracts.deployment import deploy
from geth_network.folder import Folder
from geth_network.keys import load_account
from iot_cloud.admin_client import call
from iot_cloud.home import CloudHome
from proxy.admin import request_admin
from scripts.story.cast import Person, make_person
from scripts.story.ports import Ports
from scripts.story.processes import RunFolder
from scripts.story.stage import Stage
from tests.contracts.nodes import Node
from tests.contracts.world import World, account
from tests.e2e.links import Link
from tests.e2e.patience import patient
from tests.iot_client.gateway import PLENTY, RATES
from tests.iot_client.warehouse import Door, Warehouse
from tests.iot_client.zygote import Zygote

DEEP = 2
SELLERS = 3
CUSTOMERS_A_DOOR = 2
TRANSFER_GAS = 21_000
FUNDS_WEI = 3_000 * 10**18


@dataclass(frozen=True)
class Cloud:
    """The stage's cloud as doors are enrolled in it, over a link to its broker."""

    home: CloudHome
    broker: Link

    @property
    def ready(self) -> dict[str, Any]:
        """Where it is, by way of the link."""
        return self.home.read_ready() | {"mqtt_port": self.broker.port}

    def api(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """An answer of the admin API."""
        return call(self.home, method, path, body)


@dataclass(frozen=True)
class Gate:
    """The stage's gateway as doors know it, over a link."""

    folder: Path
    link: Link

    @property
    def url(self) -> str:
        """Where devices ask."""
        return f"https://127.0.0.1:{self.link.port}"

    def admit(self, name: str, serial: str) -> None:
        """Let a certificate's holder in."""
        status, answer = request_admin(self.folder / "admin.sock", "POST", "/devices", {"name": name, "serial": serial})
        assert status in (200, 201), answer


@dataclass
class Town:
    """Everything that runs, and everybody who acts."""

    stage: Stage
    world: World
    warehouse: Warehouse
    wallets: Web3
    links: dict[str, Link]
    seller: Person
    buyer: Person
    buyer_key: LocalAccount
    sites: list[int]
    doors: list[Door] = field(default_factory=list)
    counters: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    """Who holds a door's is served there."""

    @property
    def customers(self) -> int:
        """How many act at once: while one collects, the next buys."""
        return CUSTOMERS_A_DOOR * len(self.doors)

    def processes(self, part: str) -> list[psutil.Process]:
        """The processes under one part."""
        found = self.stage.folder.running.get(part)
        return [] if found is None else psutil.Process(found.pid).children(recursive=True)

    def restart(self, part: str) -> None:
        """Start a killed part again where it was."""
        if part != "web":
            self.stage.restart(part)
            return
        self.stage.configure("web", port=_port(self.stage.ready["web"]["url"]))
        self.stage.ready["web"] = self.stage.folder.start("web", "lading-web", "up")


@contextmanager
def raise_town(home: Path, doors: int) -> Iterator[Town]:
    """Five geths and a bootnode, cloud, gateway, web application and so many doors, each by its own command."""
    with ExitStack() as stack:
        stage = Stage(stack.enter_context(RunFolder(home)), Ports.any_free())
        stage.start_chain()
        links = {f"gateway - node {number + 1}": Link(_port(url)) for number, url in enumerate(stage.rpc)}
        with ThreadPoolExecutor() as beside:
            founding = beside.submit(_found, stage, doors)
            stage.start_cloud()  # by this thread: a process ends with the thread that started it
            world = founding.result()
        _start_gateway(stage, links)
        links["doors - cloud"] = Link(stage.ready["cloud"]["mqtt_port"])
        links["doors - gateway"] = Link(_port(stage.ready["gateway"]["devices"]))
        for link in links.values():
            stack.callback(link.close)
        stage.start_web("door-0")
        town = _people(stage, world, links)
        stack.callback(town.warehouse.zygote.close)
        town.doors = [_door(town, number) for number in range(doors)]
        yield town


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port


def _found(stage: Stage, doors: int) -> World:
    """Contracts, an operator's two sites, and ether for everybody."""
    treasury = load_account(Folder(stage.path / "chain").treasury)
    w3 = patient(*stage.rpc)
    counts = {"buyer": CUSTOMERS_A_DOOR * doors, "seller": SELLERS}
    crowd = [f"{role} {number}" for role, count in counts.items() for number in range(count)]
    people = ["admin", "operator", *crowd]
    first = w3.eth.get_transaction_count(treasury.address)
    for number, name in enumerate(people):
        transfer = Call(account(name).address, b"", FUNDS_WEI, TRANSFER_GAS)  # type: ignore[arg-type]
        signed = sign(w3, treasury, transfer, first + number)
        paid = w3.eth.send_raw_transaction(signed.raw_transaction)
    w3.eth.wait_for_transaction_receipt(paid, timeout=120)
    path = stage.path / "contracts" / "deployments.json"
    world = World(Node("geth", w3, stage.rpc[0], treasury), path, deploy(w3, account("admin"), path))
    world.send(world.admin, world.registry.list_operator(world.operator.address, "Nordhafen Warehouse"))
    world.site = world.open_site("North gate")
    return world


def _start_gateway(stage: Stage, links: dict[str, Link]) -> None:
    """Its nodes are at the other end of links; a crowd acts from one address."""
    direct = stage.rpc
    stage.configure("gateway", **dict.fromkeys(RATES, PLENTY))
    stage.ready["chain"]["rpc"] = [f"http://127.0.0.1:{link.port}" for link in links.values()]
    try:
        stage.start_gateway()
    finally:
        stage.ready["chain"]["rpc"] = direct


def _people(stage: Stage, world: World, links: dict[str, Link]) -> Town:
    key, file = account("web buyer"), stage.path / "demo" / "keys" / "buyer.key"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.touch(mode=0o600)
    file.write_text(key.key.hex())
    with ThreadPoolExecutor() as beside:
        making = beside.submit(make_person, stage, "seller", "seller")
        buyer = make_person(stage, "buyer", "buyer", key_file=file)
        seller = making.result()
    stage.fund({seller.address: 100, buyer.address: 1000})
    file.unlink()
    cloud = Cloud(CloudHome(stage.path / "cloud"), links["doors - cloud"])
    gate = Gate(stage.path / "gateway", links["doors - gateway"])
    warehouse = Warehouse(world, cloud, Zygote(), gateway=gate, sealers=stage.ready["chain"]["sealers"])  # type: ignore[arg-type]
    warehouse.confirmations = DEEP
    warehouse.defaults |= {"verification": "proof", "max_head_age_s": 60.0}
    sites = [world.site, world.open_site("South gate")]
    wallets = patient(stage.ready["gateway"]["wallets"])
    return Town(stage, world, warehouse, wallets, links, seller, buyer, key, sites)


def _door(town: Town, number: int) -> Door:
    return town.warehouse.door(f"door-{number}", start=False, home=town.stage.path)
