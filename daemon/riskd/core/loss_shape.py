"""The shape of what a scenario bank says a portfolio may lose: a histogram and quantiles per horizon, never a scenario."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.portfolio import Portfolio
from riskd.core.scenarios.bank import ScenarioBank

BINS = 60
SPAN = (0.001, 0.999)  # of the losses are within the bins; what lies beyond is counted, not dropped
LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class HorizonShape:
    """Losses over ``horizon`` sessions, fractions of value: ``counts`` scenarios in equal bins from ``low`` to ``high``.

    ``below`` and ``above`` scenarios lie outside the bins, the largest loss being ``worst``. ``quantiles`` are of the loss at
    :data:`LEVELS`.
    """

    horizon: int
    low: float
    high: float
    counts: tuple[int, ...]
    below: int
    above: int
    worst: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LossShape:
    """One portfolio's losses ahead of ``session`` on the bank ``bank``; ``levels`` are those of every horizon's quantiles."""

    portfolio: str
    session: date
    bank: str
    levels: tuple[float, ...]
    horizons: tuple[HorizonShape, ...]


def horizon_shape(losses: Floats, horizon: int) -> HorizonShape:
    """The shape of equally likely ``losses`` (paths,)."""
    low, high = (float(q) for q in np.quantile(losses, SPAN))
    if not high > low:  # nothing is at risk
        low, high = low - 1e-6, high + 1e-6
    counts, _ = np.histogram(losses, BINS, (low, high))
    below, above = int((losses < low).sum()), int((losses > high).sum())
    quantiles = tuple(float(q) for q in np.quantile(losses, LEVELS))
    return HorizonShape(horizon, low, high, tuple(int(n) for n in counts), below, above, float(losses.max()), quantiles)


def loss_shapes(
    portfolios: Sequence[Portfolio], bank: ScenarioBank, session: date, names: Collection[str]
) -> tuple[LossShape, ...]:
    """Of every portfolio in ``names``, on the same scenarios that its figures were taken from."""
    found = []
    for portfolio in (p for p in portfolios if p.name in names):
        seen = bank.seen_by(portfolio)
        shapes = tuple(horizon_shape(seen.losses(portfolio.weights, h), h) for h in sorted(bank.returns))
        found.append(LossShape(portfolio.name, session, bank.identity, LEVELS, shapes))
    return tuple(found)
