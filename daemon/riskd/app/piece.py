"""A stretch of sessions folded as the daemon folds them, as arrays of what was forecast and what came."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from riskd.app.once import past
from riskd.core.arrays import Floats
from riskd.core.portfolio import Portfolio
from riskd.core.report import PortfolioReport
from riskd.settings import Settings

CHAMPION = "riskd"


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What ``sessions`` (T,) brought and what was then said of the ones to come.

    ``outturns`` (T, portfolios, 3): loss, PIT and CRPS under the forecast of the eve. ``figures`` (T, portfolios, horizons,
    models, levels, 2): VaR and CVaR; ``models`` are the champion, the challengers and the rivals. NaN where there is none.
    """

    sessions: tuple[date, ...]
    models: tuple[str, ...]
    outturns: Floats
    figures: Floats


def folded(
    settings: Settings,
    portfolios: tuple[Portfolio, ...],
    sessions: tuple[date, ...],
    taken: Callable[[int], None] = lambda sessions: None,
) -> Piece:
    """The daemon's own fold over ``sessions``, warmed up on what was known before them; ``taken`` hears of each."""
    models = (CHAMPION, *settings.scenarios.challengers, *(rival.name for rival in settings.rivals))
    reports = {}
    for outcome in past(settings, sessions[0], sessions[-1], portfolios=portfolios):
        if outcome.reports:
            reports[outcome.session] = outcome.reports
            taken(1)
    outturns = [[_outturn(r) for r in of_session] for of_session in reports.values()]
    figures = [[_figures(settings, models, r) for r in of_session] for of_session in reports.values()]
    return Piece(tuple(reports), models, np.array(outturns, dtype=np.float64), np.array(figures))


def _outturn(report: PortfolioReport) -> list[float]:
    return [np.nan if x is None else x for x in (report.realised_loss, report.pit, report.crps)]


def _figures(settings: Settings, models: tuple[str, ...], report: PortfolioReport) -> Floats:
    """(horizons, models, levels, 2)."""
    spec = settings.scenarios.rules()
    rows = np.full((len(spec.horizons), len(models), len(spec.levels), 2), np.nan)
    for figure in report.figures:
        h, level = spec.horizons.index(figure.horizon), spec.levels.index(figure.level)
        rows[h, 0, level] = figure.var, figure.cvar
        for rival in figure.challengers:
            rows[h, models.index(rival.name), level] = rival.var, rival.cvar
    return rows


def keep(piece: Piece, path: Path) -> None:
    """Write a piece whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    sessions = np.array([s.isoformat() for s in piece.sessions])
    np.savez(part, sessions=sessions, models=np.array(piece.models), outturns=piece.outturns, figures=piece.figures)
    part.replace(path)


def kept(path: Path) -> Piece:
    """The inverse of :func:`keep`."""
    with np.load(path, allow_pickle=False) as arrays:
        sessions = tuple(date.fromisoformat(s) for s in arrays["sessions"].tolist())
        return Piece(sessions, tuple(arrays["models"].tolist()), arrays["outturns"], arrays["figures"])


def joined(pieces: list[Piece]) -> Piece:
    """Consecutive pieces as one."""
    sessions = tuple(s for piece in pieces for s in piece.sessions)
    outturns, figures = (np.concatenate([getattr(p, name) for p in pieces]) for name in ("outturns", "figures"))
    return replace(pieces[0], sessions=sessions, outturns=outturns, figures=figures)
