"""What sellers offer: many goods a transaction, listed when the first customer comes for one of them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from eth_account.signers.local import LocalAccount

from contracts.calls import Call, send
from contracts.sale import Sale
from tests.contracts.world import account
from tests.e2e.patience import ensure
from tests.e2e.town import SELLERS, Town
from tests.e2e.wishes import Wish

BATCH = 20


@dataclass
class Stock:
    """All orders' goods but those that are traded on the pages."""

    town: Town
    wishes: Sequence[Wish]
    _locks: dict[int, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def sale(self, wish: Wish) -> Sale:
        """The sale of this order's goods, once its batch is listed."""
        batch, world = wish.number // BATCH, self.town.world
        sale = Sale.at(world.w3, self._address(wish))
        with self._locks[batch]:
            self._list(batch, lambda: bool(world.w3.eth.get_code(sale.address)))
        return sale

    def seller(self, wish: Wish) -> LocalAccount:
        """Who lists this order's goods."""
        return account(f"seller {wish.number // BATCH % SELLERS}")

    def _list(self, batch: int, done: Callable[[], bool]) -> None:
        these = [wish for wish in self.wishes[batch * BATCH : (batch + 1) * BATCH] if wish.kind != "pages"]
        listings = [wish.listing(self.town.sites) for wish in these]
        send_by_wallet(self.town, self.seller(these[0]), self.town.world.factory.create_sales(listings), done)

    def _address(self, wish: Wish) -> str:
        return self.town.world.factory.address_of(self.seller(wish).address, wish.listing(self.town.sites))


def send_by_wallet(town: Town, sender: LocalAccount, call: Call, done: Callable[[], bool]) -> None:
    """By the person's own wallet, through the gateway."""
    ensure(done, lambda: send(town.wallets, sender, call, timeout_s=30), f"a transaction of {sender.address}")
