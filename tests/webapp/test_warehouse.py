"""The operator's pages: what needs a person, the log and its filters, signed commands, alarms taken notice of."""

import csv
import io
import time
from dataclasses import replace

import pytest
from conftest import wait_for
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from test_selling_and_buying import buy, contract_of, list_item

from tests.iot_cloud.devices import PahoDevice
from webapp.alarm_rules import DeviceFacts, Facts, Lie
from webapp.alarms import AlarmKeeper
from webapp.app import create_app
from webapp.cloud import Cloud
from webapp.command_trail import trail_of
from webapp.device_events import row_of
from webapp.device_log import insert_new
from webapp.device_models import AlarmRow, CommandRow, DeviceEvent
from webapp.gate_commands import NO_SALE, signer_of
from webapp.models import AuditRow, ThingRow
from webapp.people import Role, create_account
from webapp.readings import Readings, series_of

PASSPHRASE = "correct horse battery"
SALE = to_checksum_address("0x" + "ab" * 20)


@pytest.fixture
def app(world, cloud):
    """The application beside the real cloud."""
    settings = world.parts.settings.model_copy(update={"home": cloud.folder})
    world.parts.cloud.close()
    beside = Cloud(settings)
    world.parts = replace(world.parts, settings=settings, cloud=beside, readings=Readings(beside))
    made = create_app(settings, world.parts)
    made.testing = True
    yield made
    world.parts.cloud.close()


@pytest.fixture
def told(world, app):
    """A gate that has told much, and a foreign one."""
    parts, chain = world.parts, world.parts.chain.chain_id
    with parts.database.write() as session:
        for thing, site in (("gate-1", 1), ("foreign", 77)):
            facts = {"chain_id": chain, "device_id": 3, "site": site, "state": "provisioned", "updated_at": 0}
            session.add(ThingRow(thing=thing, steps={"device": world.people["other"].address}, **facts))
    for name, role in (("auditor", Role.AUDITOR), ("root", Role.ADMIN)):
        world.people[name] = create_account(parts.database, parts.unlocker, name=name, passphrase=PASSPHRASE, role=role)
    return world


def tell(world, thing="gate-1", **event):
    """Take an event in as the watcher does."""
    with world.parts.database.write() as session:
        told = {"id": 1, "received_at": time.time(), "event": {"at": time.time(), **event}}
        insert_new(session, [row_of(world.parts.chain.chain_id, thing, told)])


def commanded(world, thing="gate-1"):
    """The command that stands in a gate's shadow."""
    said = world.parts.cloud._get(f"/things/{thing}/shadow", name="operator") or {}
    return said.get("state", {}).get("desired", {}).get("command", {})


def case(world, **more):
    """A release that needs a person."""
    tell(world, event="release", sale=SALE, attempt=0, state="intent", by="open_wanted")
    tell(world, event="release", sale=SALE, attempt=0, state="case", by="unsure", detail="the gate is jammed", **more)


def test_the_log_is_filtered_and_paged_to_its_end(told, browser):
    """By gate, kind, sale, outcome, words and time; every row on exactly one page; a foreign gate's never."""
    for number in range(120):
        tell(
            told, event="scan", outcome="expired" if number % 2 else "no-code", says=f"words {number:03d}.", seq=number
        )
    tell(told, "foreign", event="scan", outcome="expired", says="not for this operator")
    operator, path, seen = browser("operator"), "/warehouse/log?kind=scan", []
    while path:
        page = operator.page(path)
        seen += [part.split(".")[0] for part in page.split("words ")[1:]]
        older = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0] if 'rel="next"' in page else ""
        path = "/warehouse/log" + older.replace("&amp;", "&") if older else ""
    assert seen == [f"{number:03d}" for number in reversed(range(120))]
    assert "not for this operator" not in operator.page("/warehouse/log?gate=foreign")
    assert operator.page("/warehouse/log?outcome=expired").count("Expired receipt") == 50 + 1  # and once in the form
    assert "words 042" in operator.page("/warehouse/log?q=WORDS+042")
    assert "words 042" not in operator.page("/warehouse/log?until=2020-01-01")
    assert "Nothing found" in operator.page(f"/warehouse/log?sale={SALE}")
    rows = list(csv.DictReader(io.StringIO(operator.page("/warehouse/log.csv?outcome=expired"))))
    assert len(rows) == 60
    assert {row["gate"] for row in rows} == {"gate-1"}


