"""How the forecasts of the newest 250 sessions held: exceedances against what was to be expected, PIT and CRPS."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy.stats import binom

from riskd.core.report import PortfolioReport
from riskd.core.validation.coverage import RED, YELLOW, band
from riskd.core.validation.uniformity import kolmogorov_smirnov

SESSIONS = 250  # of the window, as Basel counts
LEAST_SESSIONS = 60  # with fewer the zones mean nothing: one exceedance could be red
RECENT = 20  # sessions of the short mean that is held against the long one
BINS = 10  # of the PIT
LONGEST_PAUSE = timedelta(days=14)  # between two sessions; over a longer one a forecast is held against nothing
ZONES = ("green", "yellow", "red", "unknown")


@dataclass(frozen=True, slots=True)
class Day:
    """What one report says of forecasts: how the eve's turned out, and ``var`` of the next session by level."""

    session: date
    loss: float | None
    pit: float | None
    crps: float | None
    var: Mapping[float, float]


@dataclass(frozen=True, slots=True)
class Coverage:
    """One-session VaR at ``level`` over ``sessions``: ``exceedances`` are losses beyond it.

    ``missing`` sessions had no figure or no loss and count as exceptions. ``least`` and ``most`` exceptions are the 95 % band of
    a right forecast; from ``yellow`` and ``red`` on Basel's zones begin.
    """

    level: float
    sessions: int
    exceedances: int
    missing: int
    least: int
    most: int
    yellow: int
    red: int
    zone: str

    @property
    def exceptions(self) -> int:
        return self.exceedances + self.missing


@dataclass(frozen=True, slots=True)
class Record:
    """How a portfolio's forecasts held. ``pit`` counts sessions in ten equal bins, the last one holds the worst days.

    ``pit_distance`` is the largest distance of the PIT from uniform, ``pit_p`` how likely a right forecast is at least as far;
    ``crps`` are means over so many sessions, lower is better.
    """

    portfolio: str
    coverage: tuple[Coverage, ...]
    pit: tuple[int, ...]
    pit_newest: float | None
    pit_distance: float | None
    pit_p: float | None
    crps: Mapping[int, float]


def day_of(report: PortfolioReport) -> Day:
    """What ``report`` says of forecasts."""
    var = {f.level: f.var for f in report.figures if f.horizon == 1 and math.isfinite(f.var)}
    return Day(report.session, report.realised_loss, report.pit, report.crps, var)


def zone_of(exceptions: int, sessions: int, level: float) -> str:
    """Basel's zone by cumulative binomial probability; unknown with fewer than 60 sessions."""
    if sessions < LEAST_SESSIONS:
        return "unknown"
    cumulative = binom.cdf(exceptions, sessions, 1 - level)
    return "green" if cumulative < YELLOW else "yellow" if cumulative < RED else "red"


def coverage_of(days: Sequence[Day], level: float) -> Coverage:
    """Every day of ``days``, oldest first, held against the VaR of the day before."""
    exceedances = missing = sessions = 0
    for before, after in zip(days, days[1:], strict=False):
        if after.session - before.session > LONGEST_PAUSE or (before.var and level not in before.var):
            continue
        sessions += 1
        if not before.var or after.loss is None:
            missing += 1
        else:
            exceedances += after.loss > before.var[level]
    zone = zone_of(exceedances + missing, sessions, level)
    if not sessions:
        return Coverage(level, 0, 0, 0, 0, 0, 0, 0, zone)
    least, most = (round(share * sessions) for share in band(sessions, level))
    yellow, red = (int(binom.ppf(share, sessions, 1 - level)) for share in (YELLOW, RED))
    return Coverage(level, sessions, exceedances, missing, least, most, yellow, red, zone)


def record_of(portfolio: str, days: Sequence[Day]) -> Record:
    """The record of ``days``, oldest first; the newest 250 and the one before them count."""
    window = days[-SESSIONS - 1 :]
    levels = next((sorted(d.var) for d in reversed(window) if d.var), [])
    pit = [d.pit for d in window[-SESSIONS:] if d.pit is not None]
    crps = [d.crps for d in window[-SESSIONS:] if d.crps is not None]
    uniform = kolmogorov_smirnov(np.array(pit)) if pit else None
    counts, _ = np.histogram(pit, BINS, (0.0, 1.0))
    return Record(
        portfolio,
        tuple(coverage_of(window, level) for level in levels),
        tuple(int(n) for n in counts),
        window[-1].pit if window else None,
        uniform.statistic if uniform else None,
        uniform.p if uniform else None,
        {n: float(np.mean(crps[-n:])) for n in (1, RECENT, SESSIONS) if crps},
    )


class Diary:
    """The newest days of every portfolio; a session that is judged again replaces its day."""

    def __init__(self) -> None:
        self._days: dict[str, dict[date, Day]] = {}

    def write(self, report: PortfolioReport) -> None:
        """Take the day of ``report`` in, and forget the oldest beyond the window."""
        days = self._days.setdefault(report.portfolio, {})
        days[report.session] = day_of(report)
        for session in sorted(days)[: -SESSIONS - 1]:
            del days[session]

    def records(self) -> tuple[Record, ...]:
        """Of every portfolio."""
        return tuple(record_of(name, [days[s] for s in sorted(days)]) for name, days in self._days.items())
