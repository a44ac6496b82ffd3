"""Every block and transaction, the feed of those who listen, and personal tokens; the index reads the chain again."""

import sqlalchemy as sa
from alembic import op

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply."""
    _ledger()
    _feed()
    _tokens()
    op.create_index("sales_number", "sales", ["chain_id", "number"])
    # What the index holds was read without blocks and transactions: it reads the chain again.
    for table in ("events", "sales", "operators", "sites", "devices", "blocks"):
        op.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608  # names of ours


def _ledger() -> None:
    op.create_table(
        "ledger_blocks",
        sa.Column("chain_id", BIG, primary_key=True),
        sa.Column("number", BIG, primary_key=True),
        sa.Column("hash", sa.String(66), nullable=False),
        sa.Column("parent_hash", sa.String(66), nullable=False),
        sa.Column("timestamp", BIG, nullable=False),
        sa.Column("sealer", sa.String(42), nullable=False),
        sa.Column("gas_used", BIG, nullable=False),
        sa.Column("gas_limit", BIG, nullable=False),
        sa.Column("count", BIG, nullable=False),
    )
    op.create_index("ledger_blocks_hash", "ledger_blocks", ["hash"])
    op.create_table(
        "ledger_transactions",
        sa.Column("chain_id", BIG, primary_key=True),
        sa.Column("block", BIG, primary_key=True),
        sa.Column("position", BIG, primary_key=True),
        sa.Column("hash", sa.String(66), nullable=False),
        sa.Column("timestamp", BIG, nullable=False),
        sa.Column("sender", sa.String(42), nullable=False),
        sa.Column("recipient", sa.String(42)),
        sa.Column("created", sa.String(42)),
        sa.Column("value_wei", sa.String(78), nullable=False),
        sa.Column("nonce", BIG, nullable=False),
        sa.Column("gas_limit", BIG, nullable=False),
        sa.Column("gas_used", BIG, nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("sale", sa.String(42)),
        sa.Column("call", sa.String(64), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
    )
    op.create_index("ledger_transactions_hash", "ledger_transactions", ["hash"])
    for column in ("sender", "recipient"):
        name = f"ledger_transactions_{column}"
        op.create_index(name, "ledger_transactions", ["chain_id", column, "block", "position"])
    op.create_table(
        "refusals",
        sa.Column("hash", sa.String(66), primary_key=True),
        sa.Column("block_hash", sa.String(66), primary_key=True),
        sa.Column("words", sa.Text(), nullable=False),
    )


def _feed() -> None:
    op.create_table(
        "feed",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("block", BIG, nullable=False),
        sa.Column("hash", sa.String(66), nullable=False),
        sa.Column("sale", sa.String(42)),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("feed_standing", "feed", ["chain_id", "standing", "kind", "block"])


def _tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("scopes", sa.String(256), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("used_at", BIG),
        sa.Column("revoked_at", BIG),
    )
