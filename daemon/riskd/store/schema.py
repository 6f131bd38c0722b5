"""The tables of the store, the same for every SQL engine."""

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from riskd.store.columns import Day, Instant, Real

VERSION = 4
metadata = MetaData()

# Which version of these tables a store has; kept by Alembic.
riskd_version = Table(
    "riskd_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="riskd_version_pkc"),
)

# Who says what about whom, said once instead of in every price.
series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("symbol", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("field", Text, nullable=False),
    UniqueConstraint("symbol", "source", "field"),
)

# What a source said, when it said it; append-only, the highest version stands. "As known at T" is the highest with seen_at <= T.
# The rows lie in the order of their key, so what is read of a stretch does not depend on how long the history is.
price = Table(
    "price",
    metadata,
    Column("series_id", Integer, nullable=False),  # of ``series``, which never loses a row: a foreign key would only cost
    Column("session", Day, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("value", Float, nullable=False),
    Column("seen_at", Instant, nullable=False),
    PrimaryKeyConstraint("series_id", "session", "version"),
    sqlite_with_rowid=False,
)

# What became of a symbol when a feed was last asked for it.
pull = Table(
    "pull",
    metadata,
    Column("feed", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("feed", "symbol"),
)

# Small things that must outlive a restart, as JSON.
note = Table(
    "note",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

# Closes that are kept and not used.
quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("symbol", Text, nullable=False),
    Column("session", Day, nullable=False),
    Column("value", Real),  # null: no price at all
    Column("rule", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("closed_at", Instant),  # null while open
    Column("how", Text),
)

# What a person decided about one value; append-only, the newest counts.
decision = Table(
    "decision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("symbol", Text, nullable=False),
    Column("session", Day, nullable=False),
    Column("value", Real),
    Column("verdict", Text, nullable=False),  # "approve" or "reject"
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("decision_of", "symbol", "session"),
)

# What was asked of the daemon; kept for a week, so that the same command is heeded once. Null ``receipt``: still to be heeded.
command = Table(
    "command",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("name", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("door", String(8), nullable=False),  # "cli", "http" or "mqtt"
    Column("author", Text, nullable=False),
    Column("received_at", Instant, nullable=False, index=True),
    Column("receipt", Text),
    Column("done_at", Instant),
)

# What sources changed in their own past.
revision = Table(
    "revision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("symbol", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("first", Day, nullable=False),
    Column("last", Day, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("ratio", Real),
    Column("old", Real),
    Column("new", Real),
    Column("seen_at", Instant, nullable=False),
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
    Column(
        "outcome", String(16)
    ),  # null while pending, then "delivered" or "parked"; between the two "confirmed", if receipts are awaited
    UniqueConstraint("seq", "sink"),
    Index("delivery_of", "sink", "outcome", "seq"),  # what waits is asked for after every event, and events are kept for good
)

retained = Table(
    "retained",
    metadata,
    Column("topic", String(120), primary_key=True),
    Column("id", String(80), nullable=False),
    Column("body", Text, nullable=False),
)
