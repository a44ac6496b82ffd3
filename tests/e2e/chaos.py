"""The whole system under chaos, and what an auditor finds afterwards.

    python -m tests.e2e.chaos [--orders 20] [--doors 4] [--minutes 30] [--seed 1] [--keep FOLDER]

All processes of the demo, many buyers, sellers and Pis; escrow and instant, refused and expired receipts, aborts and
jams; meanwhile processes are killed and hung, and links between them cut. The seed fixes the orders and the order and
length of what befalls the parts. At the end everything comes to rest and the auditor reads the books.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from tests.e2e.auditor.books import Finding
from tests.e2e.auditor.report import report
from tests.e2e.auditor.rules import findings
from tests.e2e.auditor.sources import read_books, rows
from tests.e2e.customers import Customer
from tests.e2e.stock import Stock
from tests.e2e.town import Town, raise_town
from tests.e2e.wishes import KINDS, Wish, wishes
from tests.iot_client.chains import Nodes
from tests.iot_client.warehouse import Door, wait_until
from tests.iot_client.weather import Gust, Weather, freeze, kill

TELL_EVERY_S = 30.0
CUT_LONGER = 3.0
REST_S = 180.0


def gusts(town: Town) -> dict[str, Gust]:
    """What may befall the parts."""
    found: dict[str, Gust] = {f"cut: {name}": _cutting(town, name) for name in town.links}
    found |= Nodes(town.stage.path / "chain", spare_last=False).gusts()
    found |= {f"{name} killed": _killing(town, *where) for name, where in PROCESSES.items()}
    found |= {f"{name} hung": _hanging(town, *where) for name, where in PROCESSES.items()}
    found |= {
        "a Pi killed": lambda for_s: kill(_pi(town, for_s)),
        "a Pi hung": lambda for_s: freeze(_pi(town, for_s), for_s),
    }
    found |= {f"{part} killed whole": _ending(town, part) for part in ("web", "gateway", "cloud")}
    return found


PROCESSES = {
    "broker": ("cloud", "mosquitto"), "shadow service": ("cloud", "iot_cloud.worker"),
    "nginx": ("gateway", "nginx: master"), "nginx worker": ("gateway", "nginx: worker"),
    "gunicorn worker": ("web", "lading-web"),
}  # fmt: skip


def _cutting(town: Town, name: str) -> Gust:
    return lambda for_s: town.links[name].cut(CUT_LONGER * for_s)


def _killing(town: Town, part: str, words: str) -> Gust:
    return lambda _: kill(_process(town, part, words))


def _hanging(town: Town, part: str, words: str) -> Gust:
    return lambda for_s: freeze(_process(town, part, words), for_s)


def _process(town: Town, part: str, words: str) -> int | None:
    """The youngest of a part's processes whose command has these words."""
    pids = []
    for process in town.processes(part):
        try:
            if words in " ".join(process.cmdline()):
                pids.append(process.pid)
        except psutil.Error:
            continue
    return pids[-1] if pids else None


def _pi(town: Town, for_s: float) -> int | None:
    process = town.doors[int(for_s * 1e6) % len(town.doors)].process
    return process.pid if process is not None and process.poll() is None else None


def _ending(town: Town, part: str) -> Gust:
    def end(_: float) -> None:
        town.stage.kill(part)
        town.restart(part)

    return end


@dataclass
class Trade:
    """All orders; none is begun after so many minutes."""

    town: Town
    orders: list[Wish]
    minutes: float
    began: float = field(default_factory=time.monotonic)
    served: Counter[str] = field(default_factory=Counter)
    customers: list[Customer] = field(default_factory=list)

    def run(self, weather: Weather) -> None:
        """Serve everybody while the weather blows: on this thread, since what it starts ends with its thread."""
        stock = Stock(self.town, tuple(self.orders))
        self.orders.reverse()
        self.customers = [Customer(self.town, number, stock) for number in range(self.town.customers)]
        threading.Thread(target=self._tell, args=(weather,), daemon=True).start()
        with ThreadPoolExecutor(1) as pool:
            waited = pool.submit(self._wait, weather)
            weather.blow()
            waited.result()
        print(f"{time.monotonic() - self.began:.0f} s: {', '.join(f'{kind} {self.served[kind]}' for kind in KINDS)}")

    @property
    def broken(self) -> list[str]:
        """What went as it must not, by those who saw it."""
        return [words for customer in self.customers for words in customer.broken]

    def _wait(self, weather: Weather) -> None:
        try:
            with ThreadPoolExecutor(len(self.customers)) as pool:
                for done in [pool.submit(self._serve, customer) for customer in self.customers]:
                    done.result()
        finally:
            weather.stop.set()

    def _serve(self, customer: Customer) -> None:
        while self.orders and time.monotonic() - self.began < self.minutes * 60:
            wish = self.orders.pop()
            try:
                customer.serve(wish)
            except Exception:  # noqa: BLE001  # told at the end; the others go on
                customer.broken.append(f"{wish}: {traceback.format_exc()}")
            self.served[wish.kind] += 1

    def _tell(self, weather: Weather) -> None:
        while not weather.stop.wait(TELL_EVERY_S):
            spent = time.monotonic() - self.began
            print(f"{spent:6.0f} s orders {self.served.total()}, wrong {len(self.broken)}", flush=True)


def settle(town: Town) -> None:
    """Everything comes to rest: Pis online, their events told, the index at the chain's head."""
    for door in town.doors:
        if door.process is None or door.died:
            door.start(mortal=True)
        wait_until(partial(_is_at_rest, door), f"{door.thing} being at rest")
    head, web = town.world.w3.eth.block_number, town.stage.path / "web" / "web.sqlite"
    wait_until(lambda: rows(web, "SELECT max(number) FROM blocks")[0][0] >= head, "the index")


def _is_at_rest(door: Door) -> bool:
    unsent = rows(door.folder / "journal.sqlite", "SELECT count(*) FROM event WHERE sent = 0")
    return bool(door.status()["cloud"]) and unsent == [(0,)]


def audit(town: Town) -> list[Finding]:
    """The auditor's findings once nothing moves any more: what a moment explains is not found again."""
    deadline = time.monotonic() + REST_S
    while (found := findings(books := read_books(town.stage.path))) and time.monotonic() < deadline:
        time.sleep(5)
    print(report(books, found))
    return found


def main() -> int:
    """Run, audit, tell; 1 on any finding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--doors", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=60, help="begin no order after so many")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--keep", type=Path, help="leave the run folder here")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}, {chosen.orders} orders, {chosen.doors} Pis", flush=True)
    with ExitStack() as stack:
        home = chosen.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="le", dir="/tmp")))
        return run(home, chosen.orders, chosen.doors, chosen.seed, chosen.minutes)


def run(home: Path, orders: int, doors: int, seed: int, minutes: float = 60) -> int:
    """One chaos in this run folder."""
    with raise_town(home, doors) as town:
        weather = Weather(gusts(town), seed)
        trade = Trade(town, list(wishes(orders, seed)), minutes)
        trade.run(weather)
        print(weather.report(), flush=True)
        settle(town)
        found = audit(town)
    print("\n".join(f"BROKEN {words}" for words in trade.broken))
    return 1 if found or trade.broken else 0


if __name__ == "__main__":
    sys.exit(main())
