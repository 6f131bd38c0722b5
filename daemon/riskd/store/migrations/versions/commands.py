"""Version 3: what was asked of the daemon, and what became of it."""

import sqlalchemy as sa
from alembic import op

from riskd.store.columns import Instant

revision = "3"
down_revision = "2"


def upgrade() -> None:
    op.create_table(
        "command",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("door", sa.String(8), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("receipt", sa.Text),
        sa.Column("done_at", Instant),
    )
    op.create_index("ix_command_received_at", "command", ["received_at"])
