# ruff: noqa: N818 - the names are the contract's own
"""What the factory refuses: one class for each custom error of `ISaleFactory`. Pure."""

from __future__ import annotations

from contracts.fault import ContractError


class ItemRefusal(ContractError):
    """An item cannot be listed: `index` is its place in the call."""

    index: int


class InvalidMake(ItemRefusal):
    """`make` needs 1 to 64 bytes."""

    reason = "invalid-make"
    message = "item {index}: make needs 1 to 64 bytes, it has {length}"
    length: int


class InvalidModel(ItemRefusal):
    """`model` needs 1 to 64 bytes."""

    reason = "invalid-model"
    message = "item {index}: model needs 1 to 64 bytes, it has {length}"
    length: int


class InvalidNumber(ItemRefusal):
    """`number` takes up to 64 bytes."""

    reason = "invalid-number"
    message = "item {index}: number takes up to 64 bytes, it has {length}"
    length: int


class InvalidYear(ItemRefusal):
    """`year` must be below 2^16."""

    reason = "invalid-year"
    message = "item {index}: year must be below 65536, not {year}"
    year: int


class InvalidPrice(ItemRefusal):
    """`price` must be above 0 and below 2^96."""

    reason = "invalid-price"
    message = "item {index}: price must be above 0 and below 2^96 wei, not {price}"
    price: int


class InvalidWindow(ItemRefusal):
    """`window` is at most 366 days."""

    reason = "invalid-window"
    message = "item {index}: the refund window is at most 366 days, not {window} s"
    window: int


class InvalidEdition(ItemRefusal):
    """`edition` must be below 2^16."""

    reason = "invalid-edition"
    message = "item {index}: edition must be below 65536, not {edition}"
    edition: int


class SiteNotOffered(ItemRefusal):
    """`site` must be an open one."""

    reason = "site-not-offered"
    message = "item {index}: site {site} takes no new goods; choose an open one"
    site: int


class AlreadyListed(ItemRefusal):
    """The seller has listed exactly this before."""

    reason = "already-listed"
    message = "item {index}: this was listed before, at {sale}; raise the edition to list it again"
    sale: str


class DeploymentFailed(ItemRefusal):
    """The clone could not be created, for want of gas."""

    reason = "deployment-failed"
    message = "item {index}: the sale could not be created; send it again with more gas"
