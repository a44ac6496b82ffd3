"""Programs get the same facts as people, and no more."""

import json

import pytest
from eth_account import Account
from sqlalchemy import select
from test_index import listing
from test_ledger import sold
from worlds import ETHER

from webapp.errors import InvalidInput
from webapp.models import AuditRow
from webapp.tokens import Scope, make_token, revoke, tokens_of

PROBLEM = "application/problem+json"


@pytest.fixture
def ask(world, app):
    """Ask the API with somebody's token."""

    def asked(path, who="", *scopes, **options):
        headers = options.pop("headers", {})
        if who:
            headers = {**headers, "Authorization": f"Bearer {token_of(world, who, *scopes)}"}
        method = app.test_client().post if "json" in options else app.test_client().get
        return method(f"/api/v1{path}", headers=headers, **options)

    return asked


def token_of(world, who, *scopes):
    """Make a token; with every scope where none is named."""
    return make_token(world.parts.database, world.people[who], "a test", [*(scopes or Scope)], 30)


def sale_path(world, sale):
    """Return a sale's path."""
    return f"/sales/{world.parts.chain.chain_id}/{sale}"


@pytest.mark.row("M8")
def test_sales_as_json(world, ask):
    """What is for sale, one sale, the sites; amounts are decimal strings."""
    world.call("seller", world.parts.chain.factory.create_sale(listing("one")))
    world.index()
    found = ask("/market?q=nimbus").json
    [sale] = found["sales"]
    assert (sale["price_wei"], found["pages"], found["more"]) == (str(10**18), 1, False)
    one = ask(sale_path(world, sale["address"])).json
    assert (one["status"], one["make"], one["buyer"]) == ("listed", "Nimbus", None)
    assert ask("/sites").json["sites"][0]["name"] == "Dock 7"


@pytest.mark.row("M22")
def test_sales_are_found_by_what_one_knows_and_tell_their_history(world, ask):
    """By state, seller, number, year, price, time; in pages that neither lose nor repeat; each with its life."""
    chain, seller = world.parts.chain, world.people["seller"].address
    world.call("seller", chain.factory.create_sales([listing(f"n{number}") for number in range(5)]))
    sale = sold(world)
    seen, cursor = [], ""
    while cursor is not None:
        page = ask(f"/sales?limit=2&seller={seller}&cursor={cursor}").json
        seen += [one["number"] for one in page["sales"]]
        cursor = page["next"]
    assert seen[0] == "one"
    assert sorted(seen) == ["n0", "n1", "n2", "n3", "n4", "one"]
    for query, numbers in (
        ("status=sold", {"one"}),
        ("number=n3", {"n3"}),
        ("make=Nimbus&model=alpha&status=listed&site=1", {f"n{number}" for number in range(5)}),
        ("year_from=2020", set()),
        (f"price_from_wei={10**18}&price_to_wei={10**18}&number=n1", {"n1"}),
        ("listed_to=1", set()),
    ):
        assert {one["number"] for one in ask(f"/sales?{query}").json["sales"]} == numbers, query
    history = ask(sale_path(world, sale) + "/history").json["history"]
    assert [step["name"] for step in history] == ["Listed", "Sold"]
    assert history[1]["hidden"] == ["buyer"]
    assert "buyer" not in history[1]["args"]


@pytest.mark.row("N3")
def test_the_buyer_is_told_to_whom_it_concerns_and_reads_are_written_down(world, ask):
    """Null for strangers; the address for buyer, seller, operator; who is not the buyer stands in the log."""
    sale, buyer = sold(world), world.people["buyer"].address
    paths = [sale_path(world, sale), sale_path(world, sale) + "/history", "/log", "/transactions?limit=1"]
    paths += [f"/addresses/{sale}/transactions", f"/addresses/{sale}/events"]
    with world.parts.database.read() as session:
        assert session.scalars(select(AuditRow).where(AuditRow.action == "read-buyer")).all() == []
    for path in paths:
        for who in ("", "other"):
            assert buyer not in ask(path, who).text, (path, who)
        for who in ("buyer", "seller", "operator"):
            assert buyer in ask(path, who).text, (path, who)
    for who, calls in (("other", [""]), ("", [""]), ("buyer", ["buy", ""]), ("operator", ["buy", ""])):
        told = ask(f"/addresses/{buyer}/transactions", who).json["transactions"]
        assert [one["call"] for one in told] == calls, who
    assert ask(f"/addresses/{buyer}", "other").json["balance_wei"] is None
    assert ask(f"/addresses/{buyer}", "buyer").json["balance_wei"]
    with world.parts.database.read() as session:
        readers = set(session.scalars(select(AuditRow.user_id).where(AuditRow.action == "read-buyer")))
    assert readers == {world.people["seller"].id, world.people["operator"].id}


