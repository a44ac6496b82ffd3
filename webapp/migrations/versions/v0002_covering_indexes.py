"""Indexes that answer a whole search of the market."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    op.drop_index("sales_open", "sales")
    op.drop_index("sales_price", "sales")
    for name, column in (("sales_by_age", "listed_block"), ("sales_by_price", "price_wei")):
        op.create_index(name, "sales", ["chain_id", "status", column, "address", "site", "search"])
