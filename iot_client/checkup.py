"""Looks at everything that the Pi needs and says what to do about what is not well."""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from contracts.deployment import load_deployments
from contracts.errors import LadingError
from contracts.registry import DeviceRegistry
from iot_client.chain.node import Node, reach
from iot_client.errors import PiError
from iot_client.identity.keys import load_chain_key, load_x509_key, public_key_hash
from iot_client.settings import PiSettings

RENEW_DAYS = 30


@dataclass(frozen=True)
class Finding:
    """One part, whether it is well, and a sentence."""

    part: str
    well: bool
    says: str


def check_up(settings: PiSettings) -> list[Finding]:
    """Every finding; nothing is sent but questions."""
    checks: list[tuple[str, Callable[[PiSettings], str]]] = [
        ("chain key", _chain_key),
        ("certificate", _certificate),
        ("deployments", _deployments),
        ("chain", _chain),
        ("clock", _clock),
        ("balance", _balance),
        ("registry", _registry),
        ("cloud", _cloud),
        ("gate", _gate),
    ]
    return [_look(part, check, settings) for part, check in checks]


class UnwellError(PiError):
    """A check that did not pass; the message says what to do."""


def _look(part: str, check: Callable[[PiSettings], str], settings: PiSettings) -> Finding:
    try:
        return Finding(part, True, check(settings))
    except (PiError, LadingError, OSError, ValueError) as error:
        return Finding(part, False, str(error))


def _node(settings: PiSettings) -> Node:
    account = load_chain_key(settings.path("keystore"), settings.path("password"))
    return Node(reach(settings), account.address)


def _chain_key(settings: PiSettings) -> str:
    return load_chain_key(settings.path("keystore"), settings.path("password")).address


def _certificate(settings: PiSettings) -> str:
    key = load_x509_key(settings.path("private_key"))
    certificate = x509.load_pem_x509_certificate(settings.path("certificate").read_bytes())
    if public_key_hash(key.public_key()) != public_key_hash(certificate.public_key()):  # type: ignore[arg-type]
        raise UnwellError(
            "the certificate is for another key: take the operator's bundle again (lading-pi enrol --bundle)"
        )
    left = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    if left < RENEW_DAYS:
        raise UnwellError(f"the certificate ends in {left} days: ask the operator for a new one")
    return f"good for {left} days"


def _deployments(settings: PiSettings) -> str:
    own = [one for one in load_deployments(settings.path("deployments")) if one.chain_id == settings.chain_id]
    if not own:
        raise UnwellError(f"no deployment on chain {settings.chain_id}: take the operator's bundle again")
    return f"{len(own)} on chain {settings.chain_id}"


def _chain(settings: PiSettings) -> str:
    found = _node(settings).chain_id()
    if found != settings.chain_id:
        raise UnwellError(f"{settings.chain_url} is chain {found}, config.toml says {settings.chain_id}")
    return f"chain {found} at {settings.chain_url}"


def _clock(settings: PiSettings) -> str:
    head = _node(settings).head()
    off = time.time() - head.timestamp
    if not -settings.max_clock_ahead_s <= off <= settings.max_head_age_s:
        raise UnwellError(
            f"this clock and the chain's newest block are {off:.0f} s apart: set the clock (timedatectl),"
            " or look whether the chain stands still"
        )
    return f"{off:+.1f} s after block {head.number}"


def _balance(settings: PiSettings) -> str:
    node = _node(settings)
    balance = node.balance()
    if balance < settings.min_balance_wei:
        raise UnwellError(f"{balance / 1e18:.4f} ETH: have the operator send some to {node.address}")
    return f"{balance / 1e18:.4f} ETH"


def _registry(settings: PiSettings) -> str:
    node = _node(settings)
    own = [one for one in load_deployments(settings.path("deployments")) if one.chain_id == settings.chain_id]
    registry = DeviceRegistry.at(node.w3, own[-1].registry)
    device = registry.device(settings.device_id)
    if device.address != node.address:
        raise UnwellError(f"device {settings.device_id} is {device.address}, this key is {node.address}")
    if not device.active or device.until <= time.time():
        raise UnwellError(f"device {settings.device_id} is not active: have the operator renew it")
    if device.site != settings.site:
        raise UnwellError(f"device {settings.device_id} stands at site {device.site}, config.toml says {settings.site}")
    key = load_x509_key(settings.path("private_key"))
    if registry.certificate_of(settings.device_id) != public_key_hash(key.public_key()):
        raise UnwellError("the registry ties this device to another certificate: have the operator rotate it")
    return f"device {settings.device_id} at site {settings.site}, {(device.until - time.time()) / 86_400:.0f} days left"


def _cloud(settings: PiSettings) -> str:
    context = ssl.create_default_context(cafile=str(settings.path("iot_ca")))
    context.load_cert_chain(settings.path("certificate"), settings.path("private_key"))
    address = (settings.iot_host, settings.iot_port)
    plain = socket.create_connection(address, timeout=settings.timeout_s)
    with plain, context.wrap_socket(plain, server_hostname=settings.iot_host) as secure:
        return f"{settings.iot_host}:{settings.iot_port}, {secure.version()}"


def _gate(settings: PiSettings) -> str:
    if settings.gate == "simulated":
        return "simulated"
    from iot_client.pi import make_gate

    gate = make_gate(settings)
    try:
        return f"{gate.state}, {'with' if gate.senses else 'without'} door sensor"
    finally:
        gate.close()
