"""Column types that are native on PostgreSQL and small on SQLite; migrations rely on them, so what they write is for ever."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Date, DateTime, Dialect, Float, Integer
from sqlalchemy.types import TypeDecorator, TypeEngine

DAY_ZERO = date(1970, 1, 1).toordinal()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Day(TypeDecorator[date]):
    """A session: a date, on SQLite the days since 1970 (2 bytes instead of 10)."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name != "sqlite" else value.toordinal() - DAY_ZERO

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        return date.fromordinal(value + DAY_ZERO) if isinstance(value, int) else value


class Instant(TypeDecorator[datetime]):
    """An aware UTC time, exact to the microsecond: a time stamp, on SQLite the microseconds since 1970."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return (value - EPOCH) // MICROSECOND if dialect.name == "sqlite" else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return EPOCH + value * MICROSECOND if isinstance(value, int) else value.replace(tzinfo=UTC)


class Real(TypeDecorator[float]):
    """A number that may be unknown: NaN is NULL, which every engine understands alike."""

    impl = Float
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        return None if value is None or value != value else float(value)

    def process_result_value(self, value: float | None, dialect: Dialect) -> float:
        return float("nan") if value is None else value
