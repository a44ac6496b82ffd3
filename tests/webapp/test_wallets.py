"""People with their own wallet: the server checks what they signed and never sees a key."""

import re

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from test_selling_and_buying import contract_of, list_item

from contracts.calls import Call, send
from contracts.sale import Status
from webapp.models import Transaction, User


@pytest.fixture
def holder(world, browser):
    """A funded key and a browser; returns a function that signs in."""
    key = Account.create()
    send(world.parts.chain.w3, world.treasury, Call(key.address, b"", 100 * 10**18, 21_000))
    return key, browser()


def csrf_of(someone, page="/account"):
    """Return the token of a page as the header that scripts send."""
    return {"X-CSRFToken": someone.tokens(someone.page(page))["csrf_token"]}


def sign_in(key, someone, signer=None, seen=lambda: None):
    """Sign the challenge and answer it."""
    headers = csrf_of(someone, "/sign-in")
    asked = someone.client.post("/wallet/challenge", json={"address": key.address.lower()}, headers=headers).json
    signed = (signer or key).sign_message(encode_defunct(text=asked["message"]))
    seen()
    body = {"address": asked["address"], "signature": "0x" + bytes(signed.signature).hex(), "next": "//evil"}
    return someone.client.post("/wallet/sign-in", json=body, headers=headers), body, headers


@pytest.mark.row("T5")
def test_signing_in_takes_a_fresh_message_of_this_site(world, holder):
    """EIP-4361: another key, a message used twice and one replayed with its old session are refused."""
    key, someone = holder
    assert sign_in(key, someone, signer=Account.create())[0].status_code == 400
    csrf, kept = csrf_of(someone, "/sign-in"), []
    answer, body, _headers = sign_in(key, someone, seen=lambda: kept.append(someone.client.get_cookie("lading").value))
    before, after = kept[0], someone.client.get_cookie("lading").value
    assert answer.json == {"next": "/"}
    again = someone.client.post("/wallet/sign-in", json=body, headers=csrf_of(someone))
    assert "used" in again.json["error"]
    someone.client.set_cookie("lading", before)
    replayed = someone.client.post("/wallet/sign-in", json=body, headers=csrf)
    assert "used" in replayed.json["error"]
    someone.client.set_cookie("lading", after)
    assert key.address in someone.page("/account")


@pytest.mark.row("T5")
def test_a_wallet_buys_and_signs_its_barcode(world, browser, holder):
    """What the page prepares is signed by the wallet: payment mined, voucher kept, receipt shown."""
    key, someone = holder
    address = contract_of(world, browser, list_item(world, browser))
    sign_in(key, someone)
    headers = csrf_of(someone)
    chain = world.parts.chain
    plan = someone.client.post(f"/wallet/prepare/{chain.chain_id}/{address}/buy", headers=headers).json
    data = plan["voucher"]["data"]
    signature = "0x" + bytes(key.sign_message(encode_typed_data(full_message=data)).signature).hex()
    forged = "0x" + bytes(Account.create().sign_message(encode_typed_data(full_message=data)).signature).hex()
    facts = {name: plan["voucher"][name] for name in ("attempt", "expires_at")}
    for wrong in (forged, "0x12", "zz"):
        refused = someone.client.post(plan["voucher"]["keep"], json={**facts, "signature": wrong}, headers=headers)
        assert refused.status_code == 400
    kept = someone.client.post(plan["voucher"]["keep"], json={**facts, "signature": signature}, headers=headers)
    assert kept.json == {"kept": True}
    asked = {name: value for name, value in plan["transaction"].items() if name != "from"}
    signed = key.sign_transaction({**asked, "nonce": 0, "chainId": chain.chain_id, "type": 2})
    hash_ = chain.node.call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
    told = someone.client.post(plan["report"], json={"hash": hash_, "form_key": "a" * 32}, headers=headers)
    world.settle()
    assert "Your receipt" in someone.page(told.json["next"])
    assert chain.sale(address).status() == Status.SOLD
    receipt = someone.page(f"/receipts/{chain.chain_id}/{address}")
    assert re.search(r'class="barcode"', receipt)


