"""What people want of the town: a seed's orders, each of a kind, and how each kind is carried out at a door."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

from eth_account.signers.local import LocalAccount

from contracts.calls import Call, send
from contracts.factory import Listing
from contracts.sale import Sale, Status
from contracts.terms import sale_address
from contracts.voucher import encode_voucher, sign_voucher
from scripts.story.visitor import Visitor
from tests.contracts.world import account
from tests.e2e.patience import ensure
from tests.e2e.town import SELLERS, Town
from tests.iot_client.pickup import QUICK, Order, Outcome, Pickup
from tests.iot_client.warehouse import Door

PRICE_WEI = 10**18
DAY_S = 86_400
SOON_S = 20
VALID_S = 3_600
SHOW_EVERY_S = 3.0
REFUSED_WITHIN_S = 300.0
KINDS = {
    "plain": 30, "pages": 6, "expired": 8, "forged": 8, "revoked": 7, "cancelled": 4, "elsewhere": 5, "refunded": 6,
    "jam": 6, "stick": 6, "slow door": 6, "too late": 8,
}  # fmt: skip
MODES = {"jam": "jam", "stick": "stick", "slow door": "late"}
REFUSALS = {
    "expired": "expired", "forged": "wrong-buyer", "revoked": "replaced", "cancelled": "cancelled",
    "elsewhere": "other-site", "refunded": "refunded",
}  # fmt: skip
NEVER_COLLECTED = {"cancelled", "elsewhere", "refunded"}
CLOUD_HEARS_NOTHING = "never:move:late"


@dataclass(frozen=True)
class Wish:
    """One order as the seed has it."""

    number: int
    kind: str
    escrow: bool
    comes_back: bool

    @property
    def window_s(self) -> int:
        """How long the buyer's money is held at most."""
        if self.kind in {"refunded", "elsewhere"}:
            return SOON_S
        return DAY_S if self.escrow and self.kind != "pages" else 0

    @property
    def order(self) -> Order:
        """What the Pi suffers by this order alone; the rest comes with the weather."""
        fault = CLOUD_HEARS_NOTHING if self.kind == "too late" else ""
        mode = MODES.get(self.kind, "ok")
        return Order(self.number, fault, "", mode, self.comes_back, power=False, escrow=self.escrow)


def wishes(count: int, seed: int) -> Iterator[Wish]:
    """The seed's orders; every kind once before chance has its way."""
    dice = random.Random(seed)
    kinds = list(KINDS)
    for number in range(count):
        drawn = dice.choices(kinds, list(KINDS.values()))[0]
        kind = kinds[number] if number < len(kinds) else drawn
        yield Wish(number, kind, escrow=dice.random() < 0.5, comes_back=dice.random() < 0.5)


