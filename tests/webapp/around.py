"""What joint provisioning joins: cloud and gateway as processes, and a device's enrolment."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from conftest import World, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_account import Account

from contracts.registry import sign_consent
from webapp.cloud import Cloud, ask_socket, certificate_request
from webapp.errors import CloudError
from webapp.provisioning import Enrolment, Provisioning
from webapp.services import Services


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

        wait_for(serves, 200)

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

    def parts(self, world: World) -> Services:
        """The application's services, with this cloud and this gateway."""
        settings = world.parts.settings.model_copy(update={"home": self.home})
        (self.home / "web").mkdir(exist_ok=True)
        return replace(world.parts, settings=settings, cloud=Cloud(settings))

    def provisioning(self, world: World, said: list[str]) -> Provisioning:
        """As the operator does it."""
        return Provisioning(self.parts(world), world.people["operator"], world.keys["operator"], said.append)

    def stop(self) -> None:
        """Stop what was started."""
        for process in reversed(self.running):
            process.terminate()
            process.wait(30)
        shutil.rmtree(self.home)


def enrolment_of(world, thing, folder, device_id=0, device=None):
    """What `lading-pi enrol` prints, for a new chain key or this one."""
    device = device or Account.create()
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
