"""Exactly once, measured: Pis are killed at every act, messages doubled and reordered, and openings counted.

    python -m tests.iot_client.chaos [--orders 1450] [--doors 20] [--minutes 60] [--seed 1] [--chain geth] [--calm]

Every order's Pi dies at a fault point (`faults.py`), half of them as power cuts: what was not synced is gone
(`power.py`). Meanwhile broker, shadow service, nginx gateway and nodes are killed or stand still at random
(`weather.py`), unless it is calm. Each buyer comes until the goods are out, so that an order may take several
releases. The counts come from the simulated door itself, which lives in a file and knows what really happened; the
Pis see only what its sensor shows.
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from eth_account.signers.local import LocalAccount

from contracts.calls import Call, send
from contracts.errors import NodeError
from contracts.factory import BATCH_MAX, Listing
from contracts.sale import Sale
from contracts.terms import sale_address
from tests.contracts.world import PRICE_WEI, World, account, fund
from tests.iot_client import power
from tests.iot_client.chains import Chain, anvil_chain, geth_chain
from tests.iot_client.faults import POINTS
from tests.iot_client.gateway import Gateway
from tests.iot_client.pickup import QUICK, Order, Outcome, Pickup
from tests.iot_client.warehouse import Door, Warehouse
from tests.iot_client.weather import Gust, Weather, freeze, kill
from tests.iot_client.zygote import Zygote
from tests.iot_cloud.running import RunningCloud

NEEDS = {"move:aborting": "stick", "move:aborted": "stick", "move:case": "jam"}
MODES, ODDS = ("ok", "stick", "late", "jam"), (6, 1, 1, 1)
WINDOW_S = 30 * 86_400
TELL_EVERY_S = 30.0
WRONGS = (
    "opened twice", "opened after openBefore", "neither opened nor handed to the operator",
    "journal, chain and door disagree",
)  # fmt: skip


def plan(orders: int, seed: int) -> Iterator[Order]:
    """Every fault point in turn, the first round with a gate that works wherever the point can then be reached."""
    dice = random.Random(seed)
    for number in range(orders):
        fault = POINTS[number % len(POINTS)]
        chosen = dice.choices(MODES, ODDS)[0] if number >= len(POINTS) else "ok"
        second = dice.choice(POINTS) if dice.random() < 0.3 else ""
        mode = NEEDS.get(fault.split(":", 1)[1], chosen)
        back, cut, escrow = (dice.random() < 0.5 for _ in range(3))
        yield Order(number, fault, second, mode, back, cut, escrow)


@dataclass
class Tally:
    """What became of the orders so far."""

    outcomes: list[Outcome] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)

    @property
    def releases(self) -> int:
        """Receipts that came to an end at a door."""
        return sum(len(one.ends) for one in self.outcomes)

    @property
    def wrong(self) -> list[Outcome]:
        """What must not be."""
        return [one for one in self.outcomes if one.wrong]

    def add(self, outcome: Outcome) -> None:
        """Count one; say now and then how far it is, and at once what is wrong."""
        self.outcomes.append(outcome)
        if outcome.wrong:
            print(f"WRONG {outcome.wrong}: {outcome}", flush=True)
        if time.monotonic() - self.told > TELL_EVERY_S:
            self.told = time.monotonic()
            print(f"{self.told - self.began:6.0f} s {self._line()}, wrong {len(self.wrong)}", flush=True)

    def _line(self) -> str:
        deaths, cuts = sum(one.deaths for one in self.outcomes), sum(one.cuts for one in self.outcomes)
        return f"orders {len(self.outcomes)}, releases {self.releases}, kills {deaths}, of them power cuts {cuts}"

    def table(self) -> str:
        """The counts, a line each."""
        ends = collections.Counter(end for one in self.outcomes for end in one.ends)
        ends["settled by the operator"] = sum(one.by_operator for one in self.outcomes)
        wrong = collections.Counter(one.wrong for one in self.outcomes)
        lines = [f"{time.monotonic() - self.began:.0f} s: {self._line()}"]
        counts = [*sorted(ends.items()), *((name, wrong[name]) for name in WRONGS)]
        return "\n".join([*lines, *(f"  {name:42} {count:6}" for name, count in counts)])


@dataclass
class Market:
    """Sells goods on the chain before doors hand them out; each door's customers have an account of their own."""

    warehouse: Warehouse
    sales: list[tuple[Sale, Order]]
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def stock(cls, warehouse: Warehouse, orders: list[Order]) -> Market:
        """List one item an order, many at once."""
        world, sales = warehouse.world, []
        implementation = world.factory.implementation()
        for start in range(0, len(orders), BATCH_MAX // 2):
            some = orders[start : start + BATCH_MAX // 2]
            listings = [_listing(world, order) for order in some]
            world.send(world.seller, world.factory.create_sales(listings))
            for order, listing in zip(some, listings, strict=True):
                address = sale_address(world.factory.address, implementation, listing.terms(world.seller.address))
                sales.append((Sale.at(world.w3, address), order))
        return cls(warehouse, sales[::-1])

    def take(self) -> tuple[Sale, Order] | None:
        """The next order, if there is one."""
        with self.lock:
            return self.sales.pop() if self.sales else None

    def pickup(self, door: Door, buyer: LocalAccount, sale: Sale, order: Order) -> Pickup:
        """Buy it; then it can be collected."""
        self._send(buyer, sale.buy(PRICE_WEI))

        def sign(attempt: int) -> str:
            return self.warehouse.voucher(sale, signer=buyer, attempt=attempt)

        return Pickup(door, order, sale, sign, lambda: self._send(buyer, sale.revoke()))

    def _send(self, buyer: LocalAccount, call: Call) -> None:
        try:
            send(self.warehouse.world.w3, buyer, call)
        except NodeError as error:
            raise AssertionError(f"the tests' own node does not answer: {error}") from error


def _listing(world: World, order: Order) -> Listing:
    return Listing(
        "Nimbus", "alpha", f"CX-{order.number}", 2019, PRICE_WEI, WINDOW_S if order.escrow else 0, world.site
    )


@dataclass
class Raised:
    """What stands: the warehouse, its chain, and what may befall all but the Pis."""

    warehouse: Warehouse
    chain: Chain
    gusts: dict[str, Gust]
    doors: list[Door] = field(default_factory=list)

    def open(self, doors: int) -> None:
        """Enrol so many Pis; from then on the chain goes by its own clock."""
        self.doors = [_open(self.warehouse, number) for number in range(doors)]
        self.chain.begin()


def run(raised: Raised, orders: list[Order], weather: AbstractContextManager[object], minutes: float = 60) -> Tally:
    """All orders, on all doors side by side; none is begun after so many minutes."""
    market, tally = Market.stock(raised.warehouse, orders), Tally()
    until = tally.began + minutes * 60

    def serve(number: int) -> None:
        door, buyer = raised.doors[number], account(f"chaos buyer {number}")
        door.launch(mortal=True, **QUICK)
        while time.monotonic() < until and (taken := market.take()) is not None:
            tally.add(market.pickup(door, buyer, *taken).run())
        door.kill()

    with weather, ThreadPoolExecutor(len(raised.doors)) as pool:
        for done in [pool.submit(serve, number) for number in range(len(raised.doors))]:
            done.result()
    return tally


def _open(warehouse: Warehouse, number: int) -> Door:
    fund(warehouse.world.node, account(f"chaos buyer {number}").address)
    door = warehouse.door(f"chaos-{number}", start=False)
    door.environment = door.environment | power.watched(door.folder)
    return door


@contextmanager
def raise_all(kind: str, doors: int) -> Iterator[Raised]:
    """Chain, cloud and gateway, all real but for anvil's consensus; and the Pis, enrolled."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lx", dir="/tmp")))
        chain = stack.enter_context((geth_chain if kind == "geth" else anvil_chain)(folder))
        cloud = RunningCloud.start(requests_per_s=1000, burst=1000, order="random", duplicates=0.3)
        stack.callback(cloud.remove)
        gateway = Gateway(folder / "g", cloud, chain.urls)
        stack.callback(gateway.close)
        zygote = Zygote(power.build(folder))
        stack.callback(zygote.close)
        world = World.build(chain.node, folder / "deployments.json")
        warehouse = Warehouse(world, cloud, zygote, gateway=gateway, sealers=chain.sealers)
        warehouse.defaults["verification"] = chain.verification
        stack.callback(warehouse.remove)
        raised = Raised(warehouse, chain, _gusts(cloud, gateway) | chain.gusts)
        raised.open(doors)
        yield raised


def _gusts(cloud: RunningCloud, gateway: Gateway) -> dict[str, Gust]:
    return {
        "broker killed": lambda _: kill(cloud.children().get("broker")),
        "broker frozen": lambda for_s: freeze(cloud.children().get("broker"), for_s),
        "service killed": lambda _: kill(cloud.children().get("service")),
        "nginx worker killed": lambda _: kill(_pid(gateway.nginx()[-1:])),
        "nginx killed": lambda _: kill(_pid(gateway.nginx()[:1])),
        "nginx frozen": lambda for_s: freeze(_pid(gateway.nginx()[-1:]), for_s),
        "gateway killed": lambda _: gateway.kill(),
    }


def _pid(found: list[psutil.Process]) -> int | None:
    return found[0].pid if found else None


def main() -> int:
    """Run and print the table; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=len(POINTS), help="default: one for each point")
    parser.add_argument("--doors", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=60, help="begin no order after so many")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--chain", choices=("anvil", "geth"), default="anvil")
    parser.add_argument("--calm", action="store_true", help="kill nothing but the Pis")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}, {chosen.doors} Pis, {chosen.chain}", flush=True)
    with raise_all(chosen.chain, chosen.doors) as raised:
        weather = Weather({} if chosen.calm else raised.gusts, chosen.seed)
        tally = run(raised, list(plan(chosen.orders, chosen.seed)), weather, chosen.minutes)
    print(weather.report())
    print(tally.table())
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
