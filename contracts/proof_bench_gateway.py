"""The gateway before the network that is measured on: TLS, a device's certificate, its filter; as a door has it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from web3 import Web3

from contracts.abi import selectors
from contracts.chain import connect
from contracts.proof_bench_chain import await_ready

THING = "bench"


@contextmanager
def gateway(folder: Path, node: str) -> Iterator[Web3]:
    """A `Web3` through a gateway of its own in this run folder, to a node, by a device's certificate."""
    settings = {
        "LADING_HOME": folder, "LADING_CLOUD_MQTT_PORT": 0, "LADING_CLOUD_HTTP_PORT": 0,
        "LADING_GATEWAY_UPSTREAMS": json.dumps([node]), "LADING_GATEWAY_DEVICES_PORT": 0,
        "LADING_GATEWAY_WALLETS_PORT": 0, "LADING_GATEWAY_DEVICE_RATE": 10_000, "LADING_GATEWAY_DEVICE_BURST": 10_000,
    }  # fmt: skip
    environment = os.environ | {name: str(value) for name, value in settings.items()}
    with ExitStack() as stack:
        stack.enter_context(_serving("iot_cloud", folder, "cloud", environment))
        _prepare(folder, environment)
        stack.enter_context(_serving("proxy", folder, "gateway", environment))
        certificate, key = folder / "device" / f"{THING}.pem", folder / "device" / f"{THING}.key"
        serial = x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number
        _run(environment, "proxy", "device", "add", THING, f"{serial:x}")
        ready = json.loads((folder / "gateway" / "ready.json").read_text())
        yield connect(ready["devices"], cert=(str(certificate), str(key)), verify=str(folder / "cloud/ca/ca.pem"))


def _prepare(folder: Path, environment: dict[str, str]) -> None:
    own = folder / "gateway"
    own.mkdir(mode=0o700)
    (own / "selectors.json").write_text(json.dumps(selectors()))
    (own / "server.csr").write_bytes(_request(own / "server.key"))
    server = ("server-certificate", "server", "--csr", str(own / "server.csr"), "--host", "127.0.0.1")
    _run(environment, "iot_cloud", *server, "--out", str(own))
    _run(environment, "iot_cloud", "provision", THING, "--demo-key", "--out", str(folder / "device"))


def _request(key_file: Path) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    key_file.touch(mode=0o600)
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM)


def _run(environment: dict[str, str], module: str, *arguments: str) -> None:
    command = [sys.executable, "-m", module, *arguments]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _serving(module: str, folder: Path, name: str, environment: dict[str, str]) -> Iterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        command = ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", module, "up"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        await_ready(folder / name / "ready.json", process, folder / f"{name}.log")
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
