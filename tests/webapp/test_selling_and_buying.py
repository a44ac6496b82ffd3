"""From the seller's form to the buyer's receipt."""

import re
from io import BytesIO

import pytest
from PIL import Image
from pyzbar.pyzbar import decode
from worlds import PASSPHRASE

from contracts.sale import Status
from contracts.voucher import decode_voucher

LISTING = {
    "make": "Nimbus",
    "model": "alpha",
    "year": "2019",
    "price": "50",
    "number": "4AA6",
    "site": "1",
    "settlement": "0",
    "passphrase": "correct horse battery",
}


def list_item(world, browser, **changes):
    """List an item through the form; return the transaction page's path."""
    answer = browser("seller").post("/sell/new", {**LISTING, **changes})
    assert answer.status_code == 303, re.findall(r'class="(?:wrong|note error)"[^>]*>([^<]+)', answer.text)
    world.settle()
    return answer.headers["Location"]


def named(page, name):
    """Return a value of the transaction page."""
    return re.search(rf'data-name="{name}">([^<]+)<', page)[1]


def contract_of(world, browser, path):
    """Return the address that the seller's transaction page names."""
    return named(browser("seller").page(path), "contract")


def buy(world, browser, address, who="buyer"):
    """Buy through the form."""
    page = f"/sales/{world.parts.chain.chain_id}/{address}"
    answer = browser(who).post(f"{page}/buy", {"passphrase": "correct horse battery"}, page=page)
    assert answer.status_code == 303, re.findall(r'class="(?:wrong|note error)"[^>]*>([^<]+)', answer.text)
    world.settle()
    return answer.headers["Location"]


@pytest.mark.row("B4")
@pytest.mark.row("B6")
@pytest.mark.row("B24")
def test_the_form_yields_a_contract(world, browser):
    """The page shows transaction hash, block hash, parent hash and contract address, and the chain agrees."""
    page = browser("seller").page(list_item(world, browser))
    chain = world.parts.chain
    receipt = chain.w3.eth.get_transaction_receipt(named(page, "transaction"))
    block = chain.w3.eth.get_block(receipt["blockNumber"])
    assert named(page, "block-hash") == block["hash"].to_0x_hex()
    assert named(page, "parent-hash") == block["parentHash"].to_0x_hex()
    item = chain.sale(named(page, "contract")).get_item()
    assert (item.make, item.model, item.year, item.price_wei) == ("Nimbus", "alpha", 2019, 50 * 10**18)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ("0", ("<strong>Instant.</strong>", "paid in the same moment", "knows no refund")),
        ("30", ("<strong>Escrow.</strong>", "keeps the money until the gate reports", "30 days after paying")),
    ],
)
def test_what_paying_means_is_said_before(world, browser, days, words):
    """Instant or escrow, the price, that gas comes on top, who sells, who keeps the goods; gas apart afterwards."""
    path = list_item(world, browser, settlement=days, price="0.000000000000000001")
    address = contract_of(world, browser, path)
    page = browser("buyer").page(f"/sales/{world.parts.chain.chain_id}/{address}")
    for said in (*words, "Pay 0.000000000000000001 ETH", "Gas for the transaction comes on top", "Harbour Logistics"):
        assert said in page, said
    seller = world.people["seller"].address
    assert f'data-copy="{seller}"' in page
    assert 'class="identicon"' in page
    paid = browser("buyer").page(buy(world, browser, address))
    assert "<dt>Price</dt><dd>0.000000000000000001 ETH</dd>" in paid
    assert re.search(r"<dt>Gas fee</dt><dd>0\.\d+ ETH</dd>", paid)


def test_what_a_lost_passphrase_means_is_said_before_it_matters(browser):
    """On the way in, and at the start of the account, with the key file to save."""
    someone = browser()
    assert "nobody can reset it. If you lose it, the account is lost" in someone.page("/sign-up")
    answer = someone.post("/sign-up", {"name": "newcomer", "passphrase": PASSPHRASE, "again": PASSPHRASE})
    page = someone.page(answer.headers["Location"])
    assert "Save the key file now" in page
    assert "If it is lost, so is the account" in page
    assert someone.client.get("/account/key").json["version"] == 3
    assert "You have not saved it yet" not in someone.page("/account")


@pytest.mark.row("B13")
@pytest.mark.row("B25")
def test_buying_pays_the_seller_and_gives_a_barcode(world, browser):
    """Balances move by the price, and the receipt's picture decodes to contract and buyer."""
    address = contract_of(world, browser, list_item(world, browser))
    before = world.parts.chain.balance(world.people["seller"].address)
    buy(world, browser, address)
    assert world.parts.chain.balance(world.people["seller"].address) - before == 50 * 10**18
    receipt = f"/receipts/{world.parts.chain.chain_id}/{address}"
    picture = browser("buyer").client.get(f"{receipt}/barcode.png").data
    read = decode(Image.open(BytesIO(picture)).convert("L"))[0].data.decode()
    voucher = decode_voucher(read, world.parts.chain.chain_id)
    assert (voucher.sale, voucher.buyer) == (address, world.people["buyer"].address)
    digest = world.parts.chain.sale(address).voucher_digest(voucher.expires_at)
    assert world.parts.chain.w3.eth.account._recover_hash(digest, signature=voucher.signature) == voucher.buyer
    assert world.parts.chain.sale(address).status() == Status.SOLD
