"""A day's forecast as equally likely simple returns, and what is read off it: VaR, CVaR, PIT and CRPS."""

from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats

LEVELS = (0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.975, 0.99, 0.995)


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """Positive losses: VaR and CVaR (portfolios, levels), PIT of the loss and CRPS (portfolios,)."""

    var: Floats
    cvar: Floats
    pit: Floats
    crps: Floats


def read_off(ordered: Floats, realised: Floats) -> Read:
    """Of simple returns ``ordered`` (portfolios, S), rising and equally likely, against the ``realised`` (portfolios,).

    VaR is the ceil((1 - level) S)-th worst, CVaR the mean of the worst (1 - level) S with the part of an outcome at its edge, as
    in riskd.core.measures. The PIT of a loss is (its rank + 1/2) / (S + 1). CRPS is exact: E|X - y| - E|X - X'| / 2.
    """
    size = ordered.shape[1]
    ranks = np.array([max(1, int(np.ceil((1 - level) * size - 1e-9))) for level in LEVELS])
    sums = np.cumsum(ordered[:, : ranks.max()], axis=1)  # (portfolios, worst)
    edge = ordered[:, ranks - 1]
    mass = (1 - np.array(LEVELS)) * size
    worst = sums[:, ranks - 1] + (mass - ranks) * edge
    above = (ordered > realised[:, None]).sum(axis=1)
    spread = ordered @ (2.0 * np.arange(1, size + 1) - size - 1) / size**2
    crps = np.abs(ordered - realised[:, None]).mean(axis=1) - spread
    return Read(-edge, -worst / mass, (above + 0.5) / (size + 1), crps)


def energy_score(sample: Floats, realised: Floats) -> float:
    """E||X - y|| - E||X - X'|| / 2 of equally likely rows (S, assets); rows a third apart stand for the pairs (X, X')."""
    near = np.linalg.norm(sample - realised, axis=1).mean()
    return float(near - 0.5 * np.linalg.norm(sample - np.roll(sample, len(sample) // 3, axis=0), axis=1).mean())
