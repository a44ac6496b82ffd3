"""What the watcher knows of devices, and alarms and commands."""

import sqlalchemy as sa
from alembic import op

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply."""
    _events()
    _gates()
    _alarms()
    _commands()


def _events() -> None:
    op.create_table(
        "device_events",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("thing", sa.String(128), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("sale", sa.String(42)),
        sa.Column("attempt", BIG),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.UniqueConstraint("thing", "digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("device_events_thing", "device_events", ["thing", "id"])
    op.create_index("device_events_sale", "device_events", ["sale", "id"])
    op.create_index("device_events_kind", "device_events", ["kind", "outcome", "id"])
    op.create_index("device_events_at", "device_events", ["at"])
    op.create_table(
        "device_streams",
        sa.Column("thing", sa.String(128), primary_key=True),
        sa.Column("cloud_id", BIG, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )


def _gates() -> None:
    op.create_table(
        "gates",
        sa.Column("thing", sa.String(128), primary_key=True),
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("state", sa.String(16)),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("online", sa.Boolean()),
        sa.Column("heard_at", sa.Double()),
        sa.Column("asked", sa.JSON()),
        sa.Column("last", sa.JSON()),
        sa.Column("version", BIG),
        sa.Column("trouble", sa.Text(), nullable=False),
    )
    op.create_table(
        "watches",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("beat_at", sa.Double(), nullable=False),
    )


def _alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("site", BIG),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("began_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double()),
        sa.Column("acknowledged_by", BIG, sa.ForeignKey("users.id")),
        sa.Column("acknowledged_at", BIG),
        sa.Column("note", sa.String(256)),
    )
    op.create_index("alarms_open", "alarms", ["ended_at", "kind", "subject"])


def _commands() -> None:
    op.create_table(
        "commands",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("thing", sa.String(128), nullable=False),
        sa.Column("device_id", BIG, nullable=False),
        sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("signer", sa.String(42), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("sale", sa.String(42), nullable=False),
        sa.Column("attempt", BIG, nullable=False),
        sa.Column("reason", sa.String(256), nullable=False),
        sa.Column("before", BIG, nullable=False),
        sa.Column("signature", sa.String(132), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("outcome", sa.Text()),
    )
    op.create_index(op.f("ix_commands_thing"), "commands", ["thing"])
