"""What people do in the story, each through the part that they would use: the pages, the scanner."""

import json
import shutil
import tomllib
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from web3 import Web3

from contracts.sale import Sale
from iot_client.journal import Journal, Record
from scripts.story.cast import THING, Person
from scripts.story.processes import await_condition
from scripts.story.stage import Stage
from scripts.story.visitor import Visitor

PRICE_ETH = 50
GOODS = {"make": "Nimbus", "model": "alpha", "number": "4AA6", "year": "2019", "price": str(PRICE_ETH)}


@dataclass
class Story:
    """What the people and the door of the story do, each through the part that a person would use."""

    stage: Stage
    seller: Person
    buyer: Person
    operator: Person
    sites: list[int]
    visitors: dict[str, Visitor] = field(default_factory=dict)

    def visitor(self, person: Person) -> Visitor:
        """Return a person's session at the web application, signed in when first used."""
        if person.name not in self.visitors:
            self.visitors[person.name] = Visitor(self.stage.ready["web"]["url"])
            self.visitors[person.name].sign_in(person.name, person.passphrase)
        return self.visitors[person.name]

    def leave(self) -> None:
        """Close everybody's browser."""
        for visitor in self.visitors.values():
            visitor.http.close()
        self.visitors.clear()

    def offer(self, site: int, **other: str) -> str:
        """Fill the seller's form; return the address of the transaction's page."""
        typed = {**GOODS, **other, "site": str(site), "settlement": "0", "passphrase": self.seller.passphrase}
        return self.visitor(self.seller).send("/sell/new", "make", **typed)

    def listed(self, transaction: str) -> dict[str, str]:
        """Wait until an offer is settled; return what its transaction's page says."""
        visitor = self.visitor(self.seller)
        settled = visitor.follow(transaction)
        await_condition(lambda: visitor.finds(self.page(settled["contract"])), "the sale having a page", 60)
        return settled

    def sell(self, site: int, **other: str) -> dict[str, str]:
        """Offer goods; return what the transaction's page says once it is settled."""
        return self.listed(self.offer(site, **other))

    def pay(self, address: str) -> str:
        """Buy on the sale's page; return the address of the transaction's page."""
        return self.visitor(self.buyer).send(self.page(address), "/buy", passphrase=self.buyer.passphrase)

    def paid(self, transaction: str) -> dict[str, str]:
        """Wait until a payment is settled; return what its transaction's page says."""
        return self.visitor(self.buyer).follow(transaction)

    def buy(self, address: str) -> dict[str, str]:
        """Buy; return what the transaction's page says once it is settled."""
        return self.paid(self.pay(address))

    def page(self, address: str) -> str:
        """Return the address of a sale's page."""
        return f"/sales/{self.stage.deployment.chain_id}/{address}"

    def receipt(self, address: str) -> str:
        """Return the address of the receipt's page."""
        return f"/receipts/{self.stage.deployment.chain_id}/{address}"

    def barcode(self, address: str) -> bytes:
        """Download the receipt's barcode as the buyer."""
        return self.visitor(self.buyer).download(f"{self.receipt(address)}/barcode.png")

    def sale(self, address: str, node: int = 0) -> Sale:
        """Return a sale as one of the nodes tells it."""
        return Sale.at(self.stage.node(node), address)

    def balance(self, address: str) -> int:
        """Return an account's balance in wei."""
        return self.stage.node().eth.get_balance(Web3.to_checksum_address(address))

    def show(self, picture: bytes, name: str) -> tuple[str, str]:
        """Hold a picture in front of the door's scanner; return the outcome and its detail, from the door's journal."""
        inbox = Path(self.stage.ready["pi"]["inbox"])
        (self.stage.path / "demo" / name).write_bytes(picture)
        shutil.copy(self.stage.path / "demo" / name, inbox / f".{name}")
        (inbox / f".{name}").rename(inbox / name)
        return await_condition(lambda: self._outcome(name), f"an answer of the door to {name}", 60)

    def _outcome(self, name: str) -> tuple[str, str] | None:
        with self._journal() as journal:
            return next(((scan[5], scan[6]) for scan in journal.scans() if scan[2] == name), None)

    def scans(self, address: str) -> list[str]:
        """Return the outcomes of the scans that named a sale, the newest first."""
        with self._journal() as journal:
            return [outcome for _, _, _, _, sale, outcome, _, _ in journal.scans() if sale == address]

    def release(self, address: str, state: str = "completed") -> tuple[Record, list[tuple[float, str, str, str]]]:
        """Wait until the door's release of a sale reaches a state; return its record and steps."""

        def reached() -> tuple[Record, list[tuple[float, str, str, str]]] | None:
            with self._journal() as journal:
                found = [(record, journal.steps(record.key)) for record in journal.releases(address)]
            return next((pair for pair in found if pair[0].state == state), None)

        return await_condition(reached, f"the door's release of {address} being {state}", 90)

    def _journal(self) -> AbstractContextManager[Journal]:
        return closing(Journal(self.stage.path / "pi" / THING / "journal.sqlite", read_only=True))

    @property
    def confirmations(self) -> int:
        """Return how many blocks the door waits for on top of a release."""
        config = tomllib.loads((self.stage.path / "pi" / THING / "config.toml").read_text())
        return int(config.get("pi", config)["confirmations"])

    def shadow(self) -> dict[str, Any]:
        """Return the door's classic shadow as the operator reads it."""
        shadow: dict[str, Any] = json.loads(self.stage.folder.run("lading-cloud", "shadow", "get", THING))
        return shadow

    def openings(self) -> int:
        """Return how often the gate itself counted that it opened."""
        return int(json.loads((self.stage.path / "pi" / THING / "gate.json").read_text())["openings"])