@dataclass
class Customer:
    """Who buys and collects at one door, one order after the other."""

    town: Town
    number: int
    broken: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def door(self) -> Door:
        """The door that they use."""
        return self.town.doors[self.number]

    def serve(self, wish: Wish) -> None:
        """From the listing to the end of the order."""
        if self.door.process is None or self.door.died:
            self.door.launch(mortal=True, **QUICK)
        buyer = self.town.buyer_key if wish.kind == "pages" else account(f"buyer {self.number}")
        seller = account(f"seller {wish.number % SELLERS}")
        site = self.town.sites[1 if wish.kind == "elsewhere" else 0]
        listing = Listing("Nimbus", "alpha", f"T-{wish.number}", 2019, PRICE_WEI, wish.window_s, site)
        if wish.kind == "pages":
            sale = self._trade_by_pages(listing)
        else:
            sale = self._offer(listing, seller)
            self._trade(sale, seller, buyer, wish)
        self._collect(sale, buyer, wish)

    def _offer(self, listing: Listing, seller: LocalAccount) -> Sale:
        world = self.town.world
        address = sale_address(world.factory.address, world.factory.implementation(), listing.terms(seller.address))
        sale = Sale.at(world.w3, address)
        self._send(seller, world.factory.create_sale(listing), lambda: bool(world.w3.eth.get_code(sale.address)))
        return sale

    def _trade(self, sale: Sale, seller: LocalAccount, buyer: LocalAccount, wish: Wish) -> None:
        if wish.kind == "cancelled":
            self._send(seller, sale.cancel(), lambda: sale.status() is Status.CANCELLED)
            return
        self._send(buyer, sale.buy(PRICE_WEI), lambda: sale.status() is not Status.LISTED)
        if wish.kind == "refunded":
            self._refund(sale, buyer)

    def _trade_by_pages(self, listing: Listing) -> Sale:
        """Seller and buyer at the web application, by forms and passphrases."""
        town, world = self.town, self.town.world
        address = world.factory.address_of(town.seller.address, listing)
        sale, chain = Sale.at(world.w3, address), world.chain_id
        typed = {"make": listing.make, "model": listing.model, "number": listing.number, "year": "2019", "price": "1",
                 "site": str(listing.site), "settlement": "0"}  # fmt: skip

        def sell() -> None:
            with closing(self._visitor(town.seller.name, town.seller.passphrase)) as http:
                http.follow(http.send("/sell/new", "make", passphrase=town.seller.passphrase, **typed))

        def buy() -> None:
            with closing(self._visitor(town.buyer.name, town.buyer.passphrase)) as http:
                http.follow(http.send(f"/sales/{chain}/{address}", "/buy", passphrase=town.buyer.passphrase))

        ensure(lambda: bool(world.w3.eth.get_code(sale.address)), sell, "selling by the form")
        ensure(lambda: sale.status() is not Status.LISTED, buy, "buying by the page")
        return sale

    def _visitor(self, name: str, passphrase: str) -> _Browser:
        browser = _Browser(self.town.stage.ready["web"]["url"])
        browser.sign_in(name, passphrase)
        return browser

    def _collect(self, sale: Sale, buyer: LocalAccount, wish: Wish) -> None:
        if wish.kind in REFUSALS:
            self._be_refused(sale, buyer, wish)
        if wish.kind == "elsewhere":
            self._refund(sale, buyer)
        if wish.kind in NEVER_COLLECTED:
            return

        def revoke() -> None:
            self._send(buyer, sale.revoke(), lambda: sale.attempt() > 0)

        pickup = Pickup(self.door, wish.order, sale, lambda attempt: self._sign(sale, buyer, attempt), revoke)
        outcome = pickup.run()
        self.outcomes.append(outcome)
        if outcome.wrong:
            self.broken.append(f"{outcome.wrong}: {outcome}")

    def _be_refused(self, sale: Sale, buyer: LocalAccount, wish: Wish) -> None:
        """Show what must be refused, until it is refused for its own reason and not because some part is away."""
        text = self._bad_receipt(sale, buyer, wish)
        deadline, outcome = time.monotonic() + REFUSED_WITHIN_S, ""
        while outcome != REFUSALS[wish.kind] and time.monotonic() < deadline:
            if self.door.died:
                self.door.launch(mortal=True, **QUICK)
            if self.door.status()["cloud"] is True:
                outcome = self._outcome(self.door.show(text))
        if outcome != REFUSALS[wish.kind]:
            self.broken.append(f"{wish}: {outcome!r} instead of being refused as {REFUSALS[wish.kind]}")

    def _bad_receipt(self, sale: Sale, buyer: LocalAccount, wish: Wish) -> str:
        if wish.kind == "expired":
            return self._sign(sale, buyer, 0, valid_s=-60)
        if wish.kind == "forged":
            return self._sign(sale, account("forger"), 0)
        if wish.kind == "revoked":
            self._send(buyer, sale.revoke(), lambda: sale.attempt() == 1)
        return self._sign(sale, buyer, 0)

    def _outcome(self, name: str) -> str:
        """The outcome of the picture of this name, if it comes."""
        deadline = time.monotonic() + 4 * SHOW_EVERY_S
        while time.monotonic() < deadline and not self.door.died:
            time.sleep(SHOW_EVERY_S / 10)
            with closing(sqlite3.connect(f"file:{self.door.folder / 'journal.sqlite'}?mode=ro", uri=True)) as db:
                try:
                    found = db.execute("SELECT outcome FROM scan WHERE name = ? ORDER BY id DESC", (name,)).fetchone()
                except sqlite3.OperationalError:
                    found = None
            if found:
                return str(found[0])
        return ""

    def _refund(self, sale: Sale, buyer: LocalAccount) -> None:
        self._send(buyer, sale.refund(), lambda: sale.status() is Status.REFUNDED)

    def _send(self, sender: LocalAccount, call: Call, done: object) -> None:
        """By the person's own wallet, through the gateway."""
        assert callable(done)
        ensure(done, lambda: send(self.town.wallets, sender, call, timeout_s=30), f"a transaction of {sender.address}")

    def _sign(self, sale: Sale, buyer: LocalAccount, attempt: int, valid_s: int = VALID_S) -> str:
        expires_at = int(time.time()) + valid_s
        chain_id = self.town.world.chain_id
        return encode_voucher(
            sign_voucher(buyer, chain_id=chain_id, sale=sale.address, attempt=attempt, expires_at=expires_at)
        )


class _Browser(Visitor):
    def close(self) -> None:
        """Leave."""
        self.http.close()
