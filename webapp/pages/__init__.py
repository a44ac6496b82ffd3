"""The pages, one module an area."""

from flask import Flask

from webapp.access import install_reads
from webapp.pages import (
    account,
    advice,
    analytics,
    auditing,
    auth,
    batch,
    bringing,
    devices,
    explorer,
    gate_orders,
    health,
    market,
    operating,
    orders,
    receipt,
    release_log,
    sale,
    sell,
    tasks,
    tokens,
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
    tasks,
    release_log,
    devices,
    gate_orders,
    warehouse,
    analytics,
    auditing,
    advice,
    wallet,
    wallet_selling,
    explorer,
    account,
    tokens,
    auth,
    bringing,
    health,
)


def register(app: Flask) -> None:
    """Add every area's blueprint, and the log of who reads what is private."""
    install_reads(app)
    for area in AREAS:
        app.register_blueprint(area.bp)
