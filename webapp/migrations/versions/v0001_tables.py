"""The first tables."""

import sqlalchemy as sa
from alembic import op

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "attempts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_attempts_subject"), "attempts", ["subject"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("detail", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "blocks",
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("hash", sa.String(length=66), nullable=False),
        sa.Column("parent_hash", sa.String(length=66), nullable=False),
        sa.Column("timestamp", BIG, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "number"),
    )
    op.create_table(
        "devices",
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("site", BIG, nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.Column("certificate", sa.String(length=66), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "id"),
    )
    op.create_table(
        "events",
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("block", BIG, nullable=False),
        sa.Column("log_index", BIG, nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("timestamp", BIG, nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column("entity", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "block", "log_index"),
    )
    op.create_index("events_entity", "events", ["chain_id", "entity"], unique=False)
    op.create_index("events_tx", "events", ["tx_hash"], unique=False)
    op.create_table(
        "operators",
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "address"),
    )
    op.create_table(
        "sales",
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=16), nullable=False),
        sa.Column("factory", sa.String(length=42), nullable=False),
        sa.Column("seller", sa.String(length=42), nullable=False),
        sa.Column("buyer", sa.String(length=42), nullable=True),
        sa.Column("status", BIG, nullable=False),
        sa.Column("attempt", BIG, nullable=False),
        sa.Column("device", BIG, nullable=False),
        sa.Column("refundable_at", BIG, nullable=False),
        sa.Column("price_wei", sa.String(length=29), nullable=False),
        sa.Column("undelivered_wei", sa.String(length=29), nullable=False),
        sa.Column("window_s", BIG, nullable=False),
        sa.Column("site", BIG, nullable=False),
        sa.Column("edition", BIG, nullable=False),
        sa.Column("year", BIG, nullable=False),
        sa.Column("make", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("search", sa.String(length=256), nullable=False),
        sa.Column("listed_block", BIG, nullable=False),
        sa.Column("listed_at", BIG, nullable=False),
        sa.Column("sold_at", BIG, nullable=True),
        sa.Column("updated_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "address"),
    )
    op.create_index("sales_buyer", "sales", ["buyer", "listed_block"], unique=False)
    op.create_index("sales_open", "sales", ["status", "listed_block"], unique=False)
    op.create_index("sales_price", "sales", ["status", "price_wei"], unique=False)
    op.create_index("sales_seller", "sales", ["seller", "listed_block"], unique=False)
    op.create_index("sales_site", "sales", ["site", "status"], unique=False)
    op.create_table(
        "sites",
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("operator", sa.String(length=42), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "id"),
    )
    op.create_table(
        "things",
        sa.Column("thing", sa.String(length=128), nullable=False),
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("device_id", BIG, nullable=True),
        sa.Column("site", BIG, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("thing"),
    )
    op.create_table(
        "users",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("keystore", sa.JSON(), nullable=True),
        sa.Column("key_exported", sa.Boolean(), nullable=False),
        sa.Column("session_epoch", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("address"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "vouchers",
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("sale", sa.String(length=42), nullable=False),
        sa.Column("buyer", sa.String(length=42), nullable=False),
        sa.Column("attempt", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "sale", "buyer"),
    )
    op.create_table(
        "transactions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("idempotency_key", sa.String(length=64), nullable=False),
        sa.Column("part", BIG, nullable=False),
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("sender", sa.String(length=42), nullable=False),
        sa.Column("nonce", BIG, nullable=False),
        sa.Column("hash", sa.String(length=66), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=66), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("block", BIG, nullable=True),
        sa.Column("block_hash", sa.String(length=66), nullable=True),
        sa.Column("parent_hash", sa.String(length=66), nullable=True),
        sa.Column("confirmations", BIG, nullable=False),
        sa.Column("fee_wei", sa.String(length=29), nullable=True),
        sa.Column("sent_at", BIG, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
        sa.UniqueConstraint("user_id", "idempotency_key", "part"),
    )
    op.create_index("transactions_open", "transactions", ["state"], unique=False)
    op.create_index("transactions_sender", "transactions", ["chain_id", "sender", "nonce"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_index("transactions_sender", table_name="transactions")
    op.drop_index("transactions_open", table_name="transactions")
    op.drop_table("transactions")
    op.drop_table("vouchers")
    op.drop_table("users")
    op.drop_table("things")
    op.drop_table("sites")
    op.drop_index("sales_site", table_name="sales")
    op.drop_index("sales_seller", table_name="sales")
    op.drop_index("sales_price", table_name="sales")
    op.drop_index("sales_open", table_name="sales")
    op.drop_index("sales_buyer", table_name="sales")
    op.drop_table("sales")
    op.drop_table("operators")
    op.drop_index("events_tx", table_name="events")
    op.drop_index("events_entity", table_name="events")
    op.drop_table("events")
    op.drop_table("devices")
    op.drop_table("blocks")
    op.drop_table("audit")
    op.drop_index(op.f("ix_attempts_subject"), table_name="attempts")
    op.drop_table("attempts")
