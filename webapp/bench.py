"""`python -m webapp.bench`: index, market page, outbox and memory, as JSON lines; needs anvil for the outbox."""

import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import event as sql_event

from contracts.terms import Terms, encode_terms
from webapp.catalogue import Search, find_sales
from webapp.database import Database
from webapp.index import store
from webapp.index.mapping import Entry

CHAIN = 7
EVENTS = 20_000
SALES = 100_000
PERSON = "0x0000000000000000000000000000000000000063"
MAKES = ("Nimbus", "Orkan", "Zephyr", "Föhn", "Mistral")


def say(name: str, value: float, unit: str, target: str = "") -> None:
    """Print one figure."""
    sys.stdout.write(json.dumps({"bench": name, "value": round(value, 3), "unit": unit, "target": target}) + "\n")
    sys.stdout.flush()


def listed(number: int) -> Entry:
    """Return the event of the n-th generated listing."""
    make, price = MAKES[number % len(MAKES)], (number % 977 + 1) * 10**17
    terms = Terms(PERSON, price, 0, 1 + number % 3, 0, 1990 + number % 36, make, f"m{number % 500}", str(number))  # type: ignore[arg-type]
    args: dict[str, Any] = {"sale": f"0x{number:040x}", "seller": PERSON, "raw_terms": "0x" + encode_terms(terms).hex()}
    return Entry(
        CHAIN,
        number // 50 + 1,
        number % 50,
        f"0x{number // 50:064x}",
        f"0x{number:064x}",
        number,
        PERSON,
        "Listed",
        args,
    )


def sold(number: int) -> Entry:
    """Return the event of its purchase."""
    place = (10**6 + number // 50, number % 50)
    args = {"buyer": PERSON, "price_wei": 1}
    return Entry(CHAIN, *place, f"0x{place[0]:064x}", f"0x{number:063x}f", number, f"0x{number:040x}", "Sold", args)


def batches(entries: Iterator[Entry], size: int = 2_000) -> Iterator[list[Entry]]:
    """Return entries in batches as ranges of blocks bring them."""
    batch: list[Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def index_speed(database: Database) -> None:
    """Measure how fast decoded events become rows."""
    half = EVENTS // 2
    began = time.perf_counter()
    for make in (listed, sold):
        for batch in batches(make(number) for number in range(half)):
            with database.write() as session:
                store.take_in(session, CHAIN, batch)
    say("index.events", EVENTS / (time.perf_counter() - began), "events/s", ">= 5000")


def market_speed(database: Database) -> None:
    """Measure the market's queries over many sales."""
    for batch in batches((listed(number) for number in range(EVENTS // 2, SALES + EVENTS // 2)), 5_000):
        with database.write() as session:
            store.take_in(session, CHAIN, batch)
    counted = []
    sql_event.listen(database.engine, "before_cursor_execute", lambda *_: counted.append(1))
    kinds = {
        "all": Search(),
        "search": Search(words="föhn m123"),
        "nothing": Search(words="no such thing"),
        "site": Search(site=2, sort="cheap"),
        "deep": Search(page=40, sort="dear"),
    }
    for name, search in kinds.items():
        find_sales(database, CHAIN, search)
        times = []
        for _ in range(40):
            began = time.perf_counter()
            find_sales(database, CHAIN, search)
            times.append((time.perf_counter() - began) * 1000)
        say(f"market.{name}.p95", statistics.quantiles(times, n=20)[18], "ms", "<= 50")
    say("market.queries", len(counted) / (41 * len(kinds)), "queries a search", "<= 5 a page")


def page_weight() -> None:
    """Measure what a first visit loads, packed."""
    static = Path(__file__).parent / "static"
    names = (
        "vendor/pico.min.css",
        "vendor/htmx.min.js",
        "vendor/sse.min.js",
        "lading.css",
        "lading.js",
        "wallet.js",
        "icon.svg",
    )
    say(
        "page.weight",
        sum(len(gzip.compress((static / name).read_bytes())) for name in names) / 1024,
        "KB gzip",
        "<= 200",
    )


def web_memory() -> None:
    """Measure what the pages' code takes in a process of its own."""
    code = "import webapp.app, psutil; print(psutil.Process().memory_info().rss)"
    rss = int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
    say("web.memory", rss / 2**20, "MB", "<= 150")


def main() -> int:
    """Run all."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/bench.sqlite")
        database.migrate()
        index_speed(database)
        market_speed(database)
        database.close()
    page_weight()
    web_memory()
    say("bench.memory", psutil.Process().memory_info().rss / 2**20, "MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
