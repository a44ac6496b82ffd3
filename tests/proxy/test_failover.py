"""Reads go on while one node is killed, hangs or lags; a transaction is never sent twice."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, RemoteDisconnected

import pytest

from tests.proxy.authority import Authority
from tests.proxy.conftest import PLENTY, run_folder
from tests.proxy.node import Node
from tests.proxy.running import Running, ask, await_until, rpc

HEAD = rpc("eth_blockNumber")
WRITE = rpc("eth_sendRawTransaction", "0xf86b80")


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Node]]:
    """Two recording nodes; a test replaces what it has killed."""
    running = [Node(), Node()]
    yield running
    for node in running:
        node.close()


@pytest.fixture(scope="module")
def front(nodes: list[Node]) -> Iterator[Running]:
    """A gateway in front of both."""
    with run_folder() as home:
        urls = [node.url for node in nodes]
        running = Running(home, Authority(home / "ca"), urls, write_timeout_s=1, **PLENTY)
        running.up()
        yield running
        running.down()


@pytest.fixture
def pair(nodes: list[Node], front: Running) -> list[Node]:
    """The two nodes, both well and both in the list."""
    for node in nodes:
        node.head = 100
        node.flow.set()
    await_until(lambda: down(front) == [False, False], "both nodes in the list")
    for node in nodes:
        node.seen.clear()
    return nodes


@pytest.fixture
def two(front: Running, pair: list[Node]) -> Iterator[Running]:
    """The gateway, while both nodes are well."""
    yield front
    front.hang_up()


def reads(line: HTTPConnection, count: int = 40) -> list[tuple[int, str]]:
    """Status and answer of some reads, as an honest client asks: again where a reload has cut a kept connection."""
    return [read(line) for _ in range(count)]


def read(line: HTTPConnection) -> tuple[int, str]:
    """Status and answer of one read."""
    try:
        answer = ask(line, HEAD)
    except (RemoteDisconnected, ConnectionResetError, BrokenPipeError):
        line.close()
        answer = ask(line, HEAD)
    return answer.status, answer.json.get("result")


def down(gateway: Running) -> list[bool]:
    """Which nodes get no requests."""
    return [node["down"] for node in gateway.health()["nodes"].values()]


@pytest.mark.row("B17")
def test_no_read_fails_while_a_node_is_killed_and_restarted(two: Running, pair: list[Node]) -> None:
    """Kill, notice, restart, readmit: every read is answered."""
    line = two.wallets()
    assert set(reads(line)) == {(200, "0x64")}
    assert all(node.calls() for node in pair)
    port = pair[0].server_port
    pair[0].close()
    assert set(reads(line)) == {(200, "0x64")}
    await_until(lambda: down(two) == [True, False], "the dead node out of the list")
    await_until(lambda: two.health()["ok"], "health")
    pair[0] = Node(port)
    await_until(lambda: down(two) == [False, False], "the node back in the list")
    await_until(lambda: ask(two.wallets(), HEAD) and pair[0].calls(), "a request to the restarted node")


def test_no_read_fails_while_a_node_hangs(two: Running, pair: list[Node]) -> None:
    """It accepts connections and says nothing: reads go to the other one."""
    pair[1].flow.clear()
    assert set(reads(two.wallets(), 6)) == {(200, "0x64")}
    await_until(lambda: down(two) == [False, True], "the silent node out of the list")
    assert set(reads(two.wallets())) == {(200, "0x64")}
    pair[1].flow.set()
    await_until(lambda: down(two) == [False, False], "the node back in the list")


def test_lagging_node_gets_no_requests_until_it_has_caught_up(two: Running, pair: list[Node]) -> None:
    """It answers well, but with the past: nginx alone would not see that."""
    pair[0].head = 200
    await_until(lambda: down(two) == [False, True], "the laggard out of the list")
    assert set(reads(two.wallets())) == {(200, "0xc8")}
    pair[1].head = 199
    await_until(lambda: down(two) == [False, False], "the node back in the list")


def test_with_no_node_the_answer_is_502_in_json_and_service_comes_back(two: Running, pair: list[Node]) -> None:
    """Nothing hangs and nothing is locked out."""
    ports = [node.server_port for node in pair]
    for node in pair:
        node.close()
    answer = ask(two.wallets(), HEAD)
    assert (answer.status, answer.reason) == (502, "upstream")
    await_until(lambda: two.status("/healthz")[0] == 503, "the health that says so")
    pair[:] = [Node(port) for port in ports]
    await_until(lambda: ask(two.wallets(), HEAD).status == 200, "the service")
    await_until(lambda: two.status("/healthz")[0] == 200, "the health that says so")


def test_transaction_that_was_sent_is_never_sent_again(two: Running, pair: list[Node]) -> None:
    """Both nodes hang: each write reaches exactly one of them, and the answer is 502."""
    for node in pair:
        node.flow.clear()
    for number in range(2):
        answer = ask(two.wallets(), rpc("eth_sendRawTransaction", f"0xf86b0{number}"))
        assert (answer.status, answer.reason) == (502, "upstream")
    sent = [json.loads(seen.body)["params"][0] for node in pair for seen in node.calls()]
    assert sorted(sent) == ["0xf86b00", "0xf86b01"]


def test_transaction_goes_to_the_other_node_when_one_refuses_the_connection(two: Running, pair: list[Node]) -> None:
    """Nothing was sent to the dead one, so nothing is sent twice."""
    port = pair[0].server_port
    pair[0].close()
    assert [ask(two.wallets(), WRITE).status for _ in range(6)] == [200] * 6
    assert len(pair[1].calls()) == 6
    pair[0] = Node(port)
