"""The web application asks a node that answers and keeps up."""

import socket

import pytest
from worlds import start_anvil, stop, wait_for

from webapp.node import LAG_BLOCKS, LOOK_S, Node, best_turn


@pytest.mark.parametrize(
    ("turn", "heads", "then"),
    [
        (0, {0: 9, 1: 9}, 0),
        (1, {0: 9, 1: 9}, 1),
        (1, {0: 10, 1: 9}, 1),
        (0, {0: 10 - LAG_BLOCKS, 1: 10}, 1),
        (1, {0: 10, 1: 10 - LAG_BLOCKS, 2: 10}, 0),
        (0, {1: 9, 2: 12}, 2),
        (2, {1: 9}, 1),
        (1, {}, 1),
    ],
)
def test_a_node_is_left_when_it_is_silent_or_another_is_ahead(turn, heads, then):
    """One block of difference is travel; without any answer there is no better one."""
    assert best_turn(turn, heads) == then


@pytest.fixture
def two_nodes():
    """Two nodes that do not know each other, so that one can be behind."""
    started = [start_anvil("--accounts", "1") for _ in range(2)]
    nodes = [Node([url for _process, url in started]), *(Node([url]) for _process, url in started)]
    yield nodes[0], nodes[1:]
    for node in nodes:
        node.close()
    for process, _url in started:
        stop(process)


def test_a_node_that_answers_with_the_past_is_left_and_stays_left(two_nodes):
    """The first call still meets it; soon, without any pause of the caller, the other one is asked, also once level."""
    node, (first, second) = two_nodes
    second.call("anvil_mine", hex(5))
    wait_for(lambda: int(node.call("eth_blockNumber"), 16) == 5)
    first.call("anvil_mine", hex(6))
    node.compare()
    assert int(node.call("eth_blockNumber"), 16) == 5
    first.call("anvil_mine", hex(1))
    node.compare()
    assert int(node.call("eth_blockNumber"), 16) == 7


def test_a_killed_node_is_passed_over():
    """The second answers the very call that finds the first one gone."""
    (dying, gone), (living, url) = (start_anvil("--accounts", "1") for _ in range(2))
    node = Node((gone, url))
    stop(dying)
    assert int(node.call("eth_blockNumber"), 16) == 0
    node.close()
    stop(living)


def test_a_call_that_hangs_goes_on_to_the_next_node():
    """Also when the heads were compared meanwhile and the next one is already the first."""
    living, url = start_anvil("--accounts", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        node = Node((f"http://127.0.0.1:{silent.getsockname()[1]}", url), timeout_s=LOOK_S * 0.75)
        assert node.call("eth_gasPrice")
        node.close()
    stop(living)


def test_a_late_answer_does_not_bring_back_a_node_that_was_left(two_nodes, monkeypatch):
    """The heads are compared while a call is at the node that is behind."""
    node, (_first, second) = two_nodes
    second.call("anvil_mine", hex(5))
    asked = node._client.post

    def slow(url, **options):
        answer = asked(url, **options)
        if options["json"]["method"] == "eth_gasPrice":
            node.compare()
        return answer

    monkeypatch.setattr(node._client, "post", slow)
    assert node.call("eth_gasPrice")
    assert int(node.call("eth_blockNumber"), 16) == 5
