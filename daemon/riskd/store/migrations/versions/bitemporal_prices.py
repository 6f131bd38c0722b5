"""Version 2: prices in the order of their series and sessions, what a person decided, and what sources changed."""

from collections.abc import Iterator
from datetime import UTC
from itertools import groupby, islice
from typing import Any

import sqlalchemy as sa
from alembic import op

from riskd.store.columns import Day, Instant, Real

revision = "2"
down_revision = "1"
BATCH = 10_000


def upgrade() -> None:
    op.drop_index("price_known", "price")
    op.rename_table("price", "price_before")
    _prices()
    _pulls()
    _judgement()
    _revisions()
    _copy()
    op.drop_table("price_before")


def _prices() -> None:
    op.create_table(
        "series",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.UniqueConstraint("symbol", "source", "field"),
    )
    op.create_table(
        "price",
        sa.Column("series_id", sa.Integer, nullable=False),
        sa.Column("session", Day, nullable=False),
        sa.Column("version", sa.SmallInteger, nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("seen_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("series_id", "session", "version"),
        sqlite_with_rowid=False,
    )


def _pulls() -> None:
    op.create_table(
        "pull",
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("feed", "symbol"),
    )
    op.create_table(
        "note",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
    )


def _judgement() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("session", Day, nullable=False),
        sa.Column("value", Real),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("found_at", Instant, nullable=False),
        sa.Column("closed_at", Instant),
        sa.Column("how", sa.Text),
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("session", Day, nullable=False),
        sa.Column("value", Real),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
    )
    op.create_index("decision_of", "decision", ["symbol", "session"])


def _revisions() -> None:
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("first", Day, nullable=False),
        sa.Column("last", Day, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("ratio", Real),
        sa.Column("old", Real),
        sa.Column("new", Real),
        sa.Column("seen_at", Instant, nullable=False),
    )
    op.create_index("ix_revision_symbol", "revision", ["symbol"])


def _copy() -> None:
    """Every old price, in the order it was heard: the first of a session is version 0, the newest the highest."""
    connection = op.get_bind()
    before = sa.table(
        "price_before",
        *(sa.column(name, sa.Text) for name in ("symbol", "source", "field")),
        *(sa.column("id", sa.Integer), sa.column("session", sa.Date)),
        *(sa.column("value", sa.Float), sa.column("seen_at", sa.DateTime)),
    )
    of = (before.c.symbol, before.c.source, before.c.field)
    ids = {tuple(row): i for i, row in enumerate(connection.execute(sa.select(*of).distinct().order_by(*of)), start=1)}
    if not ids:
        return
    told = (dict(zip(("id", "symbol", "source", "field"), (i, *row), strict=True)) for row, i in ids.items())
    connection.execute(sa.insert(_table("series", "id", "symbol", "source", "field")), list(told))
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT setval(pg_get_serial_sequence('series', 'id'), (SELECT max(id) FROM series))"))
    ordered = sa.select(before).order_by(*of, before.c.session, before.c.id)
    rows = connection.execute(ordered.execution_options(yield_per=BATCH))
    new = sa.table(
        "price",
        *(sa.column(name, sa.Integer) for name in ("series_id", "version")),
        *(sa.column("session", Day), sa.column("value", sa.Float), sa.column("seen_at", Instant)),
    )
    versions = _versions(rows, ids)
    while batch := list(islice(versions, BATCH)):
        connection.execute(sa.insert(new), batch)


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *map(sa.column, columns))


def _versions(rows: sa.CursorResult[Any], ids: dict[tuple[Any, ...], int]) -> Iterator[dict[str, object]]:
    for (symbol, source, field, session), same in groupby(rows, lambda r: (r.symbol, r.source, r.field, r.session)):
        for version, row in enumerate(same):
            seen_at = row.seen_at.replace(tzinfo=UTC)
            key = {"series_id": ids[symbol, source, field], "session": session, "version": version}
            yield {**key, "value": row.value, "seen_at": seen_at}
