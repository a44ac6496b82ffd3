"""A flood is throttled, and costs nobody else anything."""

import threading
from collections.abc import Iterator

import pytest

from tests.proxy.authority import Authority
from tests.proxy.conftest import run_folder
from tests.proxy.node import Node
from tests.proxy.running import Running, ask, basic, rpc

CHAIN_ID = rpc("eth_chainId")


@pytest.fixture(scope="module")
def tight(shared_node: Node) -> Iterator[Running]:
    """A gateway with the default limits of strangers and small ones for devices and wallets."""
    limits = {"device_rate": 1, "device_burst": 30, "wallet_rate": 1, "wallet_burst": 10}
    with run_folder() as home:
        running = Running(home, Authority(home / "ca"), [shared_node.url], **limits)
        running.up()
        yield running
        running.down()


@pytest.mark.row("B17", "N10")
@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2"], ids=["same-address", "another-address"])
def test_honest_device_keeps_every_request_under_a_flood_of_wrong_credentials(tight: Running, source: str) -> None:
    """Even when the flood comes from its own address and with its own name."""
    name = f"honest-{source[-1]}"
    honest = tight.devices(tight.admit(name))
    flooder, stop, seen = tight.devices(source=source), threading.Event(), []

    def flood() -> None:
        while not stop.is_set():
            seen.append(ask(flooder, CHAIN_ID, Authorization=basic(name, "wrong")).status)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        assert [ask(honest, CHAIN_ID).status for _ in range(20)] == [200] * 20
    finally:
        stop.set()
        thread.join()
    flooder.close()
    assert set(seen) <= {401, 429}


def test_stranger_without_credentials_is_throttled(tight: Running) -> None:
    """By address: another address still gets its 401."""
    line = tight.devices(source="127.0.0.3")
    answers = [ask(line, CHAIN_ID) for _ in range(60)]
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert (refused[0].reason, refused[0].headers["Retry-After"]) == ("rate", "1")
    assert ask(tight.devices(source="127.0.0.4"), CHAIN_ID).status == 401


def test_device_above_its_rate_is_throttled_and_others_are_not(tight: Running) -> None:
    """By its proven name."""
    greedy, modest = tight.devices(tight.admit("greedy")), tight.devices(tight.admit("modest"))
    assert 429 in [ask(greedy, CHAIN_ID).status for _ in range(60)]
    assert ask(modest, CHAIN_ID).status == 200


def test_wallets_are_throttled_by_address(tight: Running) -> None:
    """The refusal carries the page's CORS header, so that the page can read it."""
    line = tight.wallets()
    answers = [ask(line, CHAIN_ID, Origin="http://127.0.0.1:8080") for _ in range(30)]
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert refused[0].headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:8080"
