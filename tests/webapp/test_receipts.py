"""The receipt on paper and on a screen; renewed, revoked, consumed."""

import subprocess
import time
from io import BytesIO

import pytest
from PIL import Image, ImageFilter
from pyzbar.pyzbar import decode
from test_selling_and_buying import buy, contract_of, list_item

from contracts.voucher import decode_voucher
from webapp.barcode import code_of, picture_png


@pytest.fixture
def receipt(world, browser):
    """The path of the buyer's receipt, and the sale."""
    address = contract_of(world, browser, list_item(world, browser, settlement="30"))
    buy(world, browser, address)
    return f"/receipts/{world.parts.chain.chain_id}/{address}", address


def read(picture: bytes | Image.Image) -> str:
    """Return what a scanner reads from a picture."""
    image = picture if isinstance(picture, Image.Image) else Image.open(BytesIO(picture))
    return decode(image.convert("L"))[0].data.decode()


def photographed(page: Image.Image) -> Image.Image:
    """Return a sheet as a phone sees it: askew, in perspective, out of focus, in poor light, with noise, as a JPEG."""
    wide, high = page.size
    corners = (-0.04 * wide, -0.02 * high, 0.03 * wide, 1.05 * high, 1.06 * wide, 0.98 * high, 0.97 * wide, 0.02 * high)
    leaning = page.transform(page.size, Image.Transform.QUAD, corners, Image.Resampling.BILINEAR, fillcolor=150)
    turned = leaning.rotate(7, Image.Resampling.BICUBIC, expand=True, fillcolor=90)
    dim = turned.filter(ImageFilter.GaussianBlur(1.2)).point(lambda level: 45 + level * 0.55)
    noise = Image.effect_noise(dim.size, 30)
    out = BytesIO()
    Image.blend(dim, noise, 0.15).save(out, "JPEG", quality=45)
    return Image.open(out)


def test_a_printed_receipt_is_scanned_back(world, browser, receipt, tmp_path):
    """PDF on A4, printed at 150 dpi, photographed: the same voucher as on the screen."""
    client, path = browser("buyer").client, receipt[0]
    paper = tmp_path / "receipt.pdf"
    paper.write_bytes(client.get(f"{path}/barcode.pdf").data)
    subprocess.run(["pdftoppm", "-r", "150", "-png", "-singlefile", paper, tmp_path / "page"], check=True)
    page = Image.open(tmp_path / "page.png").convert("L")
    assert (round(page.width / 150 * 25.4), round(page.height / 150 * 25.4)) == (210, 297)
    photograph = photographed(page)
    on_screen = read(client.get(f"{path}/barcode.png").data)
    assert read(page) == on_screen
    assert read(photograph) == on_screen
    words = subprocess.run(["pdftotext", paper, "-"], check=True, capture_output=True, text=True).stdout
    assert "Dock 7" in words
    assert "Valid until" in words


def test_the_barcode_is_as_small_as_the_design_says(world, browser, receipt):
    """Alphanumeric, level M: 49 modules; the SVG is white behind."""
    client, path = browser("buyer").client, receipt[0]
    text = read(client.get(f"{path}/barcode.png").data)
    assert len(text) == 186
    assert code_of(text).modules_count == 49
    svg = client.get(f"{path}/barcode.svg").data
    assert b"<svg" in svg
    assert b"white" in svg
    assert "attachment" in client.get(f"{path}/barcode.svg?download=1").headers["Content-Disposition"]


def test_renewing_gives_a_later_voucher_and_sends_nothing(world, browser, receipt):
    """A new signature for the same attempt."""
    path, address = receipt
    someone, before = browser("buyer"), world.parts.chain.nonce(world.people["buyer"].address)
    old = decode_voucher(read(someone.client.get(f"{path}/barcode.png").data))
    time.sleep(1.1)
    assert someone.post(f"{path}/renew", {"passphrase": "correct horse battery"}, page=path).status_code == 303
    new = decode_voucher(read(someone.client.get(f"{path}/barcode.png").data))
    assert new.expires_at >= old.expires_at
    assert new.expires_at <= world.parts.chain.sale(address).refundable_at()
    assert world.parts.chain.nonce(world.people["buyer"].address) == before


def test_an_expired_barcode_is_no_barcode(world, browser, receipt):
    """Said so, without a picture in any kind; the purchase stands, and a new one is free."""
    path, address = receipt
    someone = browser("buyer")
    page = someone.page(path)
    assert "Dock 7" in page
    assert "Valid until" in page
    world.parts.vouchers.sign(world.keys["buyer"], address, 0, int(time.time()) - 1)
    page = someone.page(path)
    assert "The barcode has expired" in page
    assert 'class="barcode"' not in page
    for kind in ("png", "svg", "pdf"):
        assert someone.client.get(f"{path}/barcode.{kind}").status_code == 404
    assert someone.post(f"{path}/renew", {"passphrase": "correct horse battery"}, page=path).status_code == 303
    assert someone.client.get(f"{path}/barcode.svg").status_code == 200
    assert someone.client.get(f"{path}/barcode.gif").status_code == 404


def test_revoking_voids_the_old_one(world, browser, receipt):
    """Until the revocation is mined there is no barcode; then there is a new one for the next attempt."""
    path, address = receipt
    someone = browser("buyer")
    old = read(someone.client.get(f"{path}/barcode.png").data)
    answer = someone.post(f"{path}/revoke", {"passphrase": "correct horse battery"}, page=path)
    assert answer.status_code == 303
    assert someone.client.get(f"{path}/barcode.png").status_code == 404
    world.settle()
    assert world.parts.chain.sale(address).attempt() == 1
    new = decode_voucher(read(someone.client.get(f"{path}/barcode.png").data))
    sale = world.parts.chain.sale(address)
    recovered = world.parts.chain.w3.eth.account._recover_hash
    buyer = world.people["buyer"].address
    assert recovered(sale.voucher_digest(new.expires_at), signature=new.signature) == buyer
    stale = decode_voucher(old)
    assert recovered(sale.voucher_digest(stale.expires_at), signature=stale.signature) != buyer


def test_vouchers_lie_encrypted_and_go_once_they_are_of_no_use(world, browser, receipt):
    """The text is in no file; a refund ends the voucher."""
    path, address = receipt
    text = read(browser("buyer").client.get(f"{path}/barcode.png").data)
    files = [file.read_bytes() for file in (world.home / "web").iterdir() if file.is_file()]
    assert not any(text.encode() in content for content in files)
    world.call("seller", world.parts.chain.sale(address).refund())
    world.index()
    assert world.parts.vouchers.find(address, world.people["buyer"].address)
    world.parts.vouchers.drop_consumed()
    assert world.parts.vouchers.find(address, world.people["buyer"].address) is None


def test_a_picture_of_a_screen_is_read_small():
    """At three pixels a module the code is still read."""
    text = "LADING:1:" + "A1" * 88
    assert read(picture_png(text, 3)) == text
