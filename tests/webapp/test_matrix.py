"""Who gets where: every route, every role, own objects and others'. A new route without a line here fails."""

import re

import pytest
from flask import Flask
from matrix import PEOPLE, RULES, as_table
from sqlalchemy import select
from test_ledger import sold
from test_permissions import add_thing
from worlds import PASSPHRASE, ROOT

from webapp.app import create_app
from webapp.device_models import AlarmRow, DeviceEvent
from webapp.ledger_models import LedgerTransaction
from webapp.models import Transaction, User, now
from webapp.people import Role, create_account
from webapp.tokens import make_token, tokens_of


def outcome(answer):
    """Return the letter of an answer; whatever came through and was refused for what it said was let in."""
    if answer.status_code == 302 and "/sign-in" in answer.headers["Location"]:
        return "s"
    return {401: "u", 403: "f", 404: "h"}.get(answer.status_code, ".")


def lines_of(app: Flask):
    """Return every route with its method, as a line's name: `endpoint` or `endpoint POST`."""
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield (rule.endpoint if method == "GET" else f"{rule.endpoint} {method}"), rule, method


class Cast:
    """Everybody, signed in before one application, and the objects that the routes name."""

    def __init__(self, world):
        self.world, parts = world, world.parts
        self.app = create_app(parts.settings, parts)
        self.app.config["WTF_CSRF_ENABLED"] = False  # who may, not whence: forms' tokens are tested elsewhere
        self.people = dict(world.people)
        for name in ("rival", "foreign", "auditor", "admin", "newcomer"):
            role = {"rival": Role.SELLER, "foreign": Role.OPERATOR, "newcomer": Role.BUYER}.get(name) or Role(name)
            self.people[name] = create_account(
                parts.database, parts.unlocker, name=name, passphrase=PASSPHRASE, role=role
            )
        self.values = self.objects(sold(world))

    def objects(self, sale):
        """Return a value for each argument of a route; where one name means many things, by endpoint."""
        parts, chain_id = self.world.parts, self.world.parts.chain.chain_id
        buyer = self.people["buyer"]
        add_thing(self.world, "gate-1", 1)
        parts.vouchers.sign(self.world.keys["buyer"], sale, 0, 2_000_000_000)
        make_token(parts.database, buyer, "a program", ["read"], 1)
        sent = Transaction(
            user_id=buyer.id, idempotency_key="m", chain_id=chain_id, sender=buyer.address, nonce=0, hash="0x1",
            purpose="buy", subject=sale, details={"title": "x"}, state="done", confirmations=1, created_at=now(),
        )  # fmt: skip
        alarm = AlarmRow(chain_id=chain_id, kind="device-silent", subject="gate-1", site=1, words="x", began_at=1.0)
        case = DeviceEvent(
            chain_id=chain_id, thing="gate-1", digest="d", kind="release", at=1.0, received_at=1.0, sale=sale,
            attempt=0, outcome="case", reason="x", body={},
        )  # fmt: skip
        with parts.database.write() as session:
            session.add_all([sent, alarm, case])
            session.flush()
            mined = session.scalars(select(LedgerTransaction.hash).where(LedgerTransaction.sale == sale)).one()
            ids = {"transaction_id": sent.id, "alarm": alarm.id}
        keys = {"block": "1", "transaction": mined, "one_sent": ids["transaction_id"], "consistency": sale}
        return {
            **ids,
            "chain_id": chain_id,
            "address": sale,
            "sale": sale,
            "hash_": mined,
            "thing": "gate-1",
            "token_id": tokens_of(parts.database, buyer)[0].id,
            "user_id": self.people["newcomer"].id,
            "keys": keys,
            "acts": {"sale.act": "refund", "receipt.act": "renew", "wallet.prepare": "buy", "wallet.report": "buy"},
            "site": 1, "part": 0, "count": 1, "attempt": 0, "kind": "png", "what": "admit", "table": "days",
            "filename": "lading.css",
        }  # fmt: skip

    def path(self, rule):
        """Return a route's path with the objects' names in it."""
        area, name = rule.endpoint.rpartition(".")[::2]
        special = {"key": self.values["keys"].get(name.replace("block_transactions", "block"), self.values["sale"])}
        special["act"] = self.values["acts"].get(rule.endpoint, "revoke")
        if area == "explorer" and name in ("address", "balance"):
            special["key"] = self.people["buyer"].address
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str({**self.values, **special}[found[1]]), rule.rule)

    def epoch(self, who):
        """Return which of somebody's sessions are good: signing out is a route, too."""
        with self.world.parts.database.read() as session:
            return session.get(User, self.people[who].id).session_epoch

    def ask(self, who, rule, method):
        """Return the letter of what somebody gets there."""
        client = self.app.test_client()
        if who != "nobody":
            with client.session_transaction() as session:
                session["user"], session["epoch"] = self.people[who].id, self.epoch(who)
        body = {"json": {}} if rule.endpoint.startswith(("api.", "wallet")) and method == "POST" else {}
        answer = client.open(self.path(rule), method=method, buffered=False, **body)
        letter = outcome(answer)
        answer.close()
        return letter


@pytest.fixture
def cast(world):
    """All of them."""
    return Cast(world)


@pytest.mark.slow
@pytest.mark.row("T2", "T9")
def test_every_route_lets_in_whom_its_line_says_and_nobody_else(cast):
    """The matrix; a route without a line, or a line without a route, fails."""
    found = {name: "".join(cast.ask(who, rule, method) for who in PEOPLE) for name, rule, method in lines_of(cast.app)}
    wrong = {name: (letters, RULES.get(name)) for name, letters in found.items() if RULES.get(name) != letters}
    assert wrong == {}
    assert set(RULES) == set(found)


@pytest.mark.row("T2", "T9")
def test_an_auditor_changes_nothing():
    """By the table: of what changes something, only one's own sign-in, passphrase and tokens are an auditor's."""
    own = ("auth.", "bringing.", "tokens.", "account.", "wallet.challenge", "wallet.sign_in")
    place = PEOPLE.index("auditor")
    changing = {name: letters for name, letters in RULES.items() if name.endswith(" POST")}
    let_in = [name for name, letters in changing.items() if letters[place] == "."]
    assert [name for name in let_in if not name.startswith(own)] == []


@pytest.mark.row("T2", "T9")
def test_the_documentation_shows_the_whole_table():
    """What `python tests/webapp/matrix.py` prints stands in docs/operate.md."""
    assert as_table() in (ROOT / "docs/operate.md").read_text()
