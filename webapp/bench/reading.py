"""What is read: the index's catch-up, and the market page over many sales."""

import time
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import event

from contracts.deployment import Deployment
from webapp.app import create_app
from webapp.bench.figures import p95, say, spread
from webapp.bench.made_up import CHAIN, FACTORY, batches, listed, sold
from webapp.chain import Chain
from webapp.database import Database
from webapp.index import store
from webapp.index.reading import entry_of
from webapp.node import Node
from webapp.services import Services
from webapp.settings import Settings

EVENTS = 20_000
RANGE = 2_000
SALES = 100_000
VIEWS = 40
PAGES = {
    "first page": "/",
    "a word that many hold": "/?q=nimbus&sort=cheap",
    "two words": "/?q=föhn+m123",
    "words that none holds": "/?q=no+such+thing",
    "a site, cheapest first": "/?site=2&sort=cheap",
    "page 40, dearest first": "/?sort=dear&page=40",
    "page 4,000": "/?page=4000",
}


def take_in(database: Database, logs: list[dict[str, object]]) -> None:
    """Decode logs and make rows of them, as the follower does."""
    times = {str(log["blockHash"]): int(str(log["blockNumber"]), 16) for log in logs}
    entries = [entry for entry in (entry_of(CHAIN, log, times) for log in logs) if entry]
    with database.write() as session:
        store.take_in(session, CHAIN, entries)


def catch_up(folder: Path) -> None:
    """Measure from a node's logs to rows: half listings, half purchases."""
    database = Database(f"sqlite:///{folder}/catch-up.sqlite")
    database.migrate()
    half = EVENTS // 2
    waiting = [list(batches(map(make, range(half)), RANGE)) for make in (listed, sold)]
    began = time.perf_counter()
    for logs in (batch for some in waiting for batch in some):
        take_in(database, logs)
    say("index catch-up into SQLite", EVENTS / (time.perf_counter() - began), "events/s", ">= 5000")
    database.close()


def market(folder: Path) -> None:
    """Measure whole market pages over many sales, warm, and count their queries."""
    parts = empty_shop(folder / "market")
    for logs in batches(map(listed, range(SALES)), 5_000):
        take_in(parts.database, logs)
    queries: list[str] = []
    event.listen(parts.database.engine, "before_cursor_execute", lambda *said: queries.append(said[2]))
    client = create_app(parts.settings, parts).test_client()
    most = 0
    for name, path in PAGES.items():
        view(client, path)
        queries.clear()
        view(client, path)
        most = max(most, sum(query != "BEGIN" for query in queries))
        times = [view(client, path) for _ in range(VIEWS)]
        say(f"market of {SALES:,} sales, p95: {name}", p95(times), "ms", "<= 50", spread=spread(times, "ms"))
    say("market, queries a page at most", most, "queries", "<= 5")
    parts.close()


def view(client: FlaskClient, path: str) -> float:
    """Return how long a page takes, in milliseconds."""
    began = time.perf_counter()
    answer = client.get(path)
    took = (time.perf_counter() - began) * 1000
    if answer.status_code not in (200, 302):
        raise RuntimeError(f"{path}: {answer.status_code}")
    return took


def empty_shop(home: Path) -> Services:
    """Return services over a chain that these pages never ask."""
    settings = Settings(home=home, rpc=("http://127.0.0.1:1",))
    deployment = Deployment(CHAIN, FACTORY, FACTORY, FACTORY, "geth")  # type: ignore[arg-type]
    parts = Services.over(settings, Chain(Node(settings.rpc_urls), (deployment,)))
    parts.database.migrate()
    return parts
