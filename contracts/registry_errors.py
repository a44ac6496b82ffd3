# ruff: noqa: N818 - the names are the contract's own
"""What the registry refuses: one class for each custom error of `IDeviceRegistry`, and of its owner. Pure."""

from __future__ import annotations

from contracts.fault import ContractError


class OperatorAlreadyListed(ContractError):
    """The operator is listed already."""

    reason = "operator-already-listed"
    message = "operator {operator} is listed already"
    operator: str


class OperatorNotListed(ContractError):
    """The operator is not listed."""

    reason = "operator-not-listed"
    message = "{operator} is no listed operator; the registry's admin can list it"
    operator: str


class InvalidName(ContractError):
    """A name needs 1 to 64 bytes."""

    reason = "invalid-name"
    message = "a name needs 1 to 64 bytes, this one has {length}"
    length: int


class SiteNotOpen(ContractError):
    """The site was never opened, or is closed."""

    reason = "site-not-open"
    message = "site {site} is not open"
    site: int


class NotOperator(ContractError):
    """Only the site's operator may."""

    reason = "not-operator"
    message = "only the operator {operator} may do this, not {caller}"
    caller: str
    operator: str


class UnknownDevice(ContractError):
    """No such device, or decommissioned."""

    reason = "unknown-device"
    message = "there is no device {id}, or it is decommissioned"
    id: int


class AddressInUse(ContractError):
    """The address has held an id and is refused for any other."""

    reason = "address-in-use"
    message = "{device} is or was device {id}; a new device needs a new key"
    device: str
    id: int


class InvalidUntil(ContractError):
    """`until` must lie in the future and below 2^40."""

    reason = "invalid-until"
    message = "the end of the registration must lie after {time} and below 2^40, not at {until}"
    until: int
    time: int


class InvalidCertificate(ContractError):
    """A certificate's digest is not zero."""

    reason = "invalid-certificate"
    message = "the certificate's digest is missing"


class InvalidConsent(ContractError):
    """The device's own signature over these facts is missing."""

    reason = "invalid-consent"
    message = "{device} has not signed exactly these facts; enrol the device again"
    device: str


class InvalidAddress(ContractError):
    """Zero is nobody."""

    reason = "invalid-address"
    message = "the zero address is nobody"


class SitesExhausted(ContractError):
    """All site ids are given away."""

    reason = "sites-exhausted"
    message = "all site ids are given away"


class DevicesExhausted(ContractError):
    """All device ids are given away."""

    reason = "devices-exhausted"
    message = "all device ids are given away"


class OwnableUnauthorizedAccount(ContractError):
    """Only the registry's admin may."""

    reason = "not-admin"
    message = "only the registry's admin may do this, not {account}"
    account: str


class OwnableInvalidOwner(ContractError):
    """Nobody cannot be the admin."""

    reason = "invalid-admin"
    message = "{owner} cannot be the registry's admin"
    owner: str
