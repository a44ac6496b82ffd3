"""A device is provisioned in cloud, gateway and chain together, goes on where it stopped, and ends everywhere."""

import itertools
import json
import os
import signal
import time
from dataclasses import replace
from io import BytesIO
from multiprocessing import get_context

import httpx
import pytest
from around import Around, enrolment_of
from conftest import PASSPHRASE, Browser, wait_for
from cryptography.x509 import load_pem_x509_certificate
from eth_account import Account
from sqlalchemy import select

from iot_client.identity.enrolment import Request, accept_bundle, default_until, enrol
from iot_client.identity.keys import load_x509_key, public_key_hash
from iot_cloud.connection import Endpoint, tls_context
from tests.iot_cloud.devices import PahoDevice
from webapp.app import create_app
from webapp.errors import GatewayError, InvalidInput, Refused, SettingsError
from webapp.gates import Gates
from webapp.models import ThingRow, Transaction
from webapp.outbox import Outbox, State
from webapp.patient_sender import PatientSender
from webapp.provisioning import Enrolment, Provisioning
from webapp.services import Services


@pytest.fixture(scope="module")
def around(anvil):
    """The cloud at first; the gateway comes later, as an interruption has it."""
    made = Around(anvil)
    made.start("iot_cloud", "cloud")
    yield made
    made.stop()


@pytest.fixture
def complete(around):
    """Cloud and gateway both."""
    if not (around.home / "gateway" / "ready.json").exists():
        around.start_gateway()
    return around


@pytest.mark.slow
@pytest.mark.row("I6")
@pytest.mark.row("N1")
def test_a_device_s_life(world, around, tmp_path):
    """Interrupted between cloud and gateway, resumed, rotated, revoked; a stranger's name is refused."""
    said: list[str] = []
    parts, provisioning = around.parts(world), around.provisioning(world, said)
    enrolment = enrolment_of(world, "gate-1", tmp_path)
    with pytest.raises(GatewayError, match="is its process running"):
        provisioning.provision(enrolment)
    assert parts.chain.registry.id_of(enrolment.device) == 0
    around.start_gateway()
    bundle = provisioning.provision(enrolment)
    assert "cloud: done before" in said
    device = parts.chain.registry.device(bundle["device_id"])
    assert (device.address, device.site, device.active) == (enrolment.device, 1, True)
    assert parts.chain.registry.certificate_of(device.id).hex() == enrolment.certificate[2:]
    assert parts.chain.balance(enrolment.device) == 10**18
    assert bundle["chain_url"].startswith("https://127.0.0.1:")
    assert provisioning.provision(enrolment) == bundle

    with pytest.raises(Refused, match="already another device"):
        provisioning.provision(enrolment_of(world, "gate-1", tmp_path))
    gate = Gates(parts.database).look("gate-1")
    assert (gate.state, gate.words, gate.trouble) == (None, "Unknown", "Nothing was heard of this gate yet.")

    renewed = enrolment_of(world, "gate-1", tmp_path, device.id)
    assert provisioning.rotate(renewed)["device_id"] == device.id
    assert parts.chain.registry.device(device.id).address == renewed.device
    assert provisioning.rotate(renewed)["device_id"] == device.id

    provisioning.revoke("gate-1")
    provisioning.revoke("gate-1")
    assert not parts.chain.registry.device(device.id).active
    admitted = httpx.Client(transport=httpx.HTTPTransport(uds=str(around.home / "gateway" / "admin.sock")))
    with admitted:
        assert "gate-1" not in admitted.get("http://localhost/devices").text
    with parts.database.read() as session:
        assert session.get(ThingRow, "gate-1").state == "revoked"


POINTS = 10
"""How many effects a provisioning has: answers, journal entries, transactions sent, transactions settled."""


def killed_at(world, around, enrolment, point, action="provision"):
    """Provision (or rotate) in a process of its own that is killed right after its `point`th effect; whether it was."""
    settings = around.parts(world).settings

    def carry_out():
        counter = itertools.count(1)

        def deadly(function):
            def called(*arguments):
                result = function(*arguments)
                if next(counter) == point:
                    os.kill(os.getpid(), signal.SIGKILL)
                return result

            return called

        for owner, name in (
            (Provisioning, "_certificate"),
            (Provisioning, "_admission"),
            (Provisioning, "_save"),
            (Outbox, "submit"),
            (PatientSender, "_wait"),
        ):
            setattr(owner, name, deadly(getattr(owner, name)))
        services = replace(Services.open(world.parts.settings), settings=settings)
        provisioning = Provisioning(services, world.people["operator"], world.keys["operator"], lambda _text: None)
        getattr(provisioning, action)(enrolment)

    process = get_context("fork").Process(target=carry_out)
    process.start()
    process.join()
    return process.exitcode == -signal.SIGKILL


