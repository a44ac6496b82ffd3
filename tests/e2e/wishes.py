"""What people want of the town: a seed's orders, each of a kind."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from contracts.factory import Listing
from tests.iot_client.pickup import Order

PRICE_WEI = 10**18
DAY_S = 86_400
SOON_S = 20
KINDS = {
    "too late": 8, "jam": 6, "stick": 6, "slow door": 6, "pages": 6, "refunded": 6, "elsewhere": 5, "revoked": 7,
    "expired": 8, "forged": 8, "cancelled": 4, "plain": 30,
}  # fmt: skip
"""How often each is drawn; those that take long come first, so that a short run does not end with waiting for one."""
MODES = {"jam": "jam", "stick": "stick", "slow door": "late"}
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

    def listing(self, sites: list[int]) -> Listing:
        """The goods as their seller offers them; those of `elsewhere` are at the second site."""
        site = sites[1 if self.kind == "elsewhere" else 0]
        return Listing("Nimbus", "alpha", f"T-{self.number}", 2019, PRICE_WEI, self.window_s, site)

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
