"""For machines: does it live, may it be asked, how does it do; for everybody: that database or chain are away."""

import time
from ipaddress import ip_address

from flask import Blueprint, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, ProcessCollector, generate_latest
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from webapp import outages
from webapp.errors import WebError
from webapp.index.follower import stands_at
from webapp.models import Block, SaleRow, Transaction
from webapp.services import Services, services

BEHIND = 10
"""With an index further behind the chain than this the pages would mislead: not ready."""
bp = Blueprint("health", __name__)
for _kind in outages.KINDS:
    bp.app_errorhandler(_kind)(outages.away)
bp.app_context_processor(outages.standstill)


@bp.get("/healthz")
def healthz() -> tuple[dict[str, object], int]:
    """Say that this process lives, whether a node answers, and how far the index is behind it."""
    shop = services()
    try:
        indexed = stands_at(shop.database, shop.chain.chain_id)
        head = shop.chain.head().number
    except SQLAlchemyError:
        return {"status": "degraded", "database": "unreachable"}, 200
    except WebError:
        return {"status": "degraded", "node": "unreachable", "indexed": indexed}, 200
    return {"status": "ok", "head": head, "indexed": indexed, "behind": max(0, head - indexed)}, 200


@bp.get("/readyz")
def readyz() -> tuple[dict[str, object], int]:
    """Say whether requests should be sent here: database, node, and an index that is not far behind."""
    said, _ = healthz()
    why = [f"{part} {said[part]}" for part in ("database", "node") if part in said]
    if isinstance(said.get("behind"), int) and int(str(said["behind"])) > BEHIND:
        why.append(f"index {said['behind']} blocks behind")
    return {"ready": not why, "why": why}, 503 if why else 200


@bp.get("/metrics")
def metrics() -> Response:
    """Give the figures to Prometheus, on this machine only: they tell of business."""
    if not ip_address(request.remote_addr or "::").is_loopback:
        abort(404)
    shop, registry = services(), CollectorRegistry()
    ProcessCollector(registry=registry)
    _index(shop, registry)
    outbox = Gauge("lading_web_transactions", "Transactions of the outbox by state", ["state"], registry=registry)
    sales = Gauge("lading_web_sales", "Sales by status", ["status"], registry=registry)
    with shop.database.read() as db:
        for state, count in db.execute(select(Transaction.state, func.count()).group_by(Transaction.state)):
            outbox.labels(state).set(count)
        for status, count in db.execute(select(SaleRow.status, func.count()).group_by(SaleRow.status)):
            sales.labels(str(status)).set(count)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _index(shop: Services, registry: CollectorRegistry) -> None:
    """Tell of the index: where it stands, how old that is, and how far the node is ahead."""
    chain_id = shop.chain.chain_id
    newest = select(Block.number, Block.timestamp).where(Block.chain_id == chain_id).order_by(Block.number.desc())
    with shop.database.read() as db:
        number, at = db.execute(newest.limit(1)).one_or_none() or (-1, 0)
    Gauge("lading_web_indexed_block", "Newest block in the index", registry=registry).set(number)
    Gauge("lading_index_age_seconds", "Age of that block", registry=registry).set(time.time() - at)
    node = Gauge("lading_web_node_up", "Whether a chain node answers", registry=registry)
    try:
        head = shop.chain.head().number
    except WebError:
        return
    node.set(1)
    Gauge("lading_index_behind_blocks", "Blocks that the node is ahead", registry=registry).set(max(0, head - number))
