"""Who may open what: operators, their sites, and the devices at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from web3 import Web3
from web3.types import BlockIdentifier

from contracts.address import checksummed
from contracts.calls import Call, read, to_contract
from contracts.fault import FieldError
from contracts.label import check_label

REGISTRY_GAS: Final = 300_000

_CONSENT_TYPES: Final = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ],
    "Consent": [
        {"name": "id", "type": "uint256"},
        {"name": "site", "type": "uint256"},
        {"name": "device", "type": "address"},
        {"name": "until", "type": "uint256"},
        {"name": "certificate", "type": "bytes32"},
        {"name": "operator", "type": "address"},
    ],
}


@dataclass(frozen=True, slots=True)
class Device:
    """A device as the registry knows it; `active` means that it may release now. `until` is in Unix seconds."""

    id: int
    address: ChecksumAddress
    site: int
    until: int
    operator: ChecksumAddress
    active: bool


@dataclass(frozen=True, slots=True)
class Site:
    """A door or a group of doors, its operator, and whether it takes new listings."""

    id: int
    operator: ChecksumAddress
    name: str
    open: bool


def consent_data(
    *,
    chain_id: int,
    registry: str,
    device_id: int,
    site: int,
    device: str,
    until: int,
    certificate: bytes,
    operator: str,
) -> dict[str, Any]:
    """The EIP-712 typed data by which a device agrees to be registered; `device_id` 0 when provisioning.

    Args:
        chain_id: of the chain that the registry is on.
        registry: the registry's address.
        device_id: the id that is rotated, 0 for a new device.
        site: where the device stands.
        device: the address of the device's chain key.
        until: Unix seconds when the registration ends.
        certificate: SHA-256 of its X.509 public key.
        operator: the site's operator.
    """
    message = {
        "id": device_id,
        "site": site,
        "device": device,
        "until": until,
        "certificate": certificate,
        "operator": operator,
    }
    domain = {"name": "Lading", "version": "1", "chainId": chain_id, "verifyingContract": registry}
    return {"types": _CONSENT_TYPES, "primaryType": "Consent", "domain": domain, "message": message}


def sign_consent(
    key: LocalAccount | bytes | str,
    *,
    chain_id: int,
    registry: str,
    device_id: int = 0,
    site: int,
    until: int,
    certificate: bytes,
    operator: str,
) -> bytes:
    """The consent of the device whose private key, or account, this is."""
    account: LocalAccount = key if isinstance(key, LocalAccount) else Account.from_key(key)
    data = consent_data(
        chain_id=chain_id,
        registry=registry,
        device_id=device_id,
        site=site,
        device=account.address,
        until=until,
        certificate=certificate,
        operator=operator,
    )
    return bytes(account.sign_typed_data(full_message=data).signature)


@dataclass(frozen=True, slots=True)
class DeviceRegistry:
    """The registry at an address."""

    w3: Web3
    address: ChecksumAddress

    @classmethod
    def at(cls, w3: Web3, address: str) -> DeviceRegistry:
        """The registry at this address."""
        return cls(w3, checksummed(address))

    def device(self, device_id: int, block: BlockIdentifier = "latest") -> Device:
        """The device with this id, also after it was decommissioned."""
        return Device(device_id, *self._read("device", device_id, block=block))

    def id_of(self, address: str, block: BlockIdentifier = "latest") -> int:
        """The id that this address holds or once held; 0 if none."""
        return int(self._read("idOf", checksummed(address), block=block)[0])

    def certificate_of(self, device_id: int, block: BlockIdentifier = "latest") -> bytes:
        """SHA-256 of the device's X.509 public key."""
        return bytes(self._read("certificateOf", device_id, block=block)[0])

    def site(self, site_id: int, block: BlockIdentifier = "latest") -> Site:
        """The site with this id."""
        return Site(site_id, *self._read("site", site_id, block=block))

    def list_operator(self, operator: str, name: str) -> Call:
        """Admin: let an operator open sites and provision devices.

        Raises:
            FieldError: the name cannot stand.
        """
        check_label("name", name)
        return self._call("listOperator", checksummed(operator), name)

    def delist_operator(self, operator: str) -> Call:
        """Admin: nothing new by this operator; what runs goes on."""
        return self._call("delistOperator", checksummed(operator))

    def open_site(self, name: str) -> Call:
        """Operator: a place where goods can be collected; the `SiteOpened` event tells its id.

        Raises:
            FieldError: the name cannot stand.
        """
        check_label("name", name)
        return self._call("openSite", name)

    def close_site(self, site_id: int) -> Call:
        """Operator: no new listing and no new device here."""
        return self._call("closeSite", site_id)

    def provision(self, site: int, device: str, until: int, certificate: bytes, consent: bytes) -> Call:
        """Operator: register a device, with its own consent; the `Provisioned` event tells its id."""
        _check_certificate(certificate)
        return self._call("provision", site, checksummed(device), until, certificate, consent)

    def rotate(self, device_id: int, device: str, until: int, certificate: bytes, consent: bytes) -> Call:
        """Operator: give a device a new key, certificate or term; effective at once."""
        _check_certificate(certificate)
        return self._call("rotate", device_id, checksummed(device), until, certificate, consent)

    def decommission(self, device_id: int) -> Call:
        """Operator: this device releases nothing more; effective at once."""
        return self._call("decommission", device_id)

    def _call(self, name: str, *arguments: object) -> Call:
        return to_contract("DeviceRegistry", self.address, name, *arguments, gas=REGISTRY_GAS)

    def _read(self, name: str, *arguments: object, block: BlockIdentifier) -> tuple[Any, ...]:
        return read(self.w3, "DeviceRegistry", self.address, name, *arguments, block=block)


def _check_certificate(certificate: bytes) -> None:
    if not isinstance(certificate, bytes) or len(certificate) != 32:
        raise FieldError("certificate", "is the SHA-256 of an X.509 public key, 32 bytes")
