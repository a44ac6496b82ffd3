"""Events are pushed: none is lost, none is told twice, whoever hangs up, restarts or is killed."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys

import psutil
import pytest
from listeners import Listener
from sqlalchemy import select
from test_index import listing
from test_ledger import sold, told
from worlds import wait_for

from webapp.device_models import DeviceEvent
from webapp.ledger_models import FeedRow
from webapp.telling import Place
from webapp.viewers import Parties, Viewer


class Hearing:
    """What one client of the application hears."""

    def __init__(self, client, query="", **headers):
        self.answer = client.get(f"/api/v1/events{query}", headers=headers, buffered=False)
        self.pieces = iter(self.answer.response)

    def next(self):
        """Return the next event: id, kind, data."""
        for piece in self.pieces:
            text = piece.decode() if isinstance(piece, bytes) else piece
            said = dict(line.split(": ", 1) for line in text.strip().splitlines() if not line.startswith(":"))
            if "event" in said:
                return said.get("id"), said["event"], json.loads(said["data"])
        return None

    def some(self, count):
        """Return the kinds and ids of so many."""
        return [self.next() for _ in range(count)]

    def close(self):
        """Hang up."""
        self.answer.close()


@pytest.fixture
def hear(browser):
    """Listen as somebody; everybody hangs up at the end."""
    opened = []

    def listen(who="", query="", place=""):
        headers = {"Last-Event-ID": place} if place else {}
        opened.append(Hearing(browser(who).client, query, **headers))
        return opened[-1]

    yield listen
    for one in opened:
        one.close()


@pytest.mark.row("M7", "M9")
def test_a_reconnect_loses_and_doubles_none(world, hear):
    """Everything after `Last-Event-ID`, from the database and live alike; without one, from now on."""
    sold(world)
    everything = hear(place="0-0").some(len(told(world)))
    assert [(kind, data.get("name")) for _id, kind, data in everything][-2:] == [("sale", "Sold"), ("block", None)]
    for cut in (1, len(everything) // 2, len(everything) - 1):
        assert hear(place=everything[cut - 1][0]).some(len(everything) - cut) == everything[cut:]
    live = hear()
    start = live.next()
    assert start[:2] == (everything[-1][0], "start")
    world.call("seller", world.parts.chain.factory.create_sale(listing("two")))
    world.index()
    assert [event[1] for event in live.some(2)] == ["sale", "block"]


def test_kinds_and_one_s_own_sales_can_be_chosen(world, hear):
    """`kinds` and `mine`; a stranger's `mine` is refused."""
    sold(world)
    ids = {kind for _id, kind, _data in hear(query="?kinds=orders", place="0-0").some(2)}
    assert ids == {"sale"}
    mine = hear("buyer", "?mine=true", "0-0")
    assert [data["name"] for _id, _kind, data in mine.some(2)] == ["Listed", "Sold"]
    assert hear(query="?mine=true").answer.status_code == 401
    assert hear(query="?kinds=weather").answer.status_code == 422


@pytest.mark.row("N3")
def test_buyers_stay_unnamed_to_strangers_and_gates_to_all_but_their_operator(world, hear):
    """What each hears of one purchase and one gate."""
    from test_permissions import add_thing

    sold(world)
    add_thing(world, "gate-1", 1)
    with world.parts.database.write() as session:
        session.add(DeviceEvent(chain_id=world.parts.chain.chain_id, thing="gate-1", digest="d", kind="gate", at=1.0,
                                received_at=1.0, outcome="OPEN", reason="", body={}))  # fmt: skip
    count, buyer = len(told(world)), world.people["buyer"].address
    for who, sees in (("operator", True), ("seller", True), ("other", False), ("", False)):
        heard = hear(who, place="0-0").some(count + (who == "operator"))
        assert (buyer in json.dumps(heard)) is sees, who
        assert [event[2]["outcome"] for event in heard if event[1] == "gate"] == ["OPEN"] * (who == "operator")


@pytest.mark.row("M7", "M9")
def test_what_the_chain_undid_is_taken_back_in_the_stream(world, hear):
    """`undone` names the block above which nothing holds; the new branch follows."""
    chain = world.parts.chain
    live = hear()
    live.next()
    base, snapshot = chain.head().number, chain.node.call("evm_snapshot")
    world.call("seller", chain.factory.create_sale(listing("undone")))
    world.index()
    chain.node.call("evm_revert", snapshot)
    chain.node.call("anvil_mine", "0x2")
    world.index()
    heard = [(kind, data.get("above_block", data.get("number", data.get("name")))) for _id, kind, data in live.some(5)]
    assert heard == [
        ("sale", "Listed"),
        ("block", base + 1),
        ("undone", base),
        ("block", base + 1),
        ("block", base + 2),
    ]