def test_a_csv_cell_is_no_formula(told, browser):
    """A device may tell anything; a spreadsheet runs none of it."""
    tell(told, event="scan", outcome="expired", says="=HYPERLINK(1)")
    assert "'=HYPERLINK(1)" in browser("operator").page("/warehouse/log.csv")


@pytest.mark.row("M11")
def test_a_case_stands_on_the_list_until_it_is_settled_by_signature(told, browser):
    """The list names it; the form's signed command goes to the gate once; the gate's word takes it off the list."""
    tell(told, event="release", state="case", by="nobody", sale="nonsense", attempt="x")
    case(told)
    operator = browser("operator")
    assert "Did the gate open?" in operator.page("/warehouse/tasks")
    assert "thing needs a person" in " ".join(operator.page("/warehouse").split()).replace("</strong>", "")
    path = f"/warehouse/gate-1/cases/{SALE}/0"
    page = operator.page(path)
    assert "the gate is jammed" in page
    wrong = operator.post(path, {"outcome": "opened", "reason": "", "passphrase": PASSPHRASE})
    assert (wrong.status_code, commanded(told).get("reason")) != (303, "")
    data = {**operator.tokens(page), "outcome": "opened", "reason": "shelf is empty", "passphrase": PASSPHRASE}
    assert [operator.client.post(path, data=data).status_code for _ in range(2)] == [303, 303]
    command = commanded(told)
    assert (command["kind"], command["sale"], command["reason"]) == ("opened", SALE, "shelf is empty")
    with told.parts.database.read() as session:
        [row] = session.scalars(select(CommandRow))
        assert signer_of(row) == told.people["operator"].address
    tell(told, event="release", sale=SALE, attempt=0, state="sensed", by="settled_opened")
    assert "Did the gate open?" not in operator.page("/warehouse/tasks")
    assert operator.client.get(path).status_code == 404


def test_a_gate_is_opened_by_hand_with_a_reason_and_signature(told, browser, monkeypatch):
    """Wrong passphrase, no reason, a foreign gate: nothing is sent. A cloud that is away: said, kept as not sent."""
    operator, path, before = browser("operator"), "/warehouse/gate-1/open", commanded(told)
    assert operator.post(path, {"reason": "fire drill", "passphrase": "wrong horse battery"}).status_code == 400
    assert operator.post(path, {"reason": "", "passphrase": PASSPHRASE}).status_code == 400
    assert operator.client.get("/warehouse/foreign/open").status_code == 404
    assert browser("auditor").client.get(path).status_code == 403
    assert commanded(told) == before
    assert operator.post(path, {"reason": "fire drill", "passphrase": PASSPHRASE}).status_code == 303
    command = commanded(told)
    assert (command["kind"], command["sale"], command["attempt"]) == ("open", NO_SALE, 0)
    assert command["before"] - time.time() <= 60
    told.parts.cloud.close()
    nowhere = told.parts.settings.model_copy(update={"cloud_url": "https://127.0.0.1:9"})
    page = operator.page(path)
    with monkeypatch.context() as away:
        away.setattr(told.parts.cloud, "_settings", nowhere)
        said = {"reason": "goods stuck", "passphrase": PASSPHRASE}
        answer = operator.client.post(path, data={**operator.tokens(page), **said})
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert "not sent" in operator.page("/warehouse/gate-1")
    with told.parts.database.read() as session:
        assert session.query(AuditRow).filter_by(action="gate-open").count() == 1
    stale = operator.client.post(path, data={**operator.tokens(page), **said})
    assert (stale.status_code, "was not sent" in stale.text) == (400, True)
    assert commanded(told) == command
    again = operator.client.post(path, data={**operator.tokens(answer.text), **said})
    assert (again.status_code, commanded(told)["reason"]) == (303, "goods stuck")


