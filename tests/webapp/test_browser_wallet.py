"""A browser wallet's whole way in Debian's Chromium; its calls go to the gateway's block for wallets, a real nginx."""

import shutil
import tempfile
from pathlib import Path

import pytest
from chromium_shop import PATIENCE_MS, Shop, put_up, wait_for_barcode
from injected_wallet import Wallet
from playwright.sync_api import Page, expect
from sqlalchemy import select, update
from worlds import wait_for

from tests.proxy.authority import Authority
from tests.proxy.running import Running
from webapp.models import Transaction, User
from webapp.people import Role

pytestmark = pytest.mark.slow
ITEMS = 60


@pytest.fixture(scope="module")
def gateway(shop):
    """The gateway before the shop's chain; the application hears of it as of any other."""
    home = Path(tempfile.mkdtemp(prefix="lw-", dir="/tmp"))
    running = Running(home, Authority(home / "ca"), [shop.world.url], wallet_origins=[shop.url])
    running.up()
    told = shop.world.home / "gateway"
    told.symlink_to(running.folder)
    yield running
    told.unlink()
    running.down()
    shutil.rmtree(home)


@pytest.fixture
def wallet(shop):
    """A wallet with some ether, that has never heard of this chain."""
    made = Wallet(shop.world.parts.chain)
    shop.world.fund(made.key.address)
    yield made
    made.node.close()


def enter(page: Page, shop: Shop, wallet: Wallet, onwards: str) -> None:
    """Sign in with the wallet, which gets to know the chain thereby."""
    wallet.enter(page)
    page.goto(f"/sign-in?next={onwards}")
    page.click("text=Sign in with Test Wallet")
    page.wait_for_url(shop.url + onwards)


@pytest.mark.row("T5")
def test_a_wallet_signs_in_buys_and_collects(shop, gateway, wallet, visit):
    """Discovered by EIP-6963, given the chain, signed in by EIP-4361, paid through nginx, barcode by EIP-712."""
    sale, page = put_up(shop, "W1"), visit()
    enter(page, shop, wallet, sale)
    assert wallet.url == gateway.ready["wallets"]
    assert wallet.asked.index("wallet_addEthereumChain") < wallet.asked.index("personal_sign")
    wallet.declines = {1}
    page.click("form.once button.full")
    expect(page.locator("[data-problem]")).to_contain_text("declined", timeout=PATIENCE_MS)
    page.click("form.once button.full")
    page.wait_for_url("**/transactions/*")
    page.click(".note.done a.button")
    wait_for_barcode(page)
    assert shop.world.parts.chain.sale(sale.rsplit("/", 1)[1]).get_item().buyer == wallet.key.address
    assert "eth_signTypedData_v4" in wallet.asked


def test_a_wallet_lists_a_file_and_takes_up_where_it_declined(shop, gateway, wallet, visit):
    """One confirmation for fifty items; the second declined: said so; sent again: only the rest."""
    page, parts = visit(), shop.world.parts
    enter(page, shop, wallet, "/")
    with parts.database.write() as session:
        session.execute(update(User).where(User.address == wallet.key.address).values(role=Role.SELLER))
    lines = "".join(f"Nimbus,wallet,{number},2019,1,1\n" for number in range(ITEMS))
    content = ("make,model,number,year,price,site\n" + lines).encode()
    page.goto("/sell/batch")
    page.set_input_files("#file", {"name": "goods.csv", "mimeType": "text/csv", "buffer": content})
    page.click("text=Look at it")
    wallet.declines = {2}
    page.click("form[data-wallet=batch] button.full")
    expect(page.locator("[data-problem]")).to_contain_text("1 of 2 transactions were sent", timeout=PATIENCE_MS)
    page.click("form[data-wallet=batch] button.full")
    page.wait_for_url("**/transactions")
    wait_for(lambda: page.goto("/sell") and f"{ITEMS} for sale" in " ".join(page.inner_text("main").split()))
    with parts.database.read() as session:
        parted = session.scalars(select(Transaction.part).where(Transaction.sender == wallet.key.address)).all()
    assert sorted(parted) == [0, 1]
    assert wallet.asked.count("eth_sendTransaction") == 3
