"""Past one machine: two `lading-web up` on one PostgreSQL, and what happens when parts of it are killed."""

import os
import re
import shutil
import signal
import sys
import time

import httpx
import psutil
import pytest
from chromium_shop import Shop, put_up
from sqlalchemy import text
from worlds import PASSPHRASE, build_world, start_anvil, stop, wait_for

from webapp.database import Database
from webapp.index.follower import stands_at

pytestmark = pytest.mark.slow
SECRETS = ("session.key", "voucher.key")
LOCKED = text(
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND application_name LIKE 'lading index %' AND granted"
)


@pytest.fixture
def two_shops(server, tmp_path):
    """Two processes, each with a run folder of its own, over one chain and one database, and with the same secrets."""
    anvil, url = start_anvil("--accounts", "3", "--balance", "100000000")
    homes = [tmp_path / "one", tmp_path / "two"]
    world = build_world(homes[0], url, database=server.url)
    world.parts.chain.node.call("evm_setIntervalMining", 1)
    shops = []
    for home in homes:
        (home / "web").mkdir(parents=True, exist_ok=True)
        if home != homes[0]:
            shutil.copytree(homes[0] / "contracts", home / "contracts")
            for name in SECRETS:
                shutil.copy(homes[0] / "web" / name, home / "web" / name)
        # Of a second machine only the folder differs.
        shops.append(Shop(world, f'database = "{server.url}"\nworkers = 2\n', home=home))
    yield shops
    for shop in shops:
        if shop.process.poll() is None:
            shop.close()
    world.parts.close()
    stop(anvil)


def client(shop: Shop, cookies: httpx.Cookies | None = None) -> httpx.Client:
    """Return somebody's connection to one of the processes."""
    return httpx.Client(base_url=shop.url, cookies=cookies, timeout=60)


def test_sessions_limits_and_the_index_outlive_each_process(two_shops, server, database):
    """Signed in at one is so at the other; tries are counted together; what is killed or restarted is made up for."""
    one, two = two_shops
    with client(one) as asking:
        page = asking.get("/sign-in").text
        hidden = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
        answer = asking.post("/sign-in", data={"csrf_token": hidden, "name": "buyer", "passphrase": PASSPHRASE})
        assert answer.status_code == 302, answer.text
        cookies = asking.cookies
    with client(two, cookies) as asking:
        assert "buyer" in asking.get("/account").text
        _wear_out(one, two)
    _kill_writer(two_shops, database)
    survivor = next(shop for shop in two_shops if shop.process.poll() is None)
    _kill_a_web_process(survivor)
    server.stop()
    with client(survivor, cookies) as asking:
        away = asking.get("/")
        assert away.status_code == 503
        assert "What was signed before is kept" in away.text
        assert asking.get("/readyz").status_code == 503
        assert asking.get("/api/v1/sales").json()["code"] == "unavailable"
        server.start()
        wait_for(lambda: asking.get("/readyz").status_code == 200)
        assert "buyer" in asking.get("/account").text
    put_up(survivor, "after the restart")
    assert survivor.process.poll() is None


def _wear_out(one: Shop, two: Shop) -> None:
    """Fail half of the tries at each: the limit counts them together."""
    said = []
    for shop in (one, two) * 6:
        with client(shop) as asking:
            hidden = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', asking.get("/sign-in").text)[1]
            tried = {"csrf_token": hidden, "name": "other", "passphrase": "wrong wrong wrong"}
            said.append(asking.post("/sign-in", data=tried).text)
    assert "Too many failed tries" in said[-1]
    assert "Too many failed tries" not in said[0]


def _kill_writer(shops: list[Shop], database: Database) -> None:
    """Kill the process that writes the index, all of it; the other one goes on with the chain."""
    held = wait_for(lambda: _holder(database))
    victim, began = next(shop for shop in shops if str(shop.process.pid) == held.split()[-1]), time.monotonic()
    family = [victim.process.pid, *(child.pid for child in psutil.Process(victim.process.pid).children(recursive=True))]
    for pid in family:
        os.kill(pid, signal.SIGKILL)
    victim.process.wait()
    chain = victim.world.parts.chain
    height = chain.head().number + 1
    wait_for(lambda: stands_at(database, chain.chain_id) >= height)
    sys.stdout.write(f"the other wrote the index {time.monotonic() - began:.1f} s after the writer was killed\n")


def _holder(database: Database) -> str | None:
    # A connection for each look: within one transaction PostgreSQL shows its activity as it was at the first.
    with database.engine.connect() as session:
        return session.scalar(LOCKED)


def _is_healthy(asking: httpx.Client) -> bool:
    try:
        return asking.get("/healthz").status_code == 200
    except httpx.TransportError:  # a connection that the dying worker had accepted
        return False


def _kill_a_web_process(shop: Shop) -> None:
    """Kill one worker of gunicorn: requests are served meanwhile, and it is replaced."""
    master = psutil.Process(shop.process.pid).children()[0]
    worker = wait_for(master.children)[0]
    worker.kill()
    with client(shop) as asking:
        wait_for(lambda: _is_healthy(asking))
    wait_for(lambda: len(master.children()) == 2 and worker.pid not in {child.pid for child in master.children()})


def test_while_the_chain_stands_still_pages_say_so_and_are_read(tmp_path):
    """No block is made, or no node answers: a banner on every page, the market open; it goes away by itself."""
    anvil, url = start_anvil("--accounts", "3", "--balance", "100000000")
    home = tmp_path / "home"
    world = build_world(home, url)
    world.parts.chain.node.call("evm_setIntervalMining", 1)
    (home / "chain").mkdir()
    (home / "chain" / "network.json").write_text('{"period_s": 0.5}')  # so that five seconds are long
    shop = Shop(world, "chain_silent_s = 1\n")
    path = put_up(shop, "still")
    with client(shop) as asking:

        def says(words: str) -> bool:
            return words in asking.get("/").text and words in asking.get(path).text

        def says_nothing() -> bool:
            return 'class="standstill"' not in asking.get("/").text

        wait_for(says_nothing)
        world.parts.chain.node.call("evm_setIntervalMining", 0)
        wait_for(lambda: says("The chain makes no new blocks"))
        world.parts.chain.node.call("evm_setIntervalMining", 1)
        wait_for(says_nothing)
        psutil.Process(anvil.pid).suspend()
        wait_for(lambda: says("No node of the chain answers"))
        psutil.Process(anvil.pid).resume()
        wait_for(says_nothing)
    shop.close()
    world.parts.close()
    stop(anvil)


def test_the_metrics_are_read_by_prometheus(world, app):
    """The text parses, tells of index, outbox and process, and is for this machine alone."""
    from prometheus_client.parser import text_string_to_metric_families

    asking = app.test_client()
    found = {family.name for family in text_string_to_metric_families(asking.get("/metrics").text)}
    assert {"lading_web_indexed_block", "lading_index_age_seconds", "lading_index_behind_blocks"} <= found
    assert "process_resident_memory_bytes" in found
    assert asking.get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 404
    assert asking.get("/readyz").json == {"ready": True, "why": []}
