"""How people carry out what they want: buying in the town, and collecting at a door."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from eth_account.signers.local import LocalAccount

from contracts.calls import Call
from contracts.factory import Listing
from contracts.sale import Sale, Status
from contracts.voucher import encode_voucher, sign_voucher
from scripts.story.visitor import Visitor
from tests.contracts.world import account
from tests.e2e.patience import ensure
from tests.e2e.stock import Stock, send_by_wallet
from tests.e2e.town import Town
from tests.e2e.wishes import PRICE_WEI, Wish
from tests.iot_client.pickup import QUICK, Outcome, Pickup
from tests.iot_client.warehouse import Door

VALID_S = 3_600
SHOW_EVERY_S = 3.0
REFUSED_WITHIN_S = 300.0
REFUSALS = {
    "expired": "expired", "forged": "wrong-buyer", "revoked": "replaced", "cancelled": "cancelled",
    "elsewhere": "other-site", "refunded": "refunded",
}  # fmt: skip
NEVER_COLLECTED = {"cancelled", "elsewhere", "refunded"}


@dataclass
class Customer:
    """Who buys and collects at one door, one order after the other; a door serves one at a time."""

    town: Town
    number: int
    stock: Stock
    broken: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def door(self) -> Door:
        """The door that they use."""
        return self.town.doors[self.number % len(self.town.doors)]

    def serve(self, wish: Wish) -> None:
        """From the listing to the end of the order."""
        if wish.kind == "pages":
            buyer, sale = self.town.buyer_key, self._trade_by_pages(wish.listing(self.town.sites))
        else:
            buyer, sale = account(f"buyer {self.number}"), self.stock.sale(wish)
            self._trade(sale, buyer, wish)
        with self.town.counters[self.door.thing]:
            if self.door.process is None or self.door.died:
                self.door.launch(mortal=True, **QUICK)
            self._collect(sale, buyer, wish)

    def _trade(self, sale: Sale, buyer: LocalAccount, wish: Wish) -> None:
        if wish.kind == "cancelled":
            self._send(self.stock.seller(wish), sale.cancel(), lambda: sale.status() is Status.CANCELLED)
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
            self._send(buyer, sale.revoke(), lambda: sale.attempt() > 0)
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

    def _send(self, sender: LocalAccount, call: Call, done: Callable[[], bool]) -> None:
        send_by_wallet(self.town, sender, call, done)

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
