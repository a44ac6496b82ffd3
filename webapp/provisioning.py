"""Joint provisioning: cloud certificate, gateway admission, registry, first balance; one journal, resumable."""

import contextlib
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509 import load_pem_x509_certificates, load_pem_x509_csr
from hexbytes import HexBytes
from pydantic import BaseModel, ValidationError

from contracts.calls import Call
from webapp.cloud import ask_socket
from webapp.errors import CloudError, GatewayError, InvalidInput, Refused, SettingsError, WebError
from webapp.models import ThingRow, User, now
from webapp.money import parse_eth
from webapp.patient_sender import PatientSender
from webapp.services import Services

TRANSFER_GAS = 21_000
Errand = tuple[list[Call], str, str, str]
"""Calls, purpose, subject, and the words under which they are sent once."""
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})+")
_THING = re.compile(r"[A-Za-z0-9_-]{1,64}")
TAKEN_NAMES = frozenset({"alarms", "analytics", "devices", "live", "log", "sellers", "sites", "tasks"})
"""A gate's page would lie where another page is."""


def is_thing(name: str) -> bool:
    """Whether a device may have this name."""
    return _THING.fullmatch(name) is not None and name not in TAKEN_NAMES


class Enrolment(BaseModel):
    """What a device says of itself: `lading-pi enrol` printed it."""

    thing: str
    csr: str
    device: str
    site: int
    operator: str
    until: int
    certificate: str
    consent: str
    id: int = 0


