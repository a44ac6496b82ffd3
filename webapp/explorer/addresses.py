"""Addresses: what stands there, or who it is, as far as this viewer may know."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from webapp.explorer.events import about_entity, about_factory, about_registry
from webapp.index.mapping import DEVICE, OPERATOR, SALE
from webapp.ledger_models import LedgerBlock
from webapp.models import DeviceRow, OperatorRow, SaleRow, User
from webapp.people import Role
from webapp.services import Services
from webapp.viewers import Viewer, parties_of


@dataclass(frozen=True)
class AddressView:
    """What is known of an address; `kinds` in the order of how much they say."""

    address: str
    kinds: tuple[str, ...]
    name: str | None
    device: int | None
    site: int | None
    is_contract_of_ours: bool
    buyer_hidden: bool
    """It bought something, and this viewer may not know what: balance and purchases are left out."""


def describe(shop: Services, viewer: Viewer, address: str) -> AddressView:
    """Say what an address is."""
    chain_id = shop.chain.chain_id
    ours = _deployed(shop, address)
    with shop.database.read() as session:
        sale = session.get(SaleRow, (chain_id, address))
        device = session.scalar(select(DeviceRow).where(DeviceRow.chain_id == chain_id, DeviceRow.address == address))
        operator = session.get(OperatorRow, (chain_id, address))
        roles = _roles(session, chain_id, address, _sealers(shop))
        hidden, bought = _purchases(session, chain_id, viewer, address)
        name = operator.name if operator else _name(session, address)
    kinds = [*ours, *(["sale"] if sale else []), *(["device"] if device else []), *(["operator"] if operator else [])]
    return AddressView(
        address=address,
        kinds=(*kinds, *roles, *(["buyer"] if bought else [])),
        name=name,
        device=device.id if device else None,
        site=sale.site if sale else device.site if device else None,
        is_contract_of_ours=bool(ours) or sale is not None,
        buyer_hidden=hidden,
    )


def events_about(view: AddressView) -> ColumnElement[bool] | None:
    """Return which events are an address's own; `None` where there are none to look for."""
    about = []
    if "factory" in view.kinds:
        about.append(about_factory(view.address))
    if "registry" in view.kinds:
        about.append(about_registry())
    if "sale" in view.kinds:
        about.append(about_entity(SALE, view.address))
    if "operator" in view.kinds:
        about.append(about_entity(OPERATOR, view.address))
    if view.device is not None:
        about.append(about_entity(DEVICE, view.device))
    return or_(*about) if about else None


def _deployed(shop: Services, address: str) -> list[str]:
    names = ("factory", "registry", "implementation")
    return [name for name in names if any(getattr(one, name) == address for one in shop.chain.deployments)]


def _sealers(shop: Services) -> list[str]:
    return [str(one) for one in shop.settings.ready("chain").get("sealers", ())]


def _roles(session: Session, chain_id: int, address: str, sealers: list[str]) -> list[str]:
    """Return what one sees of an address by what it did in public."""
    sells = session.scalar(
        select(SaleRow.seller).where(SaleRow.seller == address, SaleRow.chain_id == chain_id).limit(1)
    )
    newest = select(LedgerBlock.sealer).where(LedgerBlock.chain_id == chain_id).order_by(LedgerBlock.number.desc())
    seals = address in sealers or address in session.scalars(newest.limit(64)).all()
    return [*(["seller"] if sells else []), *(["sealer"] if seals else [])]


def _purchases(session: Session, chain_id: int, viewer: Viewer, address: str) -> tuple[bool, bool]:
    """Return whether purchases are hidden from this viewer, and whether one may be known."""
    query = select(SaleRow).where(SaleRow.buyer == address, SaleRow.chain_id == chain_id)
    bought = session.scalars(query.limit(200)).all()
    seen = any(viewer.sees_buyer(parties_of(row)) for row in bought)
    return bool(bought) and not seen, seen


def _name(session: Session, address: str) -> str | None:
    """Return an account's name where it is public: who sells or operates."""
    user = session.scalar(select(User).where(User.address == address))
    public: Any = (Role.SELLER, Role.OPERATOR, Role.ADMIN)
    return user.name if user and user.role in public else None