def test_a_wallet_makes_new_barcodes_and_voids_old_ones(world, browser, holder):
    """Renewed without a transaction, revoked with one; while that is under way nothing more is prepared."""
    key, someone = holder
    address = contract_of(world, browser, list_item(world, browser, settlement="30"))
    chain = world.parts.chain
    send(chain.w3, key, chain.sale(address).buy(50 * 10**18))
    world.index()
    sign_in(key, someone)
    headers, prepare = csrf_of(someone), f"/wallet/prepare/{chain.chain_id}/{address}"

    def keep(voucher):
        signed = key.sign_message(encode_typed_data(full_message=voucher["data"]))
        facts = {name: voucher[name] for name in ("attempt", "expires_at")}
        body = {**facts, "signature": "0x" + bytes(signed.signature).hex()}
        return someone.client.post(voucher["keep"], json=body, headers=headers).json

    renewed = someone.client.post(f"{prepare}/renew", headers=headers).json
    assert set(renewed) == {"voucher"}
    assert keep(renewed["voucher"]) == {"kept": True}
    assert someone.client.get(f"/receipts/{chain.chain_id}/{address}/barcode.png").status_code == 200
    plan = someone.client.post(f"{prepare}/revoke", headers=headers).json
    assert keep(plan["voucher"]) == {"kept": True}
    asked = {name: value for name, value in plan["transaction"].items() if name != "from"}
    signed = key.sign_transaction({**asked, "nonce": 1, "chainId": chain.chain_id, "type": 2})
    hash_ = chain.node.call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
    someone.client.post(plan["report"], json={"hash": hash_, "form_key": "b" * 32}, headers=headers)
    again = someone.client.post(f"{prepare}/revoke", headers=headers)
    assert "on its way already" in again.json["error"]
    world.settle()
    assert chain.sale(address).attempt() == 1
    assert someone.client.get(f"/receipts/{chain.chain_id}/{address}/barcode.png").status_code == 200


def test_what_a_wallet_is_said_to_have_sent_is_checked(world, browser, holder):
    """No act of ours, another account's transaction, a built-in account: nothing is followed."""
    key, someone = holder
    address = contract_of(world, browser, list_item(world, browser))
    sign_in(key, someone)
    headers, report = csrf_of(someone), f"/wallet/report/{world.parts.chain.chain_id}/{address}"
    with world.parts.database.read() as session:
        foreign = session.query(Transaction).one().hash
    body = {"hash": foreign, "form_key": "a" * 32}
    assert someone.client.post(f"{report}/steal", json=body, headers=headers).status_code == 404
    assert "another account" in someone.client.post(f"{report}/buy", json=body, headers=headers).json["error"]
    for wrong in ({}, {**body, "hash": "0x1"}, {**body, "form_key": "short"}, [], "text"):
        assert someone.client.post(f"{report}/buy", json=wrong, headers=headers).status_code == 400
    built_in = browser("buyer")
    said = built_in.client.post(f"{report}/buy", json={**body, "hash": "0x" + "1" * 64}, headers=csrf_of(built_in))
    assert "signed here" in said.json["error"]
    with world.parts.database.read() as session:
        assert session.query(Transaction).count() == 1


def test_a_built_in_account_s_key_cannot_come_in_twice(world, browser):
    """Whoever exported the key signs in with name and passphrase."""
    someone = browser()
    answer, _body, _headers = sign_in(Account.from_key(world.keys["buyer"]), someone)
    assert answer.status_code == 400
    assert "built-in account" in answer.json["error"]


def test_a_wallet_lists_a_whole_file(world, browser, holder):
    """Fifty items a transaction; what was sent before a refusal in the wallet is not asked for again."""
    key, someone = holder
    sign_in(key, someone)
    with world.parts.database.write() as session:
        session.query(User).filter_by(address=key.address).one().role = "seller"
    form, headers = "c" * 32, csrf_of(someone)
    content = "make,model,year,price,site\n" + "".join(f"Nimbus,m{n},2019,1,1\n" for n in range(60)) + "x\n"

    def ask():
        data = {"content": content, "form_key": form}
        return someone.client.post("/wallet/prepare-batch", data=data, headers=headers).json

    chain, plan = world.parts.chain, ask()
    assert len(plan["transactions"]) == 2
    for step in plan["transactions"]:
        asked = {name: value for name, value in step["transaction"].items() if name != "from"}
        nonce = chain.nonce(key.address, "pending")
        signed = key.sign_transaction({**asked, "nonce": nonce, "chainId": chain.chain_id, "type": 2})
        hash_ = chain.node.call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
        told = someone.client.post(step["report"], json={"hash": hash_, "form_key": form}, headers=headers)
        assert told.json["next"] == plan["then"]
        assert len(ask()["transactions"]) < len(plan["transactions"])
    world.settle()
    assert "60 for sale" in someone.page("/")
    assert "10 items from a file" in someone.page(plan["then"])