def test_a_form_that_gave_one_command_gives_no_other(told, browser):
    """The same again is one command and one line of the audit; another reason is refused and not written down."""
    operator, path = browser("operator"), "/warehouse/gate-1/open"
    data = {**operator.tokens(operator.page(path)), "reason": "fire drill", "passphrase": PASSPHRASE}
    assert [operator.client.post(path, data=data).status_code for _ in range(2)] == [303, 303]
    other = operator.client.post(path, data={**data, "reason": "goods stuck"})
    assert (other.status_code, "another command" in other.text) == (400, True)
    assert commanded(told)["reason"] == "fire drill"
    with told.parts.database.read() as session:
        assert [row.reason for row in session.scalars(select(CommandRow))] == ["fire drill"]
        assert session.query(AuditRow).filter_by(action="gate-open").count() == 1


@pytest.mark.row("M5")
def test_an_auditor_reconstructs_every_command_from_the_logs(told, browser):
    """Openings by receipt, orders by signature, by hand at the machine: each once, by what right, with its outcome."""
    operator, path = browser("operator"), "/warehouse/gate-1/open"
    assert operator.post(path, {"reason": "fire drill", "passphrase": PASSPHRASE}).status_code == 303
    command = commanded(told)
    tell(told, event="scan", sale=SALE, outcome="released")
    for state, by in (
        ("submitted", "ready"),
        ("consumed", "release_proven"),
        ("intent", "open_wanted"),
        ("sensed", "opened"),
    ):
        tell(told, event="release", sale=SALE, attempt=0, state=state, by=by)
    tell(
        told,
        event="order",
        outcome="done",
        **{name: command[name] for name in ("id", "kind", "sale", "attempt", "reason")},
    )
    tell(told, event="order", outcome="done", id="by-hand", kind="open", sale=NO_SALE, attempt=0, reason="key lost")
    tell(told, event="order", outcome="the gate is not locked", id="by-hand", kind="open", sale=NO_SALE, reason="again")
    trail = trail_of(told.parts.database, ["gate-1"]).commands
    assert [(one.kind, one.authority.name, one.reason, one.outcome, one.pulsed) for one in reversed(trail)] == [
        ("open", "VOUCHER", "", "sensed", True),
        ("open", "SIGNED", "fire drill", "done", True),
        ("open", "BY_HAND", "key lost", "done", True),
        ("open", "BY_HAND", "again", "the gate is not locked", False),
    ]
    page = browser("auditor").page("/audit/commands")
    assert ("signature holds" in page, "does not hold" in page) == (True, False)
    with told.parts.database.write() as session:
        session.scalars(select(CommandRow).where(CommandRow.id == command["id"])).one().reason = "something else"
    assert "does not hold" in browser("auditor").page("/audit/commands")
    assert trail_of(told.parts.database, ["gate-1"], most=2).older == trail[1].event_id


