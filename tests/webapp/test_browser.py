"""The main paths in Debian's Chromium against `lading-web up`: both kinds of keys, and the accidents of people."""

import pytest
from chromium_shop import PATIENCE_MS, Shop, fill_listing, put_up, sign_in
from injected_wallet import Wallet
from playwright.sync_api import Page, expect
from worlds import ETHER, PASSPHRASE, ROOT, build_world, start_anvil, stop, wait_for

from contracts.sale import Status

AXE = ROOT / "node_modules/axe-core/axe.min.js"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A chain with a block a second, and the application over it."""
    anvil, url = start_anvil("--accounts", "3", "--balance", "100000000")
    home = tmp_path_factory.mktemp("shop")
    (home / "inbox").mkdir()
    world = build_world(home, url)
    world.parts.chain.node.call("evm_setIntervalMining", 1)
    made = Shop(world, f'[web.pi_inboxes]\ngate-1 = "{home / "inbox"}"\n')
    yield made
    made.close()
    world.parts.close()
    stop(anvil)


@pytest.mark.row("B24")
@pytest.mark.row("B25")
def test_a_seller_lists_and_a_buyer_buys_and_holds_a_barcode(shop, visit):
    """The pages go on by themselves from sent to settled; reload in mid-transaction and back button harm nothing."""
    seller, buyer = visit("seller"), visit("buyer", 390)
    fill_listing(seller, "A1")
    seller.fill("#passphrase", PASSPHRASE)
    seller.click("main form button.full")
    seller.wait_for_url("**/transactions/*")
    seller.click(".note.done a.button")
    seller.wait_for_url("**/sales/**")
    buyer.goto("/")
    buyer.fill("#q", "A1")
    expect(buyer.locator(".cards > li")).to_have_count(1, timeout=PATIENCE_MS)
    buyer.click("a.card")
    buyer.fill("#buy-pass", PASSPHRASE)
    buyer.click("form.once button.full")
    buyer.wait_for_url("**/transactions/*")
    nonce = shop.world.parts.chain.nonce(shop.world.people["buyer"].address, "pending")
    buyer.reload()
    buyer.go_back()
    buyer.wait_for_url("**/sales/**")
    expect(buyer.locator("#buy-pass")).to_have_count(0)
    buyer.go_forward()
    buyer.wait_for_url("**/transactions/*")
    buyer.click(".note.done a.button")
    wait_for_barcode(buyer)
    buyer.goto(seller.url)
    expect(buyer.locator(".timeline")).to_contain_text("Paid in full", timeout=PATIENCE_MS)
    assert shop.world.parts.chain.sale(seller.url.rsplit("/", 1)[1]).status() == Status.SOLD
    assert shop.world.parts.chain.nonce(shop.world.people["buyer"].address, "pending") == nonce


def test_a_double_click_and_two_tabs_buy_once(shop, visit):
    """The second tab is told that it is sold; one transaction exists."""
    buyer, sale = visit("buyer"), put_up(shop, "A2")
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


def test_an_expired_session_keeps_what_was_typed(visit):
    """The form is answered in words, nothing is sent; after signing in again the fields are as they were."""
    page = visit()
    sign_in(page, "seller")
    page.goto("/sell/new")
    page.fill("#make", "Half typed")
    page.context.clear_cookies()
    page.click("main form button.full")
    expect(page.locator("main")).to_contain_text("Nothing was sent", timeout=PATIENCE_MS)
    sign_in(page, "seller", "/sell/new")
    expect(page.locator("#make")).to_have_value("Half typed", timeout=PATIENCE_MS)


def test_no_page_has_serious_findings_of_axe(shop, visit):
    """Every page: all rules wide and light, what a phone and the dark change narrow and dark; none scrolls sideways."""
    sale, open_sale = put_up(shop, "A3", 30), put_up(shop, "A4")
    receipt = sale.replace("/sales/", "/receipts/")
    shop.world.call("buyer", shop.world.parts.chain.sale(sale.rsplit("/", 1)[1]).buy(50 * ETHER))
    pages = {
        "": ["/", "/?q=nothing", "/sign-in", "/sign-up", "/explorer", "/nowhere", sale],
        "seller": ["/sell", "/sell/new", "/sell/batch", "/orders", "/transactions", "/account", open_sale],
        "buyer": ["/orders", receipt, "/sell", open_sale],
        "operator": ["/warehouse", "/warehouse/sites/new", "/warehouse/sellers", "/warehouse/sites/1/close"],
    }
    buyer = visit("buyer")
    wait_for(lambda: buyer.goto(receipt).status == 200)
    found = [finding for who, paths in pages.items() for finding in findings(visit(who), paths)]
    assert found == []


def wait_for_barcode(page: Page) -> None:
    """Wait until the receipt's picture is there."""
    page.wait_for_selector("img.barcode")
    wait_for(lambda: page.evaluate("document.querySelector('img.barcode').naturalWidth > 0"))


def findings(page: Page, paths: list[str]) -> list[tuple[str, ...]]:
    """Return axe-core's serious and critical findings on these pages."""
    found: list[tuple[str, ...]] = []
    for path in paths:
        page.goto(path)
        # The page's own policy lets no foreign script in; the test's is evaluated past it.
        page.evaluate(AXE.read_text())
        for scheme, width, rules in (("light", 1280, "undefined"), ("dark", 360, "['color-contrast', 'target-size']")):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 900})
            said = page.evaluate(f"axe.run({{ resultTypes: ['violations'], runOnly: {rules} }})")["violations"]
            grave = [one for one in said if one["impact"] in ("serious", "critical")]
            found += [(path, scheme, one["id"], node["html"][:150]) for one in grave for node in one["nodes"]]
            sideways = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if sideways > 0:
                found.append((path, str(width), "scrolls sideways", str(sideways)))
    return found


@pytest.mark.row("T5")
def test_a_browser_wallet_signs_in_buys_and_collects(shop, visit):
    """Discovered by EIP-6963, signed in by EIP-4361, paid by eth_sendTransaction, barcode by eth_signTypedData_v4."""
    sale, wallet, page = put_up(shop, "A5"), Wallet(shop.world.parts.chain), visit()
    shop.world.fund(wallet.key.address)
    wallet.enter(page)
    page.goto(f"/sign-in?next={sale}")
    page.click("text=Sign in with Test Wallet")
    page.wait_for_url("**/sales/**")
    wallet.declines = True
    page.click("form.once button.full")
    expect(page.locator("[data-problem]")).to_contain_text("declined", timeout=PATIENCE_MS)
    wallet.declines = False
    page.click("form.once button.full")
    page.wait_for_url("**/transactions/*")
    page.click(".note.done a.button")
    wait_for_barcode(page)
    assert shop.world.parts.chain.sale(sale.rsplit("/", 1)[1]).get_item().buyer == wallet.key.address
    assert "eth_signTypedData_v4" in wallet.asked
