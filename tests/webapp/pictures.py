"""`python tests/webapp/pictures.py FOLDER`: the pages as PNG pictures at two widths, with goods and people made up."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from chromium_shop import PATIENCE_MS, Shop, fill_listing, launch, put_up, sign_in
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import update
from worlds import ETHER, PASSPHRASE, World, build_world, start_anvil, stop, wait_for

from contracts.factory import Listing
from webapp.models import User

WIDTHS = {"wide": 1280, "narrow": 360}
GOODS = (
    ("Nimbus", "Cargo 7", "4AA6", 2019, 50, 0),
    ("Orkan", "Outboard 40", "OB-40-118", 2021, 12, 30),
    ("Föhn", "Heat pump", "FP-2231", 2023, 8, 30),
    ("Zephyr", "Wind gauge", "", 2024, 1, 0),
    ("Mistral", "Sail 32 m²", "MS-32", 2018, 5, 90),
    ("Nimbus", "Trailer", "TR-0091", 2016, 3, 7),
    ("Orkan", "Bow thruster", "BT-77", 2022, 6, 30),
)
FILE = """make,model,number,year,price,site,refund_days
Orkan,Outboard 40,OB-40-119,2021,12,1,0
Föhn,Heat pump,FP-2232,2023,8,1,30
Mistral,Sail 32 m²,MS-33,18,5,1,90
"""
"""A seller's file, one line of it with a mistake."""


def stock(world: World) -> None:
    """List the goods."""
    for make, model, number, year, price, days in GOODS:
        goods = Listing(make, model, number, year, price * ETHER, days * 86_400, world.site)
        world.call("seller", world.parts.chain.factory.create_sale(goods))


def admit(world: World) -> None:
    """Let the operator have admitted the seller, so that buyers see a verified name."""
    with world.parts.database.write() as session:
        session.execute(update(User).where(User.name == "seller").values(verified=True))


def take(shop: Shop, browser: Browser, folder: Path) -> None:
    """Walk through the pages as everybody and take a picture of each."""
    sold, waiting = put_up(shop, "4AA7", 30), put_up(shop, "4AA8")
    buyer = opened(shop, browser, "buyer")
    buyer.goto(sold)
    buyer.fill("#buy-pass", PASSPHRASE)
    buyer.click("form.once button.full")
    buyer.wait_for_url("**/transactions/*")
    done = buyer.url
    wait_for(lambda: buyer.goto(sold.replace("/sales/", "/receipts/")).status == 200)
    pages = {
        ("", "market"): "/", ("", "market-empty"): "/?q=submarine", ("", "sale"): waiting, ("", "sale-sold"): sold,
        ("", "sign-in"): "/sign-in", ("", "sign-up"): "/sign-up", ("", "key-file"): "/sign-up/key-file",
        ("", "explorer"): "/explorer", ("", "not-found"): "/nowhere",
        ("buyer", "sale-buy"): waiting, ("buyer", "transaction"): done, ("buyer", "orders"): "/orders",
        ("buyer", "receipt"): sold.replace("/sales/", "/receipts/"), ("buyer", "account"): "/account",
        ("buyer", "transactions"): "/transactions", ("buyer", "sell-ask"): "/sell",
        ("seller", "sell"): "/sell", ("seller", "sell-new"): "/sell/new", ("seller", "sell-batch"): "/sell/batch",
        ("operator", "warehouse"): "/warehouse", ("operator", "sellers"): "/warehouse/sellers",
        ("operator", "site"): "/warehouse/sites/new",
    }  # fmt: skip
    for who in ("", "buyer", "seller", "operator"):
        page = opened(shop, browser, who)
        for (whose, name), path in pages.items():
            if whose == who:
                page.goto(path)
                picture(page, folder, name)
        if who == "seller":
            fill_listing(page, "N" * 70)
            page.click("main form button.full")
            picture(page, folder, "sell-new-refused")
            page.goto("/sell/batch")
            page.set_input_files("#file", {"name": "goods.csv", "mimeType": "text/csv", "buffer": FILE.encode()})
            page.click("text=Look at it")
            picture(page, folder, "sell-batch-preview")


def opened(shop: Shop, browser: Browser, who: str) -> Page:
    """Return somebody's page."""
    page = browser.new_context(base_url=shop.url, device_scale_factor=1).new_page()
    page.set_default_timeout(5 * PATIENCE_MS)
    if who:
        sign_in(page, who)
    return page


def picture(page: Page, folder: Path, name: str) -> None:
    """Take a page at both widths, the narrow one in the dark."""
    for kind, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 860})
        page.emulate_media(color_scheme="dark" if kind == "narrow" else "light", reduced_motion="reduce")
        page.wait_for_load_state("networkidle") if "/transactions/" not in page.url else None
        path = folder / f"{name}-{kind}.png"
        page.screenshot(path=path, full_page=True)
        Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)


def main() -> None:
    """Make a shop, take the pictures, leave nothing else behind."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    anvil, url = start_anvil("--accounts", "3", "--balance", "100000000")
    with TemporaryDirectory(prefix="lading-pictures") as home, sync_playwright() as playwright:
        world = build_world(Path(home), url)
        stock(world)
        admit(world)
        world.parts.chain.node.call("evm_setIntervalMining", 1)
        shop = Shop(world, confirmations=1)
        browser = launch(playwright)
        try:
            take(shop, browser, folder)
        finally:
            browser.close()
            shop.close()
            world.parts.close()
            stop(anvil)


if __name__ == "__main__":
    main()