def test_an_alarm_begins_is_noticed_with_a_note_and_ends(told, browser):
    """Who, when, note; not twice; it ends by itself; a lie ends when somebody has taken notice of it."""
    keeper = AlarmKeeper(told.parts.settings, told.parts.database, told.parts.chain)
    jammed = Facts(
        now=100.0,
        devices=(DeviceFacts("gate-1", 1, gate="JAMMED"), DeviceFacts("foreign", 77, gate="JAMMED")),
        lies=(Lie("gate-1", 1, "two blocks at one height"),),
    )
    keeper.judge(jammed)
    keeper.judge(jammed)
    operator = browser("operator")
    page = operator.page("/warehouse/tasks")
    assert page.count("The gate of gate-1 is jammed") == 2  # once for the eye, once for the button's name
    assert "foreign" not in page
    assert "foreign" in browser("root").page("/warehouse/alarms")
    with told.parts.database.read() as session:
        ids = {(row.kind, row.subject): row.id for row in session.scalars(select(AlarmRow))}
    assert len(ids) == 3
    hidden = operator.tokens(page)
    for kind in ("gate-jammed", "node-lied"):
        data = {**hidden, "note": f"saw {kind}"}
        assert operator.client.post(f"/warehouse/alarms/{ids[kind, 'gate-1']}", data=data).status_code == 303
    assert "saw gate-jammed" in operator.page("/warehouse/tasks")
    operator.client.post(f"/warehouse/alarms/{ids['gate-jammed', 'gate-1']}", data={**hidden, "note": "again"})
    assert "taken notice of this alarm already" in operator.page("/warehouse/tasks")
    operator.client.post(f"/warehouse/alarms/{ids['gate-jammed', 'foreign']}", data=hidden)
    assert "There is no such alarm" in operator.page("/warehouse/tasks")
    auditor = browser("auditor")
    denied = auditor.client.post(
        f"/warehouse/alarms/{ids['gate-jammed', 'gate-1']}", data=auditor.tokens(auditor.page("/account"))
    )
    assert denied.status_code == 403
    keeper.judge(Facts(now=200.0))
    page = operator.page("/warehouse/alarms")
    assert "Nothing is out of order" in page
    assert "saw node-lied" in page
    with told.parts.database.read() as session:
        rows = {(row.kind, row.subject): row for row in session.scalars(select(AlarmRow))}
    assert rows["gate-jammed", "gate-1"].ended_at == 200.0
    assert rows["gate-jammed", "gate-1"].acknowledged_by == told.people["operator"].id


def test_facts_are_gathered_from_chain_devices_and_nodes(told):
    """A report of a lie counts until somebody took notice; an empty device is poor; a dead node is silent."""
    settings = told.parts.settings.model_copy(update={"rpc": (*told.parts.settings.rpc, "http://127.0.0.1:9")})
    keeper = AlarmKeeper(settings, told.parts.database, told.parts.chain)
    tell(told, event="alarm", kind="fork", message="two blocks at one height")
    facts = keeper.facts()
    assert [(lie.thing, lie.said) for lie in facts.lies] == [("gate-1", "two blocks at one height")]
    assert {device.thing: device.balance_wei for device in facts.devices}["gate-1"] == 1000 * 10**18
    assert [node.head is None for node in facts.nodes] == [False, True]
    assert facts.head_at is not None
    keeper.judge(facts)
    with told.parts.database.write() as session:
        row = session.scalars(select(AlarmRow).where(AlarmRow.kind == "node-lied")).one()
        row.acknowledged_at, row.acknowledged_by = int(time.time()) + 5, told.people["operator"].id
    assert keeper.facts().lies == ()


@pytest.mark.row("M18")
def test_who_reads_private_data_is_written_down(told, browser):
    """The buyer's own reading is nobody's business; the seller's, the operator's and the auditor's are named."""
    sale = f"{told.parts.chain.chain_id}/{contract_of(told, browser, list_item(told, browser))}"
    buy(told, browser, sale.rsplit("/", 1)[1])
    for who in ("buyer", "other", ""):
        browser(who).page(f"/sales/{sale}")
    with told.parts.database.read() as session:
        assert session.query(AuditRow).filter_by(action="read-buyer").count() == 0
    for who in ("seller", "operator", "auditor"):
        browser(who).page(f"/sales/{sale}")
    browser("operator").page("/warehouse")
    page = browser("auditor").page("/audit")
    for who in ("seller", "operator", "auditor"):
        assert f"<td>{who}</td>" in page
    assert sale.rsplit("/", 1)[1] in page
    assert "read-pickups" in page
    assert "read-pickups" not in browser("auditor").page("/audit?action=read-buyer").split("<tbody>")[1]
    assert browser("operator").client.get("/audit").status_code == 403


