"""The pages, one module an area."""

from flask import Flask

from webapp.pages import (
    account,
    auth,
    batch,
    bringing,
    explorer,
    health,
    market,
    operating,
    orders,
    receipt,
    sale,
    sell,
    transactions,
    wallet,
    wallet_selling,
    warehouse,
)

AREAS = (
    market,
    sale,
    sell,
    batch,
    orders,
    receipt,
    transactions,
    operating,
    warehouse,
    wallet,
    wallet_selling,
    explorer,
    account,
    auth,
    bringing,
    health,
)


def register(app: Flask) -> None:
    """Add every area's blueprint."""
    for area in AREAS:
        app.register_blueprint(area.bp)
