"""The main paths in Debian's Chromium against `lading-web up`, and the accidents of people."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from chromium_shop import PATIENCE_MS, fill_listing, put_up, sign_in, wait_for_barcode
from playwright.sync_api import expect
from worlds import PASSPHRASE

from contracts.sale import Status

pytestmark = pytest.mark.slow


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


def test_a_page_speaks_the_viewer_s_time_copies_whole_and_needs_no_mouse(shop, visit):
    """Times in the browser's zone, an address with its checksum into the clipboard, a purchase by keyboard alone."""
    sale = put_up(shop, "A3")
    page = visit("buyer", timezone_id="Asia/Tokyo", locale="en-GB", permissions=["clipboard-read", "clipboard-write"])
    page.goto(sale)
    moment = page.locator(".timeline time").first
    listed = datetime.fromisoformat(moment.get_attribute("datetime")).astimezone(ZoneInfo("Asia/Tokyo"))
    expect(moment).to_have_text(f"{listed.day} {listed:%b %Y, %H:%M}")
    page.click(".facts button.copy >> nth=0")
    expect(page.locator(".copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == shop.world.people["seller"].address
    page.reload()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "buy-pass":
            break
    page.keyboard.type(PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/transactions/*")
