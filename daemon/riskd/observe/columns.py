"""The history of a portfolio as columns: what charts draw of many sessions, without what explains each of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Numbers = tuple[float | None, ...]
PLACES = 6  # of a fraction: a hundredth of a basis point


@dataclass(frozen=True, slots=True)
class FigureColumns:
    """VaR and CVaR with their intervals at one level and horizon; None where a session has no such figure."""

    level: float
    horizon: int
    var: Numbers
    var_low: Numbers
    var_high: Numbers
    cvar: Numbers
    cvar_low: Numbers
    cvar_high: Numbers


@dataclass(frozen=True, slots=True)
class LimitColumns:
    """What one limit allowed and its state; None before it was there. Of another level or horizon it is another limit."""

    name: str
    level: float
    horizon: int
    max_cvar: Numbers
    state: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Holdings:
    """Weights from the session in row ``row`` on, until the next entry; a symbol that is not named weighs nothing."""

    row: int
    weights: dict[str, float]
    cash: float


@dataclass(frozen=True, slots=True)
class Series:
    """One value a session in every column, oldest first; fractions of value, loss positive, rounded to six places.

    ``loss`` is that of the session itself; figures are forecasts for the session after. ``holdings`` are told where they change.
    """

    portfolio: str
    sessions: tuple[str, ...]
    status: tuple[str, ...]
    grade: tuple[str, ...]
    loss: Numbers
    figures: tuple[FigureColumns, ...]
    limits: tuple[LimitColumns, ...]
    holdings: tuple[Holdings, ...]


def series_of(portfolio: str, reports: Sequence[Row]) -> Series:
    """``reports`` are plain JSON objects, oldest first."""
    figures = _by(reports, "figures", lambda f: (f["level"], f["horizon"]))
    limits = _by(reports, "limits", lambda x: (x["name"], x["level"], x["horizon"]))
    return Series(
        portfolio,
        tuple(row["session"] for row in reports),
        tuple(row["status"] for row in reports),
        tuple(row["grade"] for row in reports),
        _rounded(row["realised_loss"] for row in reports),
        tuple(_figure(level, horizon, rows) for (level, horizon), rows in figures.items()),
        tuple(_limit(name, level, horizon, rows) for (name, level, horizon), rows in limits.items()),
        tuple(_holdings(reports)),
    )


def _holdings(reports: Sequence[Row]) -> Iterator[Holdings]:
    before = None
    for i, row in enumerate(reports):
        held = row["weights"], row["cash"]
        if held != before:
            yield Holdings(i, dict(row["weights"]), row["cash"])
        before = held


def _by(reports: Sequence[Row], part: str, key: Callable[[Row], tuple[Any, ...]]) -> dict[tuple[Any, ...], list[Row]]:
    """What every key was in each report, an empty row where it was not; sorted by key."""
    told = [{key(x): x for x in row[part]} for row in reports]
    return {k: [found.get(k, {}) for found in told] for k in sorted({k for found in told for k in found})}


def _figure(level: float, horizon: int, rows: Sequence[Row]) -> FigureColumns:
    names = ("var", "var_low", "var_high", "cvar", "cvar_low", "cvar_high")
    return FigureColumns(level, horizon, *(_rounded(row.get(name) for row in rows) for name in names))


def _limit(name: str, level: float, horizon: int, rows: Sequence[Row]) -> LimitColumns:
    return LimitColumns(name, level, horizon, _rounded(row.get("max_cvar") for row in rows), tuple(r.get("state") for r in rows))


def _rounded(values: Iterable[float | None]) -> Numbers:
    return tuple(None if value is None else round(value, PLACES) + 0.0 for value in values)