def test_a_place_that_is_no_longer_kept_is_said_so(world, hear):
    """`reset`: from here on; whoever hears it reads anew what it needs."""
    with world.parts.database.write() as session:
        session.delete(session.scalars(select(FeedRow).order_by(FeedRow.id).limit(1)).one())
    for place in ("0-0", "999999-0", "0-999999"):
        assert hear(place=place).next()[1] == "reset", place
    assert hear(place="nonsense").next()[1] == "start"


def test_what_may_be_seen_is_decided_in_one_place():
    """Every role before its own and another's sale and site."""
    own = Parties("seller", "buyer", 1)
    for viewer, sees in (
        (Viewer(), False),
        (Viewer("other", "buyer"), False),
        (Viewer("buyer", "buyer"), True),
        (Viewer("seller", "seller"), True),
        (Viewer("op", "operator", frozenset({1})), True),
        (Viewer("op", "operator", frozenset({2})), False),
        (Viewer("a", "auditor"), True),
        (Viewer("r", "admin"), True),
    ):
        assert viewer.sees_buyer(own) is sees, viewer
        assert viewer.read == ({""} if sees and viewer.address != "buyer" else set())
    assert not Viewer("a", "buyer").sees_buyer(None)
    assert str(Place.read("12-34")) == "12-34"
    assert [Place.read(text) for text in ("", "1", "-1-2", "1-x", "1-2-3")] == [None] * 5


class Served:
    """`lading-web up` over a world, to be killed and started again."""

    def __init__(self, world, workers):
        self.home, self.url = world.home, ""
        table = f'[web]\nport = 0\nrpc = ["{world.url}"]\nscrypt_n = 1024\npoll_s = 0.1\nworkers = {workers}\n'
        (self.home / "lading.toml").write_text(table)
        self.start()

    def start(self):
        """Start, and wait until it serves."""
        home = {"LADING_HOME": str(self.home), "LADING_CONFIG": str(self.home / "lading.toml")}
        with (self.home / "up.out").open("ab") as out:
            command = ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "webapp", "up"]
            self.process = subprocess.Popen(command, env={**os.environ, **home}, stdout=out, stderr=out)
        ready = self.home / "web" / "ready.json"
        self.url = wait_for(lambda: ready.exists() and json.loads(ready.read_text()).get("url"), 180)

    def stop(self):
        """Stop in order."""
        self.process.terminate()
        self.process.wait(60)

    def kill_a_worker(self):
        """Kill one of the processes that serve pages: the newest child of gunicorn's master."""
        master = next(child for child in psutil.Process(self.process.pid).children() if child.children())
        os.kill(master.children()[-1].pid, signal.SIGKILL)


def what_happens(world, served):
    """List, kill a worker, list and undo it, stop all, go on, start again, list; return the feed's newest id."""
    chain, node = world.parts.chain, world.parts.chain.node

    def is_told():
        return told(world)[-1][:2] == ("block", chain.head().number)

    world.call("seller", chain.factory.create_sales([listing(f"a{number}") for number in range(3)]))
    served.kill_a_worker()
    snapshot = node.call("evm_snapshot")
    world.call("seller", chain.factory.create_sale(listing("undone")))
    wait_for(is_told)
    node.call("evm_revert", snapshot)
    served.stop()
    node.call("anvil_mine", "0x3")
    served.start()
    world.call("seller", chain.factory.create_sale(listing("b")))
    wait_for(is_told)
    return newest_id(world)


def newest_id(world):
    """Return the feed's newest id."""
    with world.parts.database.read() as session:
        return session.scalar(select(FeedRow.id).order_by(FeedRow.id.desc()).limit(1))


@pytest.mark.long
@pytest.mark.row("M7", "M9")
def test_five_hundred_who_hang_up_hear_everything_once_through_kills_and_a_restart(world):
    """Two web processes, a worker killed, a reorganisation, all stopped and started again: each hears the feed."""
    served, first, last = Served(world, workers=2), newest_id(world), []
    listeners = [Listener(lambda: served.url, random.Random(seed), f"{first}-0") for seed in range(500)]

    async def everybody():
        tasks = [asyncio.create_task(one.listen(lambda me: me.place in last)) for one in listeners]
        last.append(f"{await asyncio.to_thread(what_happens, world, served)}-0")
        await asyncio.wait_for(asyncio.gather(*tasks), 120)

    try:
        asyncio.run(everybody())
    finally:
        served.stop()
    with world.parts.database.read() as session:
        rows = session.scalars(select(FeedRow).where(FeedRow.id > first).order_by(FeedRow.id)).all()
    expected = [("sale" if row.kind == "order" else row.kind, json.dumps(row.data, sort_keys=True)) for row in rows]
    assert [kind for kind, _data in expected].count("undone") == 1
    assert [one for one in listeners if one.heard != expected] == []
    assert sum(one.starts for one in listeners) == 0
    sys.stdout.write(f"{len(expected)} events, {sum(one.lines for one in listeners)} connections\n")
