"""What guards every page alike: forms' tokens, headers, sessions, secrets in files, what no database can hold."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from test_selling_and_buying import LISTING
from worlds import PASSPHRASE

from webapp.app import create_app
from webapp.models import Transaction, User
from webapp.services import Services

HEADERS = {
    "Content-Security-Policy": r"default-src 'self'; script-src 'self'; style-src 'self'; .*frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": r"camera=\(self\), geolocation=\(\), microphone=\(\)",
}


def sign_in(client, name, passphrase=PASSPHRASE, **where):
    """Send the form of signing in."""
    hidden = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/sign-in").text)[1]
    return client.post("/sign-in", data={"csrf_token": hidden, "name": name, "passphrase": passphrase}, **where)


def test_no_form_counts_without_its_token(world, app, browser):
    """Every route that takes a form, as a signed-in operator: refused, in words, before anything else is looked at."""
    client = browser("operator").client
    posts = [rule for rule in app.url_map.iter_rules() if "POST" in rule.methods]
    forms = [rule for rule in posts if not rule.endpoint.startswith("api.")]
    assert len(forms) > 25
    for rule in forms:
        path = re.sub(r"<(?:int:)?(\w+)>", lambda found: "1" if "int:" in found[0] else "x", rule.rule)
        answer = client.post(path, data=LISTING)
        assert answer.status_code == 400, path
        assert "Nothing was sent" in answer.text, path
    with world.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Transaction)) == 0


def test_every_answer_carries_the_headers(app, browser):
    """Pages, pages of errors, files, the API; nothing but files may be kept; HSTS where the way is TLS."""
    client = browser("buyer").client
    for path in ("/", "/account", "/nowhere", "/sell/new", "/static/lading.css", "/api/v1/market", "/api/v1/nowhere"):
        answer = client.get(path, buffered=True)
        for name, value in HEADERS.items():
            assert re.fullmatch(value, answer.headers[name]), (path, name)
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert ("no-store" in answer.headers["Cache-Control"]) == (not path.startswith("/static")), path
        assert "Strict-Transport-Security" not in answer.headers
    assert "Strict-Transport-Security" in client.get("/", base_url="https://lading.example").headers


def test_no_page_holds_script_or_style_of_its_own(browser):
    """Nor anything from elsewhere: the network may be closed."""
    client = browser("operator").client
    for path in ("/", "/account", "/sell/new", "/explorer", "/nowhere", "/warehouse"):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\bstyle=|\bon[a-z]+=\"|<style", page), path
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page), path


def test_signing_in_begins_a_new_session(world, app):
    """What somebody planted in the browser beforehand is worth nothing afterwards."""
    victim, thief = app.test_client(), app.test_client()
    victim.get("/sign-in")
    planted = victim.get_cookie("lading").value
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', victim.get("/sign-in").text)[1]
    assert sign_in(victim, "buyer").status_code == 302
    assert victim.get_cookie("lading").value != planted
    thief.set_cookie("lading", planted)
    assert thief.get("/account").status_code == 302
    data = {"csrf_token": token, "passphrase": PASSPHRASE, "fresh": "x" * 12, "again": "x" * 12}
    assert "Nothing was sent" in victim.post("/account/passphrase", data=data).text


def test_tries_count_for_the_account_however_its_name_is_typed(world, app):
    """Wide letters, capitals, blanks, from many places: one account, one limit; its neighbour is not concerned."""
    names = ("buyer", "BUYER", " buyer ", "\uff42\uff55\uff59\uff45\uff52")
    for turn in range(world.parts.settings.sign_in_tries):
        where = {"REMOTE_ADDR": f"192.0.2.{turn}"}
        told = sign_in(app.test_client(), names[turn % len(names)], "wrong wrong wrong", environ_overrides=where)
        assert "not right" in told.text
    last = {"REMOTE_ADDR": "192.0.2.99"}
    assert "Too many failed tries" in sign_in(app.test_client(), "buyer", environ_overrides=last).text
    assert sign_in(app.test_client(), "seller", environ_overrides=last).status_code == 302


def test_accounts_are_not_made_by_the_dozen(world, browser):
    """One place makes as many as sign-ins may fail; then it waits."""
    someone, made = browser(), world.parts.settings.sign_in_tries
    for turn in range(made + 1):
        data = {"name": f"crowd {turn}", "passphrase": PASSPHRASE, "again": PASSPHRASE}
        answer = browser().post("/sign-up", data)
        assert answer.status_code == (303 if turn < made else 400), turn
    assert "Too many" in answer.text
    with world.parts.database.read() as session:
        assert session.scalar(select(func.count()).where(User.name.startswith("crowd"))) == made
    assert someone.client.get("/").status_code == 200


BAD_ACCOUNTS = [
    ({"name": ""}, "Choose a name"),
    ({"name": "ab"}, "3 to 40"),
    ({"name": "x" * 41}, "3 to 40"),
    ({"name": "<script>"}, "3 to 40"),
    ({"name": "a\x00bc"}, "3 to 40"),
    ({"name": "a\u202ebc"}, "3 to 40"),
    ({"name": "Buyer"}, "taken"),
    ({"name": "b\u0443yer"}, "one alphabet"),
    ({"passphrase": "short", "again": "short"}, "10 to 256"),
    ({"passphrase": "x" * 257, "again": "x" * 257}, "10 to 256"),
    ({"again": "another one"}, "not the same"),
]


def test_a_bad_account_is_refused_beside_its_field(world, browser):
    """Nothing is made; what was typed stays, but for the passphrase."""
    good = {"name": "newcomer", "passphrase": PASSPHRASE, "again": PASSPHRASE}
    for data, words in BAD_ACCOUNTS:
        answer = browser().post("/sign-up", {**good, **data})
        assert answer.status_code == 400, data
        assert words in answer.text, data
        assert PASSPHRASE not in answer.text
    with world.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(User)) == len(world.people)


BAD_CHANGES = [
    ({"passphrase": "wrong wrong wrong"}, "does not open"),
    ({"fresh": "short", "again": "short"}, "10 to 256"),
    ({"again": "something else"}, "not the same"),
    ({"passphrase": ""}, "Enter it"),
]


def test_a_passphrase_is_not_changed_by_a_bad_form(browser):
    """The present one still opens the account."""
    good = {"passphrase": PASSPHRASE, "fresh": "a new passphrase", "again": "a new passphrase"}
    someone = browser("buyer")
    for data, words in BAD_CHANGES:
        answer = someone.post("/account/passphrase", {**good, **data}, page="/account")
        assert answer.status_code == 400, data
        assert words in answer.text, data
    browser("buyer")


def test_secrets_are_files_of_their_owner_alone(world, app):
    """The sessions' key and the vouchers' key."""
    for name in ("session.key", "voucher.key"):
        path = world.home / "web" / name
        assert path.stat().st_mode & 0o777 == 0o600
        assert len(path.read_bytes()) >= 32


@pytest.mark.slow
def test_what_postgresql_cannot_hold_does_not_exist(world, server):
    """A NUL in a name, a number of twenty digits: not there, not a broken page; SQLite takes more than that."""
    settings = world.parts.settings.model_copy(update={"database": server.url})
    parts = replace(Services.open(settings), unlocker=world.parts.unlocker)
    parts.database.migrate()
    client = create_app(settings, parts).test_client()
    for path in (
        "/sales/1/%00", "/sales/9223372036854775807/x", "/?q=%00", "/?site=999999999", "/explorer?q=%00",
        "/explorer/address/%00", "/explorer/transaction/%00", "/explorer/block/99999999999999999999",
        "/api/v1/sales/%00", "/api/v1/transactions/%00",
    ):  # fmt: skip
        assert client.get(path).status_code in (200, 302, 404, 422), path
    assert sign_in(client, "a\x00b").status_code == 400
    for part in (parts.cloud, parts.chain.node, parts.database):
        part.close()
