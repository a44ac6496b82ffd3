"""Who may see and do what; others' objects do not exist."""

from io import BytesIO

import pytest
from PIL import Image
from test_selling_and_buying import buy, contract_of, list_item

from webapp.barcode import picture_png
from webapp.inbox import drop
from webapp.models import AuditRow, ThingRow


@pytest.fixture
def sold(world, browser):
    """The path of a sale that the buyer bought."""
    address = contract_of(world, browser, list_item(world, browser, settlement="30"))
    transaction = buy(world, browser, address)
    return f"{world.parts.chain.chain_id}/{address}", transaction


def add_thing(world, thing, site):
    """Put a thing into the journal of provisioning."""
    with world.parts.database.write() as session:
        chain_id = world.parts.chain.chain_id
        session.add(ThingRow(thing=thing, chain_id=chain_id, device_id=1, site=site, state="provisioned", steps={}))


def test_a_receipt_is_its_buyer_s_alone(world, browser, sold):
    """Seller, operator, others and strangers get nothing, neither page nor picture nor act."""
    sale, transaction = sold
    for who in ("seller", "operator", "other"):
        someone = browser(who)
        receipt = f"/receipts/{sale}"
        for path in (receipt, f"{receipt}/barcode.png", f"{receipt}/barcode.pdf", transaction):
            assert someone.client.get(path).status_code == 404, (who, path)
        hidden = someone.tokens(someone.page("/account"))
        data = {**hidden, "form_key": "a" * 32, "passphrase": "correct horse battery"}
        assert someone.client.post(f"/receipts/{sale}/renew", data=data).status_code == 404
    assert browser().client.get(f"/receipts/{sale}").status_code == 302


@pytest.mark.row("N3")
def test_buyers_stay_unnamed_to_strangers(world, browser, sold):
    """The address is shown to buyer, seller, operator; on no page to anybody else."""
    sale, _transaction = sold
    buyer = world.people["buyer"].address
    for who in ("buyer", "seller", "operator"):
        assert buyer in browser(who).page(f"/sales/{sale}")
    with world.parts.database.read() as session:
        from webapp.models import Event

        event = session.query(Event).filter_by(name="Sold").one()
    for who in ("other", ""):
        someone = browser(who)
        told = (f"/sales/{sale}", f"/explorer/transaction/{event.tx_hash}", "/explorer/events")
        for path in (*told, f"/explorer/address/{sale.split('/')[1]}"):
            assert buyer not in someone.page(path), (who, path)
        # That somebody gave this account ether is no purchase; every other line is silent about it.
        lines = someone.page("/explorer").split("<tr")
        assert {"Sold", "buy"} <= {word for line in lines for word in ("Sold", "buy") if f">{word}<" in line}
        assert [line for line in lines if buyer in line and "payment" not in line] == [], who
        assert "not shown" in someone.page(f"/explorer/address/{buyer}")


def test_only_sellers_sell_and_only_operators_watch_their_own_gates(world, browser):
    """Roles and objects: a buyer cannot list; another operator's gate does not exist."""
    assert browser("buyer").client.get("/sell/new").status_code == 403
    assert browser("seller").client.get("/warehouse").status_code == 403
    add_thing(world, "foreign", 77)
    assert browser("operator").client.get("/warehouse/foreign").status_code == 404


def test_a_seller_cannot_buy_or_settle_for_others(world, browser, sold):
    """Acts that are not open to a person are refused in words."""
    sale, _transaction = sold
    for who, act in (("other", "refund"), ("buyer", "cancel"), ("buyer", "refund")):
        someone = browser(who)
        hidden = someone.tokens(someone.page("/account"))
        data = {**hidden, "form_key": "b" * 32, "passphrase": "correct horse battery"}
        answer = someone.client.post(f"/sales/{sale}/{act}", data=data)
        assert answer.status_code == 400
        assert "Nothing was sent" in answer.text


def test_a_session_ends_everywhere_on_signing_out(world, browser):
    """A copied cookie is worth nothing afterwards; signing in begins a new one."""
    someone = browser("buyer")
    cookie = someone.client.get_cookie("lading")
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    hidden = someone.tokens(someone.page("/account"))
    someone.client.post("/sign-out", data=hidden)
    someone.client.set_cookie("lading", cookie.value)
    assert someone.client.get("/account").status_code == 302


def test_no_redirect_leaves_the_site(world, browser):
    """`next` leads within the site or to the front page."""
    for target in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/x"):
        someone = browser()
        data = {**someone.tokens(someone.page("/sign-in")), "name": "buyer", "passphrase": "correct horse battery"}
        answer = someone.client.post("/sign-in", query_string={"next": target}, data=data)
        assert answer.headers["Location"] == "/", target


def test_every_answer_carries_the_headers(world, browser):
    """A content security policy without inline script, and the rest of the set."""
    answer = browser().client.get("/")
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script>" not in answer.text
    assert "style=" not in answer.text


def test_a_picture_reaches_the_inbox_and_is_written_down(world, browser, app):
    """Operators only; the file arrives whole under a name of ours."""
    inbox = world.home / "inbox"
    inbox.mkdir()
    world.parts.settings.pi_inboxes["gate-1"] = inbox
    add_thing(world, "gate-1", 1)
    someone = browser("operator")
    page = someone.page("/warehouse/gate-1")
    assert "Unknown" in page
    picture = picture_png("LADING:1:TEST")
    data = {**someone.tokens(page), "picture": (BytesIO(picture), "../../x.png")}
    assert someone.client.post("/warehouse/gate-1/inbox", data=data).status_code == 303
    assert [file.read_bytes() for file in inbox.iterdir()] == [picture]
    with world.parts.database.read() as session:
        assert session.query(AuditRow).filter_by(action="remote-scan").count() == 1
    data = {**someone.tokens(page), "picture": (BytesIO(b"GIF89a not"), "x.png")}
    someone.client.post("/warehouse/gate-1/inbox", data=data)
    assert "no PNG, JPEG or WebP" in someone.page("/warehouse/gate-1")
    assert len(list(inbox.iterdir())) == 1
    other = browser("buyer")
    data = {**other.tokens(other.page("/account")), "picture": (BytesIO(picture), "x.png")}
    assert other.client.post("/warehouse/gate-1/inbox", data=data).status_code == 403


def test_a_bomb_of_pixels_is_refused(tmp_path):
    """A small file that would be a huge picture is not handed on."""
    from webapp.errors import InvalidInput

    out = BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    with pytest.raises(InvalidInput, match="million pixels"):
        drop(out.getvalue(), tmp_path)


def test_an_operator_admits_a_seller_whose_name_buyers_then_see(world, browser):
    """Before: no listing. After: verified beside the goods, and written down; others cannot admit."""
    from test_selling_and_buying import LISTING

    other = world.people["other"]
    someone = browser("other")
    assert someone.client.get("/sell/new").status_code == 403
    hidden = someone.tokens(someone.page("/account"))
    path = f"/warehouse/sellers/{other.id}/admit"
    assert someone.client.post(path, data=hidden).status_code == 403
    assert browser("operator").post(path, page="/warehouse/sellers").status_code == 303
    assert someone.post("/sell/new", {**LISTING, "number": "admitted"}).status_code == 303
    world.settle()
    page = browser().page("/?q=admitted")
    assert "✓ verified" in page
    with world.parts.database.read() as session:
        assert session.query(AuditRow).filter_by(action="seller-admit").count() == 1