def test_errors_are_problems_everywhere_under_api(ask):
    """RFC 9457: the media type, type, title, status, detail, and a code; fields are named."""
    for path in ("/market?page=0", "/market?page=x", "/sales?site=-1", "/market?sort=up", "/market?q=" + "x" * 81):
        answer = ask(path)
        assert (answer.status_code, answer.mimetype, answer.json["code"]) == (422, PROBLEM, "invalid"), path
        assert "query" in answer.json["errors"]
    missing = ("/sales/1/0x", "/sales/x/y", "/sales/99999999999999999999/0x" + "0" * 40, "/nothing", "/blocks/999999")
    for path in (*missing, "/transactions/0x" + "0" * 64, "/transactions/x", "/addresses/x"):
        answer = ask(path)
        assert (answer.status_code, answer.mimetype, answer.json["code"]) == (404, PROBLEM, "not-found"), path
        assert set(answer.json) == {"type", "title", "status", "detail", "code"}
    assert ask("/market", json={}).status_code == 405
    assert ask("/market", json={}).mimetype == PROBLEM
    assert ask("/blocks?cursor=1-2").json["code"] == "invalid"


def test_the_document_is_made_from_the_code(app, ask):
    """OpenAPI 3.1: every route of the API, every answer's shape, problems, the token."""
    document = ask("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")}
    assert {path.replace("{", "<").replace("}", ">") for path in document["paths"]} == rules
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
            assert operation["summary"]


def test_a_token_is_shown_once_and_ends_when_it_is_revoked(world, ask, browser):
    """Only a digest is kept; scopes narrow; a revoked one and one that ran out are refused."""
    token = token_of(world, "buyer", Scope.READ)
    with world.parts.database.read() as session:
        dump = json.dumps([[str(value) for value in row] for row in session.execute(select(*tokens_columns()))])
    assert token not in dump
    bearer = {"Authorization": f"Bearer {token}"}
    assert ask("/me", headers=bearer).json["name"] == "buyer"
    refused = ask("/orders", headers=bearer)
    assert (refused.status_code, refused.json["code"]) == (403, "scope-missing")
    [row] = tokens_of(world.parts.database, world.people["buyer"])
    assert not revoke(world.parts.database, world.people["other"], row.id)
    assert revoke(world.parts.database, world.people["buyer"], row.id)
    refused = ask("/me", headers=bearer)
    assert (refused.status_code, refused.json["code"]) == (401, "bad-token")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    for header in ("Bearer", "Bearer x", "Basic dTpw", "Bearer lading_" + "x" * 43):
        assert ask("/me", headers={"Authorization": header}).status_code == 401
    assert ask("/orders").json["code"] == "token-needed"


def tokens_columns():
    """Return all columns of the tokens' table."""
    from webapp.token_models import ApiToken

    return ApiToken.__table__.columns


