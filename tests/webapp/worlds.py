"""A real chain (anvil, and geth where it matters) and the contracts on it: what every test of the application needs."""

import os
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from contracts.calls import Call, send, sign
from contracts.chain import connect
from contracts.deployment import Deployment, deploy
from contracts.registry import DeviceRegistry
from webapp.index.follower import Follower
from webapp.models import User
from webapp.people import Role, create_account
from webapp.services import Services
from webapp.settings import Settings
from webapp.settling import Settler

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
ANVIL = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
TREASURY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
PASSPHRASE = "correct horse battery"
ETHER = 10**18


def wait_for(what: Callable[[], T], until_s: float = 60.0) -> T:
    """Return the first truthy answer."""
    end = time.monotonic() + until_s
    while True:
        answer = what()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {until_s} s: {what}"
        time.sleep(0.02)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_anvil(*options: str) -> tuple["subprocess.Popen[bytes]", str]:
    """Start anvil on a free port and wait until it answers."""
    port = free_port()
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", str(ANVIL), "--hardfork", "london", "--port", str(port), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    w3 = connect(url)
    wait_for(w3.is_connected)
    return process, url


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process that this test started."""
    process.kill()
    process.wait()


@dataclass
class World:
    """One chain with the contracts, a site, and an application with people."""

    home: Path
    url: str
    treasury: LocalAccount
    deployment: Deployment
    parts: Services
    site: int
    people: dict[str, User]
    keys: dict[str, bytes]

    def call(self, person: str, call: Call) -> None:
        """Send a call with somebody's key, past the application."""
        send(self.parts.chain.w3, Account.from_key(self.keys[person]), call)

    def fund(self, address: str, wei: int = 100 * ETHER) -> None:
        """Give an account some ether."""
        send(self.parts.chain.w3, self.treasury, Call(address, b"", wei, 21_000))  # type: ignore[arg-type]

    def settle(self) -> None:
        """Bring outbox and index to the chain's head."""
        settler, follower = (
            Settler(self.parts.database, self.parts.chain, 1),
            Follower(self.parts.database, self.parts.chain),
        )
        wait_for(lambda: settler.round() == 0)
        follower.catch_up()

    def index(self) -> None:
        """Bring the index to the chain's head."""
        Follower(self.parts.database, self.parts.chain).catch_up()


def send_all(w3: Web3, account: LocalAccount, calls: list[Call]) -> None:
    """Send many calls of one account at once and wait until the last is mined: where blocks take time, one block."""
    first = w3.eth.get_transaction_count(account.address)
    signed = [sign(w3, account, call, first + number) for number, call in enumerate(calls)]
    hashes = [w3.eth.send_raw_transaction(one.raw_transaction) for one in signed]
    assert all(w3.eth.wait_for_transaction_receipt(one, poll_latency=0.05)["status"] for one in hashes)


def build_world(home: Path, *urls: str, **settings: object) -> World:
    """Deploy the contracts, open a site, make the people and fund them."""
    url, deployments = urls[0], home / "contracts" / "deployments.json"
    w3, treasury = connect(url), Account.from_key(TREASURY)
    deployments.parent.mkdir(parents=True)
    deployment = deploy(w3, treasury, deployments)
    (home / "lading.toml").touch()
    defaults: dict[str, object] = {"home": home, "rpc": urls, "scrypt_n": 1024, "confirmations": 1, "poll_s": 0.1}
    with pytest.MonkeyPatch.context() as patch:  # no settings file but this world's own
        patch.setenv("LADING_CONFIG", str(home / "lading.toml"))
        parts = Services.open(Settings(**{**defaults, **settings}))  # type: ignore[arg-type]
    parts.database.migrate()
    people, keys = {}, {}
    for name, role in (
        ("seller", Role.SELLER),
        ("buyer", Role.BUYER),
        ("operator", Role.OPERATOR),
        ("other", Role.BUYER),
    ):
        keys[name] = os.urandom(32)
        people[name] = create_account(
            parts.database, parts.unlocker, name=name, passphrase=PASSPHRASE, role=role, key=keys[name]
        )
    registry = DeviceRegistry.at(w3, deployment.registry)
    gifts = [Call(person.address, b"", 1000 * ETHER, 21_000) for person in people.values()]  # type: ignore[arg-type]
    send_all(w3, treasury, gifts)
    # A block more: a sealer that hears of an account's call before its own pool knows of the gift drops it for good.
    send(w3, treasury, registry.list_operator(people["operator"].address, "Harbour Logistics"))
    world = World(home, url, treasury, deployment, parts, 1, people, keys)
    world.call("operator", registry.open_site("Dock 7"))
    world.index()
    return world
