"""A device is provisioned in cloud, gateway and chain together, goes on where it stopped, and ends everywhere."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from conftest import wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_account import Account

from contracts.registry import sign_consent
from webapp.cloud import Cloud, ask_socket, certificate_request
from webapp.errors import CloudError, GatewayError, Refused
from webapp.gates import Gates
from webapp.models import ThingRow
from webapp.provisioning import Enrolment, Provisioning


class Around:
    """Cloud and gateway as processes in one short run folder."""

    def __init__(self, rpc: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="lw", dir="/tmp"))
        self.rpc = rpc
        self.environment = {
            **os.environ,
            "LADING_HOME": str(self.home),
            "LADING_CONFIG": str(self.home / "lading.toml"),
            "LADING_CLOUD_MQTT_PORT": "0",
            "LADING_CLOUD_HTTP_PORT": "0",
            "LADING_GATEWAY_DEVICES_PORT": "0",
            "LADING_GATEWAY_WALLETS_PORT": "0",
            "LADING_GATEWAY_UPSTREAMS": json.dumps([rpc]),
        }
        (self.home / "lading.toml").touch()
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, module: str, process: str) -> None:
        """Start one and wait until it serves."""
        log = self.home / f"{process}.out"
        command = ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", module, "up"]
        with log.open("wb") as out:
            started = subprocess.Popen(command, env=self.environment, stdout=out, stderr=out)
        self.running.append(started)

        def serves() -> bool:
            assert started.poll() is None, log.read_text()
            return (self.home / process / "ready.json").exists()

        wait_for(serves)

    def start_gateway(self) -> None:
        """Give the gateway a certificate of the cloud's authority and start it."""
        folder = self.home / "gateway"
        folder.mkdir(mode=0o700)
        request = {
            "name": "gateway",
            "hosts": ["127.0.0.1"],
            "csr": certificate_request(folder / "server.key", "gateway"),
        }
        answer = ask_socket(self.home / "cloud" / "admin.sock", "POST", "/servers", request, CloudError)
        (folder / "server.pem").write_text(answer["certificate"])
        (folder / "selectors.json").write_text(json.dumps(["0x8f32d59b"]))
        self.start("proxy", "gateway")

    def stop(self) -> None:
        """Stop what was started."""
        for process in reversed(self.running):
            process.terminate()
            process.wait(30)
        shutil.rmtree(self.home)


@pytest.fixture(scope="module")
def around(anvil):
    """The cloud at first; the gateway comes later, as an interruption has it."""
    made = Around(anvil)
    made.start("iot_cloud", "cloud")
    yield made
    made.stop()


def enrolment_of(world, thing, folder, device_id=0):
    """What `lading-pi enrol` prints."""
    device = Account.create()
    csr = certificate_request(folder / f"{thing}-{device_id}.key", thing)
    public = x509.load_pem_x509_csr(csr.encode()).public_key()
    hasher = hashes.Hash(hashes.SHA256())
    hasher.update(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    digest = hasher.finalize()
    facts = {"site": 1, "until": 2_000_000_000, "operator": world.people["operator"].address}
    registry = world.deployment.registry
    consent = sign_consent(
        device,
        chain_id=world.parts.chain.chain_id,
        registry=registry,
        device_id=device_id,
        certificate=digest,
        **facts,
    )
    return Enrolment(
        thing=thing,
        csr=csr,
        device=device.address,
        certificate="0x" + digest.hex(),
        consent="0x" + consent.hex(),
        id=device_id,
        **facts,
    )


@pytest.mark.slow
@pytest.mark.row("I6")
@pytest.mark.row("N1")
def test_a_device_s_life(world, around, tmp_path):
    """Interrupted between cloud and gateway, resumed, rotated, revoked; a stranger's name is refused."""
    settings = world.parts.settings.model_copy(update={"home": around.home})
    parts = replace(world.parts, settings=settings, cloud=Cloud(settings))
    (around.home / "web").mkdir(exist_ok=True)
    said: list[str] = []
    provisioning = Provisioning(parts, world.people["operator"], world.keys["operator"], said.append)
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
    gate = Gates(parts.cloud).look("gate-1")
    assert (gate.state, gate.words, gate.trouble) == (None, "Unknown", "")
    parts.cloud.close()

    renewed = enrolment_of(world, "gate-1", tmp_path, device.id)
    assert provisioning.rotate(renewed)["device_id"] == device.id
    assert parts.chain.registry.device(device.id).address == renewed.device

    provisioning.revoke("gate-1")
    provisioning.revoke("gate-1")
    assert not parts.chain.registry.device(device.id).active
    admitted = httpx.Client(transport=httpx.HTTPTransport(uds=str(around.home / "gateway" / "admin.sock")))
    with admitted:
        assert "gate-1" not in admitted.get("http://localhost/devices").text
    with parts.database.read() as session:
        assert session.get(ThingRow, "gate-1").state == "revoked"


def test_another_operator_s_device_is_not_provisioned(world, tmp_path):
    """The device consented to somebody else: refused before anything is asked."""
    enrolment = enrolment_of(world, "gate-9", tmp_path)
    provisioning = Provisioning(world.parts, world.people["seller"], world.keys["seller"], lambda _text: None)
    with pytest.raises(Refused, match="consented to operator"):
        provisioning.provision(enrolment)
