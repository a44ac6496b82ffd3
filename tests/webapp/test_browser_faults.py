"""Faults of a real geth network while a buyer's page is open: the page goes on by itself, and nothing is lost."""

import os
import signal
from contextlib import contextmanager
from dataclasses import replace

import pytest
from chromium_shop import PATIENCE_MS, Shop, put_up
from conftest import Browser
from eth_account import Account
from lying_node import lying_node
from playwright.sync_api import Page, expect
from worlds import ETHER, PASSPHRASE, TREASURY, build_world, wait_for

from contracts.sale import Sale, Status
from tests.geth_network.chain import Chain
from webapp.app import create_app
from webapp.chain import Chain as ShopChain
from webapp.explorer.consistency import compare

pytestmark = pytest.mark.slow
NODES = ("rpc-1", "rpc-2")
DEEP = 8


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """One sealer with a block a second, two RPC nodes."""
    chain = Chain(tmp_path_factory.mktemp("faults"))
    chain.new(sealers=1, rpc_nodes=2, period_s=1, alloc_wei={Account.from_key(TREASURY).address: 10**26})
    with chain.up():
        yield chain


@pytest.fixture(scope="module")
def shop(network):
    """The application over both RPC nodes."""
    world = build_world(network.home, *network.folder.read_ready()["rpc"])
    made = Shop(world, confirmations=DEEP)
    yield made
    made.close()
    world.parts.close()


@contextmanager
def stopped(network: Chain, *names: str):
    """Keep nodes from running, as a machine that hangs does."""
    pids = [network.pid(name) for name in names]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def buy(page: Page, sale: str) -> None:
    """Fill in the passphrase and pay; the page of the transaction is open then."""
    page.goto(sale)
    page.fill("#buy-pass", PASSPHRASE)
    page.click("form.once button.full")
    refused = page.locator(".note.error")
    expect(refused.or_(page.locator("[data-state]")).first).to_be_visible(timeout=PATIENCE_MS)
    assert refused.all_text_contents() == []


def settled(page: Page) -> str:
    """Wait until the open page says so; return the hash of the block that it names."""
    expect(page.locator(".note.done a.button")).to_be_visible(timeout=2 * PATIENCE_MS)
    return page.text_content("[data-name=block-hash]")


def healed(network: Chain) -> None:
    """Wait until every node follows again: one that stood still may lag for a while."""
    network.await_agreement(network.await_progress())


def owner_of(shop: Shop, sale: str) -> str:
    """Return who bought, as the chain says it."""
    contract = shop.world.parts.chain.sale(sale.rsplit("/", 1)[1])
    assert contract.status() == Status.SOLD
    return contract.get_item().buyer


def test_a_killed_node_is_not_noticed(network, shop, visit):
    """The node that answered is killed; the purchase goes through the other one."""
    page, sale = visit("buyer"), put_up(shop, "F1")
    page.goto(sale)
    network.kill(NODES[0])
    buy(page, sale)
    settled(page)
    assert owner_of(shop, sale) == shop.world.people["buyer"].address


def test_while_no_block_is_made_the_page_waits(network, shop, visit):
    """Sealing stops: sent, and said so; it goes on: settled, on the same open page."""
    page, sale = visit("buyer"), put_up(shop, "F2")
    sealer = network.names()[0]
    with stopped(network, sealer):
        buy(page, sale)
        expect(page.locator("[data-state=sent]")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator(".note")).to_contain_text("you may close this page", timeout=PATIENCE_MS)
    settled(page)
    assert owner_of(shop, sale) == shop.world.people["buyer"].address


def test_without_any_node_what_was_signed_is_kept(network, shop, visit):
    """Both nodes are gone after signing; lists still open; what was signed is settled once they are back."""
    page, sale = visit("buyer"), put_up(shop, "F3")
    buy(page, sale)
    with stopped(network, *NODES):
        other = visit("seller")
        other.goto("/sell")
        expect(other.locator("table")).to_be_visible(timeout=PATIENCE_MS)
    settled(page)
    healed(network)
    assert owner_of(shop, sale) == shop.world.people["buyer"].address


def test_a_reorganisation_is_followed_by_the_open_page(network, shop, visit):
    """The sealer is taken back below the purchase and goes another way: mined again, settled in another block."""
    healed(network)
    page, sale = visit("buyer"), put_up(shop, "F4")
    sealer = network.names()[0]
    before = network.number(sealer)
    buy(page, sale)
    expect(page.locator("[data-state=mined]")).to_be_visible(timeout=PATIENCE_MS)
    first = page.text_content("[data-name=block-hash]")
    with stopped(network, *NODES):
        top = network.number(sealer)
        network.ask(sealer)("debug_setHead", hex(before))
        # Only on a new connection do its peers tell it of transactions anew: a sealer taken back is restarted.
        network.kill(sealer)
        wait_for(lambda: network.number(sealer) > top + 1, 180)
    assert settled(page) != first
    healed(network)
    assert owner_of(shop, sale) == shop.world.people["buyer"].address
    wait_for(lambda: "Paid in full" in page.request.get(shop.url + sale).text())
    assert shop.world.parts.chain.balance(shop.world.people["seller"].address) > 1000 * ETHER


@pytest.mark.row("T6")
def test_a_node_that_lies_stands_out_against_the_sealers_proof(network, shop):
    """The first node tells another buyer, in calls and proofs: the proof comes from an honest one and marks the lie."""
    world, sale = shop.world, put_up(shop, "F5").rsplit("/", 1)[1]
    buyer, other = world.people["buyer"].address, world.people["other"].address
    world.call("buyer", Sale.at(world.parts.chain.w3, sale).buy(50 * ETHER))
    bought = world.parts.chain.head().number
    wait_for(lambda: world.parts.chain.head().number > bought + DEEP)
    with lying_node(world.url, buyer, other) as liar:
        settings = world.parts.settings.model_copy(update={"rpc": (liar, *network.folder.read_ready()["rpc"])})
        parts = replace(world.parts, settings=settings, chain=ShopChain.open(settings))
        view = compare(parts, sale)
        seller = Browser(create_app(settings, parts).test_client()).sign_in("seller")
        page = seller.page(f"/explorer/consistency/{sale}")
        parts.chain.node.close()
    assert [told.trouble for told in view.tellers] == [""] * 4
    assert view.tellers[0].facts["Buyer"] == buyer
    lies = {(line.label, *line.cells[1]) for line in view.lines if any(differs for _value, differs in line.cells)}
    assert lies == {("Buyer", other, True)}
    assert "They do not agree" in page
    assert page.count("(differs)") == 1