def traces(world, around, enrolment):
    """Where a device is known: chain, cloud, gateway."""
    registry = world.parts.chain.registry
    device_id = registry.id_of(enrolment.device)
    found = {"chain"} if device_id and registry.device(device_id).active else set()
    for name in ("cloud", "gateway"):
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(around.home / name / "admin.sock"))) as client:
            listed = client.get("http://localhost" + {"cloud": "/things", "gateway": "/devices"}[name]).text
            found |= {name} if f'"{enrolment.thing}"' in listed else set()
    return found


AMID = [2, 4, 6, 7, 8]
"""Something was done that the journal does not know yet."""
SENT = 6
"""The point right after which the transactions were sent."""
EVERY = [point if point in AMID else pytest.param(point, marks=pytest.mark.long) for point in range(1, POINTS + 1)]


@pytest.mark.slow
@pytest.mark.row("I6")
@pytest.mark.parametrize("point", EVERY)
def test_killed_anywhere_it_is_resumed(world, complete, tmp_path, point):
    """After SIGKILL at each step a repetition completes it."""
    enrolment = enrolment_of(world, f"resumed-{point}", tmp_path)
    assert killed_at(world, complete, enrolment, point)
    bundle = complete.provisioning(world, []).provision(enrolment)
    assert world.parts.chain.registry.device(bundle["device_id"]).address == enrolment.device
    assert world.parts.chain.balance(enrolment.device) == 10**18
    assert traces(world, complete, enrolment) == {"chain", "cloud", "gateway"}


@pytest.mark.slow
@pytest.mark.row("I6")
@pytest.mark.parametrize("point", EVERY)
def test_killed_anywhere_it_is_undone(world, complete, tmp_path, point):
    """After SIGKILL at each step a revocation leaves nothing of it."""
    enrolment = enrolment_of(world, f"undone-{point}", tmp_path)
    assert killed_at(world, complete, enrolment, point)
    complete.provisioning(world, []).revoke(enrolment.thing)
    assert traces(world, complete, enrolment) == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    "point",
    [point if point in {2, 6} else pytest.param(point, marks=pytest.mark.long) for point in range(1, POINTS + 1)],
)
def test_a_rotation_killed_anywhere_is_completed(world, complete, tmp_path, point):
    """After SIGKILL at each step a repetition gives the device its new keys, and the old address is nobody's."""
    thing, registry = f"rotated-{point}", world.parts.chain.registry
    provisioning = complete.provisioning(world, [])
    old = enrolment_of(world, thing, tmp_path)
    device_id = provisioning.provision(old)["device_id"]
    new = enrolment_of(world, thing, tmp_path, device_id)
    assert killed_at(world, complete, new, point, "rotate")
    assert provisioning.rotate(new)["device_id"] == device_id
    assert registry.device(device_id).address == new.device
    assert registry.certificate_of(device_id).hex() == new.certificate[2:]
    assert traces(world, complete, new) == {"chain", "cloud", "gateway"}


