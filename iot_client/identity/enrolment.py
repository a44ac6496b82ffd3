"""Enrolment: keys and consent first, then the bundle that the operator sends back."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from contracts.registry import sign_consent
from iot_client.errors import EnrolmentError
from iot_client.identity.files import toml_table, write_public
from iot_client.identity.keys import (
    load_chain_key,
    load_x509_key,
    make_chain_key,
    make_x509_key,
    public_key_hash,
    signing_request,
)

YEAR_S = 365 * 24 * 3600
KEY, NEXT_KEY = "x509.key", "x509.next.key"
"""A renewal's key waits beside the present one: the door goes on with that until the bundle has come."""


@dataclass(frozen=True)
class Request:
    """Who wants to be enrolled where."""

    thing: str
    site: int
    operator: str
    chain_id: int
    registry: str
    until: int
    device_id: int = 0


def enrol(folder: Path, request: Request) -> dict[str, object]:
    """Make the keys, or take those that are there, and consent; writes and returns the enrolment.

    A renewal keeps the chain key and brings a new X.509 key: the cloud takes no key whose certificate it revoked.
    """
    keystore, password = folder / "keystore.json", folder / "password"
    tls = folder / (NEXT_KEY if request.device_id else KEY)
    account = load_chain_key(keystore, password) if keystore.exists() else make_chain_key(keystore, password)
    key = load_x509_key(tls) if tls.exists() else make_x509_key(tls)
    digest = public_key_hash(key.public_key())
    consent = sign_consent(
        account,
        chain_id=request.chain_id,
        registry=request.registry,
        device_id=request.device_id,
        site=request.site,
        until=request.until,
        certificate=digest,
        operator=request.operator,
    )
    enrolment: dict[str, object] = {
        "thing": request.thing,
        "csr": signing_request(key, request.thing),
        "id": request.device_id,
        "device": account.address,
        "site": request.site,
        "operator": request.operator,
        "until": request.until,
        "certificate": "0x" + digest.hex(),
        "consent": "0x" + bytes(consent).hex(),
    }
    write_public(folder / "enrolment.json", json.dumps(enrolment, indent=1).encode() + b"\n")
    return enrolment


def default_until() -> int:
    """A year from now."""
    return int(time.time()) + YEAR_S


def accept_bundle(folder: Path, bundle: dict[str, Any]) -> Path:
    """Write certificate, CA, deployments and `config.toml`; returns the latter."""
    try:
        key = _key_of(folder, bundle["certificate"])
        files = {
            "certificate.pem": bundle["certificate"],
            "ca.pem": bundle["ca"],
            "gateway-ca.pem": bundle["gateway_ca"],
            "deployments.json": json.dumps(bundle["deployments"], indent=1) + "\n",
        }
        config = _config(folder, bundle)
    except KeyError as error:
        raise EnrolmentError(f"the bundle lacks {error}: ask the operator for a whole one") from error
    key.replace(folder / KEY)  # first: a repetition finds it there
    for name, text in files.items():
        write_public(folder / name, text.encode())
    path = folder / "config.toml"
    write_public(path, toml_table("pi", config).encode())
    return path


def _config(folder: Path, bundle: dict[str, Any]) -> dict[str, Any]:
    names = ("thing", "device_id", "site", "operator", "chain_id", "chain_url", "iot_host", "iot_port", "confirmations")
    config: dict[str, Any] = {name: bundle[name] for name in names}
    config["sealers"] = list(bundle["sealers"])
    config |= {name: bundle[name] for name in ("period_s", "epoch") if name in bundle}
    kept = folder / "config.toml"
    if kept.exists():
        # Pins, scanner and timings that a person set survive a renewal.
        import tomllib

        config = tomllib.loads(kept.read_text()).get("pi", {}) | config
    return config


def _key_of(folder: Path, pem: str) -> Path:
    """The file with the key of this certificate, the present one or the next."""
    try:
        public = x509.load_pem_x509_certificate(pem.encode()).public_key()
    except ValueError as error:
        raise EnrolmentError("the bundle's certificate is not PEM") from error
    for path in (folder / KEY, *folder.glob(NEXT_KEY)):
        own = load_x509_key(path).public_key()
        if isinstance(public, ec.EllipticCurvePublicKey) and public_key_hash(public) == public_key_hash(own):
            return path
    raise EnrolmentError("the bundle's certificate is for another device's key: send it the bundle instead")