def test_the_audit_log_is_paged_to_its_end(told, browser):
    """Every row on exactly one page."""
    with told.parts.database.write() as session:
        session.add_all(AuditRow(user_id=None, action="made-up", subject=f"no-{n:03d}", detail="") for n in range(130))
    auditor, path, seen = browser("auditor"), "/audit?action=made-up", []
    while path:
        page = auditor.page(path)
        seen += [part[:3] for part in page.split("no-")[1:] if part[:3].isdigit()]
        path = (
            "/audit" + page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
            if 'rel="next"' in page
            else ""
        )
    assert seen == [f"{number:03d}" for number in reversed(range(130))]


@pytest.mark.row("M14")
def test_whatever_a_sensor_measures_is_drawn(told, browser, cloud):
    """Every sensor tells through one form, sensor, time, value and unit, and has its chart; one unheard of as well."""
    device = PahoDevice("gate-1", cloud.provision("gate-1")).online()
    for sensor, unit in (("temperature", "°C"), ("door-shake", "g")):
        for seq in range(3):
            reading = {"sensor": sensor, "seq": seq, "at": 1_800_000_000 + 60 * seq, "value": 1.5 * seq, "unit": unit}
            device.publish("lading/gate-1/readings", reading)
    operator, path = browser("operator"), "/warehouse/gate-1/readings"
    page = wait_for(lambda: (found := operator.page(path)).count("3 readings") == 2 and found)
    assert "temperature: <strong>3 °C</strong>" in page
    assert "door-shake: <strong>3 g</strong>" in page
    assert "[[1800000000.0, 1800000060.0, 1800000120.0], [0.0, 1.5, 3.0]]" in page
    assert operator.client.get("/warehouse/foreign/readings").status_code == 404
    device.close()


@given(st.lists(st.tuples(st.floats(1, 1e9), st.floats(-1e6, 1e6)), min_size=1, max_size=3_000))
def test_a_thinned_chart_keeps_its_extremes(points):
    """However many readings: few points, in the order of time, with the lowest, the highest and the newest."""
    rows = [{"sensor": "s", "at": at, "value": value, "unit": "u"} for at, value in [*points, (1e300, 9e9), (-1, 9e9)]]
    [series] = series_of(rows, 400)
    assert len(series.times) <= 402
    assert series.times == sorted(series.times)
    values = [value for _, value in points]
    assert (min(series.values), max(series.values)) == (min(values), max(values))
    assert series.times[-1] == max(at for at, _ in points)


def test_help_is_for_everybody(browser):
    """Every accident has its steps."""
    for who in ("", "buyer", "operator"):
        page = browser(who).page("/help")
        for anchor in ("passphrase", "receipt", "never-came", "damaged", "device", "seller", "case"):
            assert f'id="{anchor}"' in page


def test_events_are_kept_whatever_a_device_tells():
    """No event is too odd for a row: other types, huge numbers, NUL, a kind that would imitate the gate's own."""
    odd = [
        {},
        {"event": 7, "at": "soon", "sale": 12, "attempt": -1, "outcome": ["x"], "says": {"a": 1}},
        {"event": "gate", "outcome": "OPEN"},
        {"event": "scan", "at": float("inf"), "outcome": "x" * 500, "says": "a\0b", "detail": "\0"},
        {"event": "scan", "at": 1_800_000_000_000, "sale": SALE.lower(), "attempt": True},
    ]
    rows = [row_of(1, "gate-1", {"id": n, "received_at": 5.0, "event": event}) for n, event in enumerate(odd)]
    assert len({row["digest"] for row in rows}) == len(odd)
    assert [row["kind"] for row in rows] == ["event", "event", "event", "scan", "scan"]
    assert [row["at"] for row in rows] == [5.0, 5.0, 5.0, 5.0, 1_800_000_000.0]
    assert rows[4]["sale"] == "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"
    assert all("\0" not in str(row["reason"]) + str(row["body"]) for row in rows)
    assert DeviceEvent.__table__.c.outcome.type.length == 64