def test_who_cannot_pay_for_all_sends_nothing_and_repeats(world, complete, tmp_path):
    """A rotation with its balance is one errand: half of it would be taken for all of it ever after."""
    provisioning, node = complete.provisioning(world, []), world.parts.chain.node
    device_id = provisioning.provision(enrolment_of(world, "poor", tmp_path))["device_id"]
    new = enrolment_of(world, "poor", tmp_path, device_id)
    operator = world.people["operator"].address
    had = node.call("eth_getBalance", operator, "latest")
    node.call("anvil_setBalance", operator, hex(10**18 // 2))
    with pytest.raises(Refused, match=r"holds 0\.5"):
        provisioning.rotate(new)
    assert world.parts.chain.registry.id_of(new.device) == 0
    node.call("anvil_setBalance", operator, had)
    assert provisioning.rotate(new)["device_id"] == device_id
    assert world.parts.chain.balance(new.device) == 10**18


@pytest.mark.parametrize("action", ["provision", "rotate"])
def test_a_balance_that_is_refused_all_the_same_comes_with_the_repetition(world, complete, tmp_path, action):
    """The registration is mined, the payment is not taken: a repetition pays, and pays once."""
    provisioning, node = complete.provisioning(world, []), world.parts.chain.node
    enrolment = enrolment_of(world, f"unpaid-{action}", tmp_path)
    if action == "rotate":
        device_id = provisioning.provision(enrolment)["device_id"]
        enrolment = enrolment_of(world, f"unpaid-{action}", tmp_path, device_id)
    node.call("evm_setAutomine", False)
    try:
        assert killed_at(world, complete, enrolment, SENT, action)
        with world.parts.database.write() as session:
            row = session.scalars(
                select(Transaction).where(Transaction.state == State.SENT).order_by(Transaction.nonce)
            ).all()[-1]
            assert row.purpose == "fund"
            node.call("anvil_dropTransaction", row.hash)
            row.state, row.error = State.REFUSED, "The node refused it. Nothing was sent."
        node.call("evm_mine")
    finally:
        node.call("evm_setAutomine", True)
    getattr(provisioning, action)(enrolment)
    assert world.parts.chain.balance(enrolment.device) == 10**18


def test_a_balance_that_is_still_on_its_way_is_not_paid_twice(world, complete, tmp_path):
    """The registration is mined, the payment waits: a repetition waits for it."""
    node, enrolment = world.parts.chain.node, enrolment_of(world, "late", tmp_path)
    node.call("evm_setAutomine", False)
    try:
        assert killed_at(world, complete, enrolment, SENT)
        with world.parts.database.read() as session:
            paid = session.scalars(select(Transaction.hash).where(Transaction.purpose == "fund")).one()
        node.call("anvil_dropTransaction", paid)
        node.call("evm_mine")
    finally:
        node.call("evm_setAutomine", True)
    complete.provisioning(world, []).provision(enrolment)
    assert world.parts.chain.balance(enrolment.device) == 10**18


@pytest.mark.slow
@pytest.mark.long
def test_there_are_no_further_steps_to_be_killed_at(world, complete, tmp_path):
    """Whoever adds one is told to add its number."""
    assert not killed_at(world, complete, enrolment_of(world, "whole", tmp_path), POINTS + 1)


@pytest.mark.slow
@pytest.mark.row("I6")
@pytest.mark.row("I8")
@pytest.mark.row("N6")
def test_revocation_ends_open_sessions_everywhere(world, complete, tmp_path):
    """A device with open connections to broker, data plane and gateway is off all of them, and off the chain."""
    provisioning = complete.provisioning(world, [])
    bundle = provisioning.provision(enrolment_of(world, "lost", tmp_path))
    (tmp_path / "lost.pem").write_text(bundle["certificate"])
    (tmp_path / "ca.pem").write_text(bundle["ca"])
    endpoint = Endpoint(
        bundle["iot_host"], bundle["iot_port"], tmp_path / "ca.pem", tmp_path / "lost.pem", tmp_path / "lost-0.key"
    )
    cloud_http = json.loads((complete.home / "cloud" / "ready.json").read_text())["http"]
    question = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    device = PahoDevice("lost", endpoint).online()
    with httpx.Client(verify=tls_context(endpoint)) as client:

        def answers():
            return (
                client.post(bundle["chain_url"], json=question).status_code,
                client.post(f"{cloud_http}/things/lost/shadow", content=b'{"state": {}}').status_code,
            )

        assert answers() == (200, 200)
        began = time.monotonic()
        provisioning.revoke("lost")
        wait_for(lambda: not device.connected.is_set())
        at_gateway, in_cloud = answers()
        taken = time.monotonic() - began
        print(f"revoked on chain, at the gateway and in the cloud after {taken:.2f} s")
    assert (at_gateway in {401, 403}, in_cloud) == (True, 403), (at_gateway, in_cloud)
    assert not world.parts.chain.registry.device(bundle["device_id"]).active
    assert not device.connected.is_set()
    device.close()


def test_a_part_that_is_down_does_not_keep_the_others(world, complete, tmp_path):
    """The gateway unreachable: cloud and chain still end the device, the error is said, a repetition ends it."""
    provisioning = complete.provisioning(world, [])
    enrolment = enrolment_of(world, "half", tmp_path)
    provisioning.provision(enrolment)
    socket = complete.home / "gateway" / "admin.sock"
    away = socket.rename(socket.with_suffix(".away"))
    with pytest.raises(GatewayError, match="is its process running"):
        provisioning.revoke("half")
    away.rename(socket)
    assert traces(world, complete, enrolment) == {"gateway"}
    provisioning.revoke("half")
    assert traces(world, complete, enrolment) == set()
    (tmp_path / "half-0.key").unlink()  # a revoked key gets no certificate again
    provisioning.provision(again := enrolment_of(world, "half", tmp_path))
    assert traces(world, complete, again) == {"chain", "cloud", "gateway"}


class Operator:
    """The operator's browser before the application beside cloud and gateway."""

    def __init__(self, world, complete):
        self.parts = complete.parts(world)
        app = create_app(self.parts.settings, self.parts)
        app.testing = True
        self.browser = Browser(app.test_client()).sign_in("operator")
        self.page = self.browser.page

    def send(self, path, page, enrolment=None):
        """Send the form of a page, with an enrolment file where there is one."""
        data = {**self.browser.tokens(self.page(page)), "passphrase": PASSPHRASE}
        if enrolment is not None:
            content = enrolment if isinstance(enrolment, bytes) else enrolment.model_dump_json().encode()
            data["enrolment"] = (BytesIO(content), "enrolment.json")
        return self.browser.client.post(path, data=data)

    def close(self):
        """Give the connections back."""
        self.parts.cloud.close()


@pytest.mark.slow
@pytest.mark.row("I6")
@pytest.mark.row("N4")
def test_a_device_s_life_on_the_pages(world, complete, tmp_path):
    """Uploaded, journalled step by step, the bundle taken once, renewed, decommissioned; the life is read back."""
    operator, thing = Operator(world, complete), "paged"
    registry = world.parts.chain.registry
    path, enrolment = f"/warehouse/devices/{thing}", enrolment_of(world, "paged", tmp_path)
    node = world.parts.chain.node
    node.call("evm_setAutomine", False)
    try:
        assert operator.send("/warehouse/devices/new", "/warehouse/devices/new", enrolment).status_code == 303
        assert "On its way" in operator.page(path)
        assert operator.send(f"{path}/bundle", path).status_code == 303  # not ready
        node.call("evm_mine")
    finally:
        node.call("evm_setAutomine", True)
    world.settle()
    page = operator.page(path)
    assert page.count('<li class="done">') == 5
    device = registry.device(registry.id_of(enrolment.device))
    assert (device.active, world.parts.chain.balance(enrolment.device)) == (True, 10**18)
    taken = operator.send(f"{path}/bundle", path)
    bundle = json.loads(taken.text)
    assert (bundle["device_id"], bundle["thing"], bundle["operator"]) == (device.id, thing, enrolment.operator)
    assert bundle["certificate"].startswith("-----BEGIN")
    assert operator.send(f"{path}/bundle", path).status_code == 303
    assert "taken already" in operator.page(path)
    operator.send(f"{path}/offer", path)
    assert operator.send(f"{path}/bundle", path).status_code == 200
    assert operator.send("/warehouse/devices/new", "/warehouse/devices/new", enrolment).status_code == 303  # as it was
    assert operator.send("/warehouse/devices/new", "/warehouse/devices/new", b"{}").status_code == 400

    renewed = enrolment_of(world, thing, tmp_path, device.id)
    assert operator.send(f"{path}/rotate", path, renewed).status_code == 303
    world.settle()
    assert operator.page(path).count('<li class="done">') == 5
    assert registry.device(device.id).address == renewed.device

    assert operator.send(f"{path}/revoke", path).status_code == 303
    world.settle()
    page = operator.page(path)
    assert not registry.device(device.id).active
    assert traces(world, complete, renewed) == set()
    for name in ("Provisioned", "Rotated", "Decommissioned"):
        assert f"<strong>{name}</strong>" in page
    operator.close()


def test_a_renewal_that_keeps_the_address_is_registered(world, complete, tmp_path):
    """By the page as by command: the registry knows the new certificate, whoever has the address already."""
    registry, account = world.parts.chain.registry, Account.create()
    device_id = complete.provisioning(world, []).provision(enrolment_of(world, "kept", tmp_path, device=account))[
        "device_id"
    ]
    operator = Operator(world, complete)
    renewed = enrolment_of(world, "kept", tmp_path, device_id, account)
    assert operator.send("/warehouse/devices/kept/rotate", "/warehouse/devices/kept", renewed).status_code == 303
    world.settle()
    assert operator.page("/warehouse/devices/kept").count('<li class="done">') == 5
    assert registry.certificate_of(device_id).hex() == renewed.certificate[2:]
    operator.close()


def asked_by_pi(world, thing, folder, device_id=0):
    """What `lading-pi enrol` prints on the device itself."""
    registry, operator = world.deployment.registry, world.people["operator"].address
    request = Request(thing, 1, operator, world.parts.chain.chain_id, registry, default_until(), device_id)
    return Enrolment.model_validate(enrol(folder, request))


def test_the_device_renews_by_its_own_command(world, complete, tmp_path):
    """Enrolled, renewed and renewed again: each time the cloud takes its key, and the registry has it."""
    provisioning, registry = complete.provisioning(world, []), world.parts.chain.registry
    bundle = provisioning.provision(asked_by_pi(world, "own", tmp_path))
    accept_bundle(tmp_path, bundle)
    for _ in range(2):
        renewal = asked_by_pi(world, "own", tmp_path, bundle["device_id"])
        accept_bundle(tmp_path, provisioning.rotate(renewal))
        key = load_x509_key(tmp_path / "x509.key").public_key()
        assert registry.certificate_of(bundle["device_id"]) == public_key_hash(key)
        assert load_pem_x509_certificate((tmp_path / "certificate.pem").read_bytes()).public_key() == key
    assert traces(world, complete, renewal) == {"chain", "cloud", "gateway"}


def test_a_renewal_that_the_cloud_would_not_take_revokes_nothing(world, complete, tmp_path):
    """No certificate is asked for, or one for the key that goes: the present one stays good."""
    provisioning = complete.provisioning(world, [])
    first = asked_by_pi(world, "stays", tmp_path)
    device_id = provisioning.provision(first)["device_id"]
    renewal = asked_by_pi(world, "stays", tmp_path, device_id)
    with pytest.raises(InvalidInput, match="asks for no certificate"):
        provisioning.rotate(renewal.model_copy(update={"csr": "nonsense"}))
    with pytest.raises(Refused, match=r"kept its X\.509 key"):
        provisioning.rotate(renewal.model_copy(update={"csr": first.csr, "device": "0x" + "12" * 20}))
    assert traces(world, complete, first) == {"chain", "cloud", "gateway"}
    assert provisioning.rotate(renewal)["device_id"] == device_id


def test_what_is_no_enrolment_changes_nothing(world, complete, tmp_path):
    """Another's site, another operator's consent, odd names and hexadecimals, a renewal where a new device belongs."""
    operator, good = Operator(world, complete), enrolment_of(world, "odd", tmp_path)
    odd = [
        ({"site": 77}, "not yours"),
        ({"operator": world.people["other"].address}, "consented to operator"),
        ({"thing": "../x"}, "letters, digits"),
        ({"thing": "devices"}, "letters, digits"),
        ({"consent": "0xzz"}, "hexadecimal"),
        ({"id": 5}, "renews a device"),
    ]
    for changes, words in odd:
        answer = operator.send("/warehouse/devices/new", "/warehouse/devices/new", good.model_copy(update=changes))
        assert (answer.status_code, words in answer.text) == (400, True), (changes, answer.text)
    for content in (b"", b"[]", b"\xff", b"{" * 70_000):
        assert operator.send("/warehouse/devices/new", "/warehouse/devices/new", content).status_code == 400
    assert traces(world, complete, good) == set()
    operator.close()


@pytest.mark.slow
def test_the_bundle_names_the_company_s_authority(world, complete, tmp_path):
    """A gateway with a company's certificate is known by its `gateway_ca`; a wrong file is refused before any step."""
    company, enrolment = tmp_path / "company.pem", enrolment_of(world, "company", tmp_path)
    parts = complete.parts(world)
    parts = replace(parts, settings=parts.settings.model_copy(update={"gateway_ca": company}))
    provisioning = Provisioning(parts, world.people["operator"], world.keys["operator"], lambda _text: None)
    for content in (None, "", "no certificate"):
        if content is not None:
            company.write_text(content)
        with pytest.raises(SettingsError, match=r"company\.pem is no file of PEM certificates"):
            provisioning.provision(enrolment)
    assert traces(world, complete, enrolment) == set()
    company.write_text("Company root\n" + (complete.home / "cloud" / "ca" / "ca.pem").read_text())
    bundle = provisioning.provision(enrolment)
    assert bundle["gateway_ca"] == company.read_text() != bundle["ca"]


def test_another_operator_s_device_is_not_provisioned(world, tmp_path):
    """The device consented to somebody else: refused before anything is asked."""
    enrolment = enrolment_of(world, "gate-9", tmp_path)
    provisioning = Provisioning(world.parts, world.people["seller"], world.keys["seller"], lambda _text: None)
    with pytest.raises(Refused, match="consented to operator"):
        provisioning.provision(enrolment)
