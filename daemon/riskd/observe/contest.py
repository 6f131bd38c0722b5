"""A portfolio's reports as a contest of models: each one's forecast of a session against what came of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.validation.contest import Entrant, Forecasts, entrants
from riskd.core.validation.coverage import band
from riskd.observe.record import BINS, LONGEST_PAUSE, SESSIONS

Row = Mapping[str, Any]  # a report as plain JSON


@dataclass(frozen=True, slots=True)
class Contest:
    """One-session forecasts at ``level`` over ``sessions`` sessions.

    ``least`` to ``most`` exceedances are the 95 % band of a right model.
    """

    level: float
    sessions: int
    expected: float
    least: int
    most: int
    entrants: tuple[Entrant, ...]  # the champion first, then by score


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """How everybody's forecasts of one portfolio held from ``first`` to ``last``; empty contests where nothing could be held."""

    portfolio: str
    champion: str
    first: date | None
    last: date | None
    contests: tuple[Contest, ...]
    pit_sessions: tuple[int, ...]  # of the champion in ten equal bins, the last one holds the worst days
    pit_least: int  # of a right model's sessions in one bin: the 95 % band
    pit_most: int
    crps: tuple[tuple[date, float], ...]  # of the champion, oldest first


def model_health(portfolio: str, rows: Sequence[Row]) -> ModelHealth:
    """Of ``rows``, oldest first; the newest 250 sessions and the one before them count."""
    window = rows[-SESSIONS - 1 :]
    champion = str(window[-1]["provenance"]["model"]).partition("@")[0] if window else ""
    pairs = [(a, b) for a, b in zip(window, window[1:], strict=False) if _day(b) - _day(a) <= LONGEST_PAUSE]
    levels = sorted({f["level"] for row in window[-1:] for f in row["figures"] if f["horizon"] == 1})
    contests = tuple(c for level in levels if (c := _contest(champion, pairs, level)) is not None)
    days = [_day(after) for _, after in pairs]
    first, last = (days[0], days[-1]) if days else (None, None)
    pit = [value for _, value in _told(window[-SESSIONS:], "pit")]
    counts = tuple(int(n) for n in np.histogram(pit, BINS, (0.0, 1.0))[0])
    usual = _usual(len(pit), 1 - 1 / BINS)
    return ModelHealth(portfolio, champion, first, last, contests, counts, *usual, _told(window[-SESSIONS:], "crps"))


def _usual(sessions: int, level: float) -> tuple[int, int]:
    """The 95 % band of how many of ``sessions`` a right model has beyond ``level``."""
    if not sessions:
        return 0, 0
    least, most = (round(share * sessions) for share in band(sessions, level))
    return least, most


def _contest(champion: str, pairs: Sequence[tuple[Row, Row]], level: float) -> Contest | None:
    held = [(_said(champion, eve, level), _number(day["realised_loss"])) for eve, day in pairs]
    losses = np.array([loss for _, loss in held])
    names = dict.fromkeys(name for said, _ in held for name in said)
    if not names or not np.isfinite(losses).any():
        return None
    columns = {name: _columns(name, [said for said, _ in held]) for name in (champion, *(n for n in names if n != champion))}
    first, *others = entrants(losses, level, columns)
    others.sort(key=lambda e: (e.fz0 is None, e.fz0, e.name))
    return Contest(level, first.sessions, (1 - level) * first.sessions, *_usual(first.sessions, level), (first, *others))


def _said(champion: str, row: Row, level: float) -> dict[str, tuple[float, float]]:
    """Everybody's VaR and CVaR of the next session by name."""
    found = next((f for f in row["figures"] if f["level"] == level and f["horizon"] == 1), None)
    if found is None:
        return {}
    said = {champion: found, **{rival["name"]: rival for rival in found["challengers"]}}
    return {name: (_number(f["var"]), _number(f["cvar"])) for name, f in said.items()}


def _columns(name: str, said: Sequence[Mapping[str, tuple[float, float]]]) -> Forecasts:
    both: Floats = np.array([s.get(name, (math.nan, math.nan)) for s in said])
    return both[:, 0], both[:, 1]


def _told(rows: Sequence[Row], name: str) -> tuple[tuple[date, float], ...]:
    return tuple((_day(row), float(row[name])) for row in rows if row.get(name) is not None)


def _day(row: Row) -> date:
    return date.fromisoformat(row["session"])


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