def test_tokens_are_made_and_revoked_on_the_account_page(world, browser, ask):
    """Shown once, listed by name, revoked by a button; others' tokens do not exist."""
    someone = browser("buyer")
    answer = someone.post("/account/tokens", {"name": "my program", "scopes": ["read", "orders"], "days": "7"})
    token = answer.text.split("lading_")[1].split("<")[0]
    assert ask("/orders", headers={"Authorization": f"Bearer lading_{token}"}).json["sales"] == []
    page = someone.page("/account/tokens")
    assert "my program" in page
    assert token not in page
    [row] = tokens_of(world.parts.database, world.people["buyer"])
    stranger = browser("other")
    hidden = stranger.tokens(stranger.page("/account/tokens"))
    assert stranger.client.post(f"/account/tokens/{row.id}/revoke", data=hidden).status_code == 404
    assert someone.post(f"/account/tokens/{row.id}/revoke", page="/account/tokens").status_code == 303
    assert ask("/orders", headers={"Authorization": f"Bearer lading_{token}"}).status_code == 401
    assert someone.post("/account/tokens", {"name": "", "scopes": [], "days": "7"}).status_code == 400


def test_a_token_s_facts_are_checked(world):
    """No name, no scope, an unknown one, no end: refused with the field's name."""
    buyer, database = world.people["buyer"], world.parts.database
    cases = (
        ("", ["read"], 1, "name"),
        ("x", [], 1, "scopes"),
        ("x", ["root"], 1, "scopes"),
        ("x", ["read"], 366, "days"),
    )
    for name, scopes, days, field in cases:
        with pytest.raises(InvalidInput) as caught:
            make_token(database, buyer, name, scopes, days)
        assert caught.value.field == field


def test_orders_and_receipts_are_their_buyer_s_alone(world, ask):
    """Own purchases; the voucher to the buyer only, and only while it opens the gate."""
    sale = sold(world)
    path = f"/orders/{world.parts.chain.chain_id}/{sale}/receipt"
    world.parts.vouchers.sign(world.keys["buyer"], sale, 0, 2_000_000_000)
    assert [one["address"] for one in ask("/orders", "buyer").json["sales"]] == [sale]
    assert ask("/orders", "other").json["sales"] == []
    assert ask(path, "buyer").json["voucher"].startswith("LADING")
    for who in ("seller", "operator", "other"):
        assert ask(path, who).status_code == 404, who
    assert ask(path, "buyer", Scope.ORDERS).status_code == 403


def test_the_warehouse_is_for_who_runs_it(world, ask):
    """Devices, gates and releases of one's own sites; a buyer is refused, another operator sees nothing."""
    from test_permissions import add_thing

    add_thing(world, "gate-1", 1)
    add_thing(world, "foreign", 77)
    for path in ("/devices", "/gates", "/releases", "/gates/gate-1"):
        assert ask(path, "buyer").status_code == 403, path
        assert ask(path, "operator").status_code == 200, path
        assert ask(path).status_code == 401, path
    assert [gate["thing"] for gate in ask("/gates", "operator").json["gates"]] == ["gate-1"]
    assert ask("/gates/foreign", "operator").status_code == 404
    assert ask("/gates", "operator").json["gates"][0]["state"] is None


def test_blocks_transactions_and_addresses(world, ask):
    """The explorer's facts: by number and hash, calls decoded, what stands at an address."""
    sale = sold(world)
    newest = ask("/blocks?limit=1").json
    [block] = newest["blocks"]
    assert ask(f"/blocks/{block['hash']}").json == ask(f"/blocks/{block['number']}").json == block
    older = ask(f"/blocks?limit=1&cursor={newest['next']}").json["blocks"]
    assert older[0]["number"] == block["number"] - 1
    [bought] = ask(f"/blocks/{block['number']}/transactions").json["transactions"]
    assert (bought["call"], bought["sender"], bought["nonce"]) == ("buy", None, None)
    one = ask(f"/transactions/{bought['hash']}", "buyer").json
    assert one["sender"] == world.people["buyer"].address
    assert [event["name"] for event in one["events"]] == ["Sold"]
    kinds = {sale: "sale", world.deployment.factory: "factory", world.people["seller"].address: "seller"}
    kinds |= {world.deployment.registry: "registry", world.people["operator"].address: "operator"}
    for address, kind in kinds.items():
        assert kind in ask(f"/addresses/{address.lower()}").json["kinds"], kind
    assert len(ask(f"/addresses/{world.deployment.registry}/events").json["events"]) == 2


