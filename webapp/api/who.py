"""Who asks."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List, String
from flask import g

from webapp.access import current_user
from webapp.api.operation import operation
from webapp.services import services


class WhoOut(Schema):
    """Whom this token speaks for, and what it is good for; nulls without one."""

    chain_id = Integer(required=True)
    name = String(required=True, allow_none=True)
    address = String(required=True, allow_none=True)
    role = String(required=True, allow_none=True)
    scopes = List(String(), required=True)


@operation("/me", "Who asks", output=WhoOut)
def me() -> dict[str, Any]:
    """Tell whom this token speaks for."""
    user = current_user()
    known = {name: getattr(user, name) if user else None for name in ("name", "address", "role")}
    return {"chain_id": services().chain.chain_id, **known, "scopes": sorted(g.scopes) if user else []}
