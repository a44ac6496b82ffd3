"""For machines: is it alive, and how does it do."""

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select

from webapp.errors import WebError
from webapp.index.follower import stands_at
from webapp.models import SaleRow, Transaction
from webapp.services import services

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> tuple[dict[str, object], int]:
    """Say whether the database answers, and how far the index is behind the node."""
    shop = services()
    indexed = stands_at(shop.database, shop.chain.chain_id)
    try:
        head = shop.chain.head().number
    except WebError:
        return {"status": "degraded", "node": "unreachable", "indexed": indexed}, 200
    return {"status": "ok", "head": head, "indexed": indexed, "behind": max(0, head - indexed)}, 200


@bp.get("/metrics")
def metrics() -> Response:
    """Give the figures to Prometheus."""
    shop, registry = services(), CollectorRegistry()
    indexed = Gauge("lading_web_indexed_block", "Newest block in the index", registry=registry)
    indexed.set(stands_at(shop.database, shop.chain.chain_id))
    outbox = Gauge("lading_web_transactions", "Transactions of the outbox by state", ["state"], registry=registry)
    sales = Gauge("lading_web_sales", "Sales by status", ["status"], registry=registry)
    with shop.database.read() as db:
        for state, count in db.execute(select(Transaction.state, func.count()).group_by(Transaction.state)):
            outbox.labels(state).set(count)
        for status, count in db.execute(select(SaleRow.status, func.count()).group_by(SaleRow.status)):
            sales.labels(str(status)).set(count)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
