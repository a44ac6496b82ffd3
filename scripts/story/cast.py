"""The people of the story and the door: accounts, sites, the Pi's enrolment."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account

from contracts.events import SiteOpened
from scripts.story.beside import beside
from scripts.story.stage import Stage, key_files, make_key

THING = "gate-1"
OPERATOR = "Nordhafen Warehouse"
SITES = ("North gate", "South gate")


@dataclass(frozen=True)
class Person:
    """An account of the web application."""

    name: str
    role: str
    address: str
    passphrase: str


def make_admin(stage: Stage) -> str:
    """Make the consortium's admin, who deploys the contracts and lists operators; return the address."""
    address = make_key(stage.path, "admin")
    stage.fund({address: 10})
    return address


def make_person(stage: Stage, name: str, role: str, *, key_file: Path | None = None) -> Person:
    """Make a built-in account, which has nothing yet."""
    passphrase = "-".join(secrets.token_hex(2) for _ in range(4))
    file = stage.path / "demo" / "keys" / f"{name}.passphrase"
    file.touch(mode=0o600)
    file.write_text(passphrase)
    command = ["lading-web", "account", "create", "--name", name, "--role", role, "--verified", "--json"]
    key = ["--key-file", str(key_file)] if key_file else []
    address = json.loads(stage.folder.run(*command, *key, "--passphrase-file", str(file)))["address"]
    return Person(name, role, address, passphrase)


def make_people(stage: Stage, buyer_ether: int) -> tuple[Person, Person, Person]:
    """Make seller, buyer and operator side by side, fund them, and list the operator."""
    with beside() as pool:
        making = [
            pool.submit(make_person, stage, "seller", "seller"),
            pool.submit(make_person, stage, "buyer", "buyer"),
            pool.submit(make_operator, stage),
        ]
        seller, buyer, operator = (one.result() for one in making)
        funding = pool.submit(stage.fund, {seller.address: 1, buyer.address: buyer_ether, operator.address: 10})
        stage.send("admin", stage.registry().list_operator(operator.address, OPERATOR))
        funding.result()
    return seller, buyer, operator


def make_operator(stage: Stage) -> Person:
    """Make the operator, whose key is in a keystore for the command line and in the web application alike."""
    make_key(stage.path, "operator")
    keystore, password = key_files(stage.path, "operator")
    key_file = keystore.with_suffix(".key")
    key_file.touch(mode=0o600)
    key_file.write_text(Account.decrypt(json.loads(keystore.read_text()), password.read_text()).hex())
    try:
        return make_person(stage, "operator", "operator", key_file=key_file)
    finally:
        key_file.unlink()


def open_sites(stage: Stage) -> list[int]:
    """Let the operator open the story's sites; return their ids."""
    events = [event for name in SITES for event in stage.send("operator", stage.registry().open_site(name))]
    return [event.site for event in events if isinstance(event, SiteOpened)]


def enrol_pi(stage: Stage, operator: Person, site: int) -> int:
    """Enrol the Pi: its keys stay with it; certificate, admission, registration, balance. Return the device id."""
    deployment = stage.deployment
    enrolment = stage.path / "demo" / "enrolment.json"
    bundle = stage.path / "demo" / "bundle.json"
    asked = stage.folder.run(
        "lading-pi", "enrol", "--thing", THING, "--site", str(site), "--operator", operator.address,
        "--chain-id", str(deployment.chain_id), "--registry", deployment.registry,
    )  # fmt: skip
    enrolment.write_text(asked)
    passphrase = stage.path / "demo" / "keys" / "operator.passphrase"
    stage.folder.run(
        "lading-web", "device", "provision", "--enrolment", str(enrolment), "--out", str(bundle),
        "--passphrase-file", str(passphrase),
    )  # fmt: skip
    stage.folder.run("lading-pi", "enrol", "--bundle", str(bundle))
    return int(json.loads(bundle.read_text())["device_id"])
