"""The main paths in Debian's Chromium against `lading-web up`: both kinds of keys, and the accidents of people."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PASSPHRASE, ROOT, build_world, start_anvil, stop, wait_for
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from playwright.sync_api import Browser, Page, expect, sync_playwright

from contracts.calls import Call, send
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
AXE = ROOT / "node_modules/axe-core/axe.min.js"

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


def test_no_page_has_serious_findings_of_axe(shop, visit):
    """Every page in both widths, light and dark."""
    seller = visit("seller")
    sale = list_item(seller, "A3", "30")
    address = re.search(r"/sales/(.*)$", sale)[1]
    shop.world.call("buyer", shop.world.parts.chain.sale(address.split("/")[1]).buy(50 * 10**18))
    pages = {
        "": ["/", "/?q=nothing", "/sign-in", "/sign-up", "/explorer", "/nowhere", sale],
        "seller": ["/sell", "/sell/new", "/sell/batch", "/orders", "/transactions", "/account"],
        "buyer": ["/orders", f"/receipts/{address}", "/sell"],
        "operator": ["/warehouse", "/warehouse/sites/new", "/warehouse/sellers"],
    }
    buyer = visit("buyer")
    wait_for(lambda: buyer.goto(f"/receipts/{address}").status == 200)
    found = []
    for who, paths in pages.items():
        page = visit(who)
        for path in paths:
            page.goto(path)
            for scheme, width in (("light", 1280), ("dark", 390)):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": 900})
                found += [(who, path, scheme, *what) for what in findings(page)]
                sideways = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert sideways <= 0, (path, width)
    assert found == []


def findings(page: Page) -> list[tuple[str, str]]:
    """Return axe-core's serious and critical findings."""
    # The page's own policy lets no foreign script in; the test's is evaluated past it.
    page.evaluate(AXE.read_text())
    results = page.evaluate("axe.run()")
    grave = [one for one in results["violations"] if one["impact"] in ("serious", "critical")]
    return [(one["id"], node["html"][:150]) for one in grave for node in one["nodes"]]


WALLET = """
(() => {
  const provider = { request: ({ method, params }) => window.walletAnswers(method, JSON.stringify(params ?? [])).then(
    (text) => { const said = JSON.parse(text); if (said.error) throw said.error; return said.result; }) };
  const detail = Object.freeze({ info: { uuid: "1", name: "Test Wallet", icon: "data:,", rdns: "test" }, provider });
  const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""


class Wallet:
    """An EIP-1193 provider with a real key, as a browser extension would be."""

    def __init__(self, shop: Shop) -> None:
        self.key, self.chain = Account.create(), shop.world.parts.chain
        self.declines = False
        self.asked: list[str] = []

    def answer(self, method: str, params_text: str) -> str:
        """Answer one request of a page."""
        self.asked.append(method)
        params = json.loads(params_text)
        if self.declines and method == "eth_sendTransaction":
            return json.dumps({"error": {"code": 4001, "message": "User rejected"}})
        return json.dumps({"result": self._result(method, params)})

    def _result(self, method: str, params: list) -> object:
        if method in ("eth_requestAccounts", "eth_accounts"):
            return [self.key.address.lower()]
        if method == "eth_chainId":
            return hex(self.chain.chain_id)
        if method == "personal_sign":
            signed = self.key.sign_message(encode_defunct(hexstr=params[0]))
            return "0x" + bytes(signed.signature).hex()
        if method == "eth_signTypedData_v4":
            signed = self.key.sign_message(encode_typed_data(full_message=json.loads(params[1])))
            return "0x" + bytes(signed.signature).hex()
        assert method == "eth_sendTransaction", method
        asked = {name: value for name, value in params[0].items() if name != "from"}
        nonce = self.chain.nonce(self.key.address, "pending")
        signed = self.key.sign_transaction({**asked, "nonce": nonce, "chainId": self.chain.chain_id, "type": 2})
        return self.chain.node.call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())


@pytest.mark.row("T5")
def test_a_browser_wallet_signs_in_buys_and_collects(shop, visit):
    """Discovered by EIP-6963, signed in by EIP-4361, paid by eth_sendTransaction, barcode by eth_signTypedData_v4."""
    sale = list_item(visit("seller"), "A4")
    wallet, page = Wallet(shop), visit()
    send(shop.world.parts.chain.w3, shop.world.treasury, Call(wallet.key.address, b"", 100 * 10**18, 21_000))
    page.expose_function("walletAnswers", wallet.answer)
    page.add_init_script(WALLET)
    page.goto(f"/sign-in?next={sale.removeprefix(shop.url)}")
    page.click("text=Sign in with Test Wallet")
    page.wait_for_url("**/sales/**")
    wallet.declines = True
    page.click("form.once button.full")
    expect(page.locator("[data-problem]")).to_contain_text("declined", timeout=PATIENCE_MS)
    wallet.declines = False
    page.click("form.once button.full")
    page.wait_for_url("**/transactions/*")
    page.click(".note.done a.button")
    expect(page.locator("img.barcode")).to_be_visible(timeout=PATIENCE_MS)
    address = sale.rsplit("/", 1)[1]
    assert shop.world.parts.chain.sale(address).get_item().buyer == wallet.key.address
    assert "eth_signTypedData_v4" in wallet.asked
