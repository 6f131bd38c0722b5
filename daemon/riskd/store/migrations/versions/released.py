"""Version 1: the tables as riskd 0.1.0 made them."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    _prices()
    _fold()
    _told()


def _prices() -> None:
    op.create_table(
        "price",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("symbol", sa.String(32), nullable=False),
        sa.Column("session", sa.Date, nullable=False),
        sa.Column("field", sa.String(16), nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("seen_at", sa.DateTime, nullable=False),
    )
    op.create_index("price_known", "price", ["symbol", "session", "field", "id"])


def _fold() -> None:
    op.create_table(
        "journal",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("origin", sa.Integer, nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("session", sa.Date, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("state_sha256", sa.String(64), nullable=False),
        sa.Column("chain", sa.String(64), nullable=False),
        sa.Column("committed_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("origin", "key"),
    )
    op.create_index("ix_journal_session", "journal", ["session"])
    op.create_table(
        "checkpoint",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("due", sa.Text, nullable=False),
    )
    op.create_table(
        "report",
        sa.Column("portfolio", sa.String(32), primary_key=True),
        sa.Column("session", sa.Date, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )


def _told() -> None:
    op.create_table(
        "alert",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(40), nullable=False, unique=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(80), nullable=False, unique=True),
        sa.Column("topic", sa.String(120), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("sink", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("outcome", sa.String(16)),
        sa.UniqueConstraint("seq", "sink"),
    )
    op.create_table(
        "retained",
        sa.Column("topic", sa.String(120), primary_key=True),
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
