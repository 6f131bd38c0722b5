"""The tables of the store, the same for every SQL engine."""

from sqlalchemy import Column, Date, DateTime, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text, UniqueConstraint

VERSION = 1
metadata = MetaData()

# What a source said, when it said it; append-only. "As known at T" is the newest row with seen_at <= T.
price = Table(
    "price",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("symbol", String(32), nullable=False),
    Column("session", Date, nullable=False),
    Column("field", String(16), nullable=False),
    Column("value", Float, nullable=False),
    Column("source", String(64), nullable=False),
    Column("seen_at", DateTime, nullable=False),  # UTC
    Index("price_known", "symbol", "session", "field", "id"),
)

# One line per step of the fold; ``chain`` is the SHA-256 of the line before and this one. ``origin`` is the checkpoint that the
# fold started from: after another warm-up (other symbols, another model) the same session may be taken again, within one never.
journal = Table(
    "journal",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("origin", Integer, nullable=False),
    Column("key", String(80), nullable=False),
    Column("session", Date, nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("state_sha256", String(64), nullable=False),
    Column("chain", String(64), nullable=False),
    Column("committed_at", DateTime, nullable=False),  # outside the chain: replay must give the same chain
    UniqueConstraint("origin", "key"),
)

# The newest states of the fold; ``due`` are the steps that still follow from this one.
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("state", LargeBinary, nullable=False),
    Column("due", Text, nullable=False),
)

report = Table(
    "report",
    metadata,
    Column("portfolio", String(32), primary_key=True),
    Column("session", Date, primary_key=True),
    Column("body", Text, nullable=False),
)

alert = Table(
    "alert",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("body", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", String(80), nullable=False, unique=True),
    Column("topic", String(120), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", DateTime, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("seq", Integer, nullable=False),
    Column("sink", String(32), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", Text),
    Column("outcome", String(16)),  # null while pending, then "delivered" or "parked"
    UniqueConstraint("seq", "sink"),
)

retained = Table(
    "retained",
    metadata,
    Column("topic", String(120), primary_key=True),
    Column("id", String(80), nullable=False),
    Column("body", Text, nullable=False),
)