def read_enrolment(path: Path) -> Enrolment:
    """Read an enrolment file.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return Enrolment.model_validate_json(path.read_bytes())
    except OSError as fault:
        raise InvalidInput("enrolment", f"{path} is no enrolment file: {fault.strerror}") from fault
    except ValidationError as error:
        raise InvalidInput("enrolment", f"{path} is no enrolment file: {_wrong(error)}") from error


def _wrong(error: ValidationError) -> str:
    """Name the first field that is wrong, and what is wrong with it."""
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'file'}: {first['msg']}"


def parse_enrolment(content: bytes) -> Enrolment:
    """Read an enrolment file that somebody uploaded.

    Raises:
        InvalidInput: it is none, and which field is wrong.
    """
    try:
        found = Enrolment.model_validate_json(content)
    except ValidationError as error:
        words = f"That is no enrolment file: {_wrong(error)}. Upload what lading-pi enrol printed."
        raise InvalidInput("enrolment", words) from error
    if not is_thing(found.thing):
        raise InvalidInput("enrolment", "The device's name may have letters, digits, - and _ only, 64 at most.")
    for name in ("device", "operator", "certificate", "consent"):
        if not _HEX.fullmatch(getattr(found, name)):
            raise InvalidInput("enrolment", f"{name} must be hexadecimal and begin with 0x.")
    return found


class Provisioning:
    """Does the steps that are not in the journal yet."""

    def __init__(self, parts: Services, user: User, key: bytes, say: Callable[[str], object] = print) -> None:
        """Act for this operator, whose key this is."""
        self._parts = parts
        self._user = user
        self._sender = PatientSender(parts, user, key)
        self._say = say

    def provision(self, enrolment: Enrolment) -> dict[str, Any]:
        """Register a new device; repeat it after an interruption."""
        if enrolment.operator.lower() != self._user.address.lower():
            raise Refused(
                f"The device consented to operator {enrolment.operator}, this account is {self._user.address}."
            )
        gateway_authority(self._parts.settings.gateway_ca)
        steps = self._steps(enrolment)
        self._step(enrolment, steps, "cloud", lambda: self._certificate(enrolment))
        self._step(enrolment, steps, "gateway", lambda: self._admission(enrolment, steps["cloud"]["serial"]))
        self._step(enrolment, steps, "chain", lambda: self._register(enrolment))
        self._step(enrolment, steps, "balance", lambda: self._first_balance(enrolment))
        return self._bundle(enrolment, steps)

    def rotate(self, enrolment: Enrolment) -> dict[str, Any]:
        """Give a device of this thing's name new keys, certificate or term."""
        row = self._row(enrolment.thing)
        if row is None or not row.device_id:
            raise Refused(f"{enrolment.thing} was never provisioned here.")
        if enrolment.id != row.device_id:
            raise Refused(f"The device consented to id {enrolment.id}, {enrolment.thing} is device {row.device_id}.")
        wanted, had = _public_key(enrolment.csr), row.steps.get("csr")
        same_key = had is not None and _public_key(had) == wanted
        if same_key and row.steps.get("device") != enrolment.device:
            raise Refused("The device kept its X.509 key, which is refused from then on. Have it make a new one.")
        if not same_key:
            self._forget(enrolment, row)
        return self.provision(enrolment)

    def revoke(self, thing: str) -> None:
        """End a device everywhere, however far its provisioning went; what is already ended is passed over.

        Gateway and cloud come first, for they refuse at once; a part that does not answer keeps none of the others.
        """
        row = self._row(thing)
        if row is None:
            raise Refused(f"{thing} was never provisioned here.")
        with contextlib.ExitStack() as ends:
            for end in (self._decommission, self._refuse_in_cloud, self._refuse_at_gateway):
                ends.callback(end, row)
        with self._parts.database.write() as session:
            fresh = session.get(ThingRow, thing)
            if fresh is not None:
                fresh.state, fresh.updated_at = "revoked", now()

    def _refuse_at_gateway(self, row: ThingRow) -> None:
        self._say("gateway: refusing it")
        _gone_is_fine(self._parts.settings.home / "gateway" / "admin.sock", f"/devices/{row.thing}", GatewayError)

    def _refuse_in_cloud(self, row: ThingRow) -> None:
        self._say("cloud: revoking its certificate")
        _gone_is_fine(self._parts.settings.home / "cloud" / "admin.sock", f"/things/{row.thing}", CloudError)

    def _decommission(self, row: ThingRow) -> None:
        registry = self._parts.chain.registry
        self._sender.settle(row.thing)  # else an interrupted registration might be mined afterwards
        for device_id in {row.device_id or 0, registry.id_of(row.steps["device"])} - {0}:
            if registry.device(device_id).active:
                self._say(f"chain: decommissioning device {device_id}")
                self._sender.send([registry.decommission(device_id)], "decommission", row.thing, str(device_id))

    # --- the journal ---

    def _row(self, thing: str) -> ThingRow | None:
        with self._parts.database.read() as session:
            return session.get(ThingRow, thing)

    def _steps(self, enrolment: Enrolment) -> dict[str, Any]:
        row = self._row(enrolment.thing)
        if row is not None and row.state != "revoked" and row.steps.get("device") not in (None, enrolment.device):
            raise Refused(
                f"{enrolment.thing} is already another device ({row.steps['device']}): rotate or revoke it,"
                " or enrol the new one under another name."
            )
        if row is None or row.state == "revoked" or "device" not in row.steps:
            steps = {"device": enrolment.device, "csr": enrolment.csr, "enrolment": enrolment.model_dump()}
            self._save(enrolment, steps, "begun")
            return steps
        return dict(row.steps)

    def _forget(self, enrolment: Enrolment, row: ThingRow) -> None:
        """Begin a rotation: the former certificate is refused from here on."""
        self._refuse_at_gateway(row)
        self._refuse_in_cloud(row)
        begun = {"device": enrolment.device, "csr": enrolment.csr, "enrolment": enrolment.model_dump()}
        steps = {**begun, "rotates": row.device_id}
        self._save(enrolment, steps, "rotating")

    def _step(self, enrolment: Enrolment, steps: dict[str, Any], name: str, work: Callable[[], dict[str, Any]]) -> None:
        if name in steps:
            self._say(f"{name}: done before")
            return
        self._say(f"{name}: …")
        steps[name] = work()
        self._save(enrolment, steps, "provisioned" if name == "balance" else "begun")

    def _save(self, enrolment: Enrolment, steps: dict[str, Any], state: str) -> None:
        with self._parts.database.write() as session:
            row = session.get(ThingRow, enrolment.thing)
            if row is None:
                row = ThingRow(thing=enrolment.thing, chain_id=self._parts.chain.chain_id, device_id=None)
                session.add(row)
            row.site, row.state, row.steps, row.updated_at = enrolment.site, state, dict(steps), now()
            row.device_id = steps.get("chain", {}).get("device_id") or row.device_id

    # --- the steps ---

    def _certificate(self, enrolment: Enrolment) -> dict[str, Any]:
        request = {"thing": enrolment.thing, "csr": enrolment.csr, "role": "device"}
        return ask_socket(self._parts.settings.home / "cloud" / "admin.sock", "POST", "/things", request, CloudError)

    def _admission(self, enrolment: Enrolment, serial: str) -> dict[str, Any]:
        request = {"name": enrolment.thing, "serial": serial}
        socket = self._parts.settings.home / "gateway" / "admin.sock"
        return ask_socket(socket, "POST", "/devices", request, GatewayError)

    def _register(self, enrolment: Enrolment) -> dict[str, Any]:
        if not self._registered(enrolment):
            self._sender.send(*self._registration(enrolment))
        return {"device_id": self._parts.chain.registry.id_of(enrolment.device)}

    def _registered(self, enrolment: Enrolment) -> int:
        """Return the device's id where the registry says what the enrolment does, else 0: an address keeps its id.

        A first registration by an earlier enrolment holds, with its term, as long as the certificate is the same.
        """
        registry = self._parts.chain.registry
        known = registry.id_of(enrolment.device)
        if not known or known != (enrolment.id or known):
            return 0
        there = registry.device(known)
        same_term = not enrolment.id or there.until == enrolment.until
        same_key = registry.certificate_of(known) == bytes.fromhex(enrolment.certificate.removeprefix("0x"))
        return known if same_term and same_key and there.address.lower() == enrolment.device.lower() else 0

    def _registration(self, enrolment: Enrolment) -> Errand:
        """Return the registration, and with it the first balance, so that both are waited for at once."""
        registry = self._parts.chain.registry
        certificate, consent = (
            bytes.fromhex(text.removeprefix("0x")) for text in (enrolment.certificate, enrolment.consent)
        )
        facts = (enrolment.device, enrolment.until, certificate, consent)
        call = registry.rotate(enrolment.id, *facts) if enrolment.id else registry.provision(enrolment.site, *facts)
        purpose = "rotate" if enrolment.id else "provision"
        return [call, *self._funding(enrolment)], purpose, enrolment.thing, enrolment.consent[:20]

    def _first_balance(self, enrolment: Enrolment) -> dict[str, Any]:
        self._sender.settle(enrolment.thing)  # else what an interrupted errand still pays would be paid twice
        if missing := self._funding(enrolment):
            self._sender.send(missing, "fund", enrolment.thing, f"fund-{enrolment.device[:20]}")
        return {"had_wei": str(self._parts.chain.balance(enrolment.device))}

    def _funding(self, enrolment: Enrolment) -> list[Call]:
        """Return what fills the device's account up; nothing where it has half or more."""
        wanted = parse_eth(self._parts.settings.device_balance_eth, "device_balance_eth")
        has = self._parts.chain.balance(enrolment.device)
        return [Call(enrolment.device, HexBytes(b""), wanted - has, TRANSFER_GAS)] if has < wanted // 2 else []  # type: ignore[arg-type]

    def _bundle(self, enrolment: Enrolment, steps: dict[str, Any]) -> dict[str, Any]:
        settings = self._parts.settings
        cloud, gateway, chain = (settings.ready(name) for name in ("cloud", "gateway", "chain"))
        certificate = steps["cloud"]
        return {
            "device_id": steps["chain"]["device_id"],
            "thing": enrolment.thing,
            "site": enrolment.site,
            "operator": self._user.address,
            "certificate": certificate["certificate"],
            "ca": certificate["ca"],
            "chain_id": self._parts.chain.chain_id,
            "chain_url": gateway.get("devices", ""),
            "gateway_ca": gateway_authority(settings.gateway_ca) or certificate["ca"],
            "iot_host": cloud.get("host", "localhost"),
            "iot_port": cloud.get("mqtt_port", 8883),
            "deployments": [asdict(one) for one in self._parts.chain.deployments],
            "sealers": chain.get("sealers", []),
            **{name: chain[name] for name in ("period_s", "epoch") if name in chain},
            "confirmations": settings.confirmations,
        }


def gateway_authority(file: Path | None) -> str:
    """Return the PEM text by which devices know a gateway that has a company's certificate, empty if it has none.

    Raises:
        SettingsError: the file cannot be read or holds no certificate.
    """
    if file is None:
        return ""
    try:
        text = file.read_text()
        load_pem_x509_certificates(text.encode())
    except (OSError, ValueError) as error:
        raise SettingsError(f"gateway_ca in [web]: {file} is no file of PEM certificates: {error}") from error
    return text


def _public_key(csr: str) -> PublicKeyTypes:
    """Return whose certificate is asked for; each asking for one key is another text.

    Raises:
        InvalidInput: it asks for none; nothing was revoked.
    """
    try:
        return load_pem_x509_csr(csr.encode()).public_key()
    except ValueError as error:
        raise InvalidInput(
            "enrolment", "Its csr asks for no certificate. Upload what lading-pi enrol printed."
        ) from error


def _gone_is_fine(socket: Path, path: str, error_class: type[CloudError] | type[GatewayError]) -> None:
    try:
        ask_socket(socket, "DELETE", path, None, error_class)
    except WebError as error:
        if "404" not in str(error) and "unknown" not in str(error) and "no-such" not in str(error):
            raise
