"""What somebody may look after: an operator's own sites with their things, or all of them."""

from collections.abc import Sequence

from flask import abort
from sqlalchemy import select

from webapp.access import the_user
from webapp.models import SiteRow, ThingRow, User
from webapp.people import Role
from webapp.services import services

LOOKERS = (Role.OPERATOR, Role.AUDITOR, Role.ADMIN)


def sites_of(user: User) -> list[SiteRow]:
    """Return the sites that this person may look after."""
    query = select(SiteRow).where(SiteRow.chain_id == services().chain.chain_id).order_by(SiteRow.id)
    if user.role == Role.OPERATOR:
        query = query.where(SiteRow.operator == user.address)
    with services().database.read() as db:
        return list(db.scalars(query))


def things_at(sites: Sequence[SiteRow]) -> list[ThingRow]:
    """Return the things of these sites."""
    mine = (ThingRow.chain_id == services().chain.chain_id, ThingRow.site.in_([site.id for site in sites]))
    with services().database.read() as db:
        return list(db.scalars(select(ThingRow).where(*mine).order_by(ThingRow.thing)))


def my_things() -> list[ThingRow]:
    """Return the things that who is signed in may look after."""
    return things_at(sites_of(the_user()))


def my_thing(name: str) -> ThingRow:
    """Return one of them, or answer 404: others' do not exist for this person."""
    found = [row for row in my_things() if row.thing == name]
    return found[0] if found else abort(404)
