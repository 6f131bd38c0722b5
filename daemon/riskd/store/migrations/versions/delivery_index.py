"""Version 4: what a sink has not taken yet is found without reading all that it ever took."""

from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    op.create_index("delivery_of", "delivery", ["sink", "outcome", "seq"])