def signed(world, who="buyer", **changes):
    """Sign a payment with somebody's own wallet."""
    chain, person = world.parts.chain, world.people[who].address
    fields = {
        "type": 2,
        "chainId": chain.chain_id,
        "nonce": chain.nonce(person),
        "to": person,
        "value": 1,
        "gas": 21_000,
    }
    fees = {"maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9}
    made = Account.sign_transaction({**fields, **fees, **changes}, world.keys[who])
    return "0x" + bytes(made.raw_transaction).hex()


def test_a_signed_transaction_goes_through_the_outbox_once(world, ask):
    """The same key and bytes again have no further effect; another body under the key is refused; it gets mined."""
    raw, key = signed(world), {"Idempotency-Key": "a key"}
    assert ask("/transactions", "buyer", json={"raw": raw}, headers=key).status_code == 422  # a space
    key = {"Idempotency-Key": "a-key"}
    first = ask("/transactions", "buyer", json={"raw": raw}, headers=key)
    assert (first.status_code, first.json["state"]) == (202, "sent")
    again = ask("/transactions", "buyer", json={"raw": raw}, headers=key)
    other_key = ask("/transactions", "buyer", json={"raw": raw}, headers={"Idempotency-Key": "b"})
    assert first.json["id"] == again.json["id"] == other_key.json["id"]
    reused = ask("/transactions", "buyer", json={"raw": signed(world, value=2)}, headers=key)
    assert (reused.status_code, reused.json["code"]) == (422, "key-reused")
    world.settle()
    done = ask(f"/sent/{first.json['id']}", "buyer").json
    assert (done["state"], done["hash"]) == ("done", first.json["hash"])
    assert first.headers["Location"].endswith(f"/api/v1/sent/{done['id']}")
    assert [one["id"] for one in ask("/sent", "buyer").json["sent"]] == [done["id"]]
    assert ask(f"/sent/{done['id']}", "other").status_code == 404


def test_what_cannot_be_sent_is_refused_before_anything_is_stored(world, ask):
    """Another's signature, another chain, a used nonce, what the contract refuses, nonsense, no key, no token."""
    sale = sold(world)
    buying = {"to": sale, "data": "0xa6f2ae3a", "value": ETHER, "gas": 200_000}
    cases = [
        (signed(world, "seller"), 403, "not-your-wallet"),
        (signed(world, chainId=99), 422, "other-chain"),
        (signed(world, nonce=0), 409, "nonce-used"),
        (signed(world, **buying), 400, "refused"),
        ("0x02ff", 422, "bad-transaction"),
        ("0x", 422, "invalid"),
        ("zz", 422, "invalid"),
    ]
    for number, (raw, status, code) in enumerate(cases):
        answer = ask("/transactions", "buyer", json={"raw": raw}, headers={"Idempotency-Key": f"k{number}"})
        assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
    assert ask("/transactions", "buyer", json={"raw": signed(world)}).status_code == 422
    assert ask("/transactions", json={"raw": signed(world)}, headers={"Idempotency-Key": "x"}).status_code == 401
    assert ask("/sent", "buyer").json["sent"] == []


def test_a_browser_s_session_reads_and_changes_nothing(world, browser):
    """No form of another site can send: what changes something wants a token, whatever cookie comes along."""
    someone = browser("buyer")
    assert someone.client.get("/api/v1/orders").status_code == 200
    key = {"Idempotency-Key": "x"}
    answer = someone.client.post("/api/v1/transactions", json={"raw": signed(world)}, headers=key)
    assert (answer.status_code, answer.json["code"]) == (401, "token-needed")


def test_where_the_explorer_is_not_public_strangers_come_with_a_token(world, ask):
    """`public = false`: nothing without a person."""
    from dataclasses import replace

    from webapp.app import create_app

    closed = world.parts.settings.model_copy(update={"public": False})
    client = create_app(closed, replace(world.parts, settings=closed)).test_client()
    for path in ("market", "blocks", "events", "addresses/" + world.deployment.factory):
        assert client.get(f"/api/v1/{path}").status_code == 401, path
    bearer = {"Authorization": f"Bearer {token_of(world, 'other', Scope.READ)}"}
    assert client.get("/api/v1/blocks", headers=bearer).status_code == 200
