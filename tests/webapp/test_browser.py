"""The main paths in Debian's Chromium against `lading-web up`: both kinds of keys, and the accidents of people."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PASSPHRASE, build_world, start_anvil, stop, wait_for
from playwright.sync_api import Browser, Page, expect, sync_playwright

from contracts.sale import Status

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000

pytestmark = pytest.mark.slow


class Shop:
    """A chain with a block a second, and the application as a process over it."""

    def __init__(self, home: Path) -> None:
        self.anvil, url = start_anvil("--accounts", "3", "--balance", "100000000", "--block-time", "1")
        self.world = build_world(home, url)
        inbox = home / "inbox"
        inbox.mkdir()
        (home / "lading.toml").write_text(
            f'[web]\nport = 0\nrpc = ["{url}"]\nscrypt_n = 1024\npoll_s = 0.2\nconfirmations = 2\nthreads = 16\n'
            f'[web.pi_inboxes]\ngate-1 = "{inbox}"\n'
        )
        environment = {**os.environ, "LADING_HOME": str(home), "LADING_CONFIG": str(home / "lading.toml")}
        command = ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "webapp", "up"]
        with (home / "up.out").open("wb") as out:
            self.web = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        ready = home / "web" / "ready.json"

        def serves() -> bool:
            assert self.web.poll() is None, (home / "up.out").read_text()
            return ready.exists()

        wait_for(serves, 200)
        self.url = json.loads(ready.read_text())["url"]

    def close(self) -> None:
        """Stop both."""
        self.web.terminate()
        assert self.web.wait(30) == 0
        assert not (self.world.home / "web" / "ready.json").exists()
        self.world.parts.close()
        stop(self.anvil)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The shop, once for this module."""
    made = Shop(tmp_path_factory.mktemp("shop"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def chromium():
    """One browser."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def visit(shop, chromium: Browser):
    """Open a page as somebody, in a window of a width; complaints of the console fail the test."""
    contexts, said = [], []

    def open_as(name: str = "", width: int = 1280) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 900}, base_url=shop.url)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        if name:
            page.goto("/sign-in")
            page.fill("#name", name)
            page.fill("#passphrase", PASSPHRASE)
            page.click("main form button")
            page.wait_for_url("**/")
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert [text for text in said if "status of 4" not in text and "ERR_" not in text] == []


def list_item(page: Page, number: str, settlement: str = "0") -> str:
    """Fill in the seller's form and wait until it is settled; return the sale's path."""
    page.goto("/sell/new")
    for field, value in {"make": "Nimbus", "model": "alpha", "year": "2019", "price": "50", "number": number}.items():
        page.fill(f"#{field}", value)
    page.select_option("#settlement", settlement)
    page.fill("#passphrase", PASSPHRASE)
    page.click("main form button.full")
    page.wait_for_url("**/transactions/*")
    page.click(".note.done a.button")
    page.wait_for_url("**/sales/**")
    return page.url


@pytest.mark.row("B24")
@pytest.mark.row("B25")
def test_a_seller_lists_and_a_buyer_buys_and_holds_a_barcode(shop, visit):
    """The pages go on by themselves from sent to settled; reload and back button harm nothing."""
    seller, buyer = visit("seller"), visit("buyer", 390)
    sale = list_item(seller, "A1")
    buyer.goto("/")
    buyer.fill("#q", "A1")
    expect(buyer.locator(".cards > li")).to_have_count(1, timeout=PATIENCE_MS)
    buyer.click("a.card")
    buyer.fill("#buy-pass", PASSPHRASE)
    buyer.click("form.once button.full")
    buyer.wait_for_url("**/transactions/*")
    buyer.reload()
    buyer.click(".note.done a.button")
    expect(buyer.locator("img.barcode")).to_be_visible(timeout=PATIENCE_MS)
    assert buyer.evaluate("document.querySelector('img.barcode').naturalWidth") > 0
    buyer.goto(sale)
    expect(buyer.locator(".timeline")).to_contain_text("Paid in full", timeout=PATIENCE_MS)
    assert shop.world.parts.chain.sale(sale.rsplit("/", 1)[1]).status() == Status.SOLD


def test_a_double_click_and_two_tabs_buy_once(shop, visit):
    """The second tab is told that it is sold; one transaction exists."""
    seller, buyer = visit("seller"), visit("buyer")
    sale = list_item(seller, "A2")
    second = buyer.context.new_page()
    for page in (buyer, second):
        page.goto(sale)
        page.fill("#buy-pass", PASSPHRASE)
    before = shop.world.parts.chain.nonce(shop.world.people["buyer"].address, "pending")
    buyer.dblclick("form.once button.full")
    buyer.wait_for_url("**/transactions/*")
    expect(buyer.locator(".note.done")).to_be_visible(timeout=PATIENCE_MS)
    second.click("form.once button.full")
    expect(second.locator(".deal .note.error")).to_contain_text("Nothing was sent", timeout=PATIENCE_MS)
    assert shop.world.parts.chain.nonce(shop.world.people["buyer"].address, "pending") == before + 1


def test_an_expired_session_keeps_what_matters(visit):
    """Signed out in another tab: the form is answered by the sign-in page, nothing is sent."""
    page = visit("seller")
    page.goto("/sell/new")
    page.fill("#make", "Half typed")
    page.context.clear_cookies()
    page.click("main form button.full")
    expect(page.locator("main")).to_contain_text("Nothing was sent", timeout=PATIENCE_MS)
    page.goto("/sign-in?next=/sell/new")
    page.fill("#name", "seller")
    page.fill("#passphrase", PASSPHRASE)
    page.click("main form button")
    page.wait_for_url("**/sell/new")
    expect(page.locator("#make")).to_have_value("Half typed", timeout=PATIENCE_MS)
