"""What is forecast of a portfolio as a whole: the average of the network's and of GJR-GARCH's view of its own history.

Quantiles and CVaR of the two are averaged level by level; for equally likely samples that is the average of the sorted
samples. Two views that err differently: the network is quicker, the GARCH steadier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.core.scenarios.anchor import quantiles


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Equally likely losses (M,) of a book over a horizon and the pool rows (M, sessions) that each was made of.

    ``pool`` counts the rows there are; ``drawn`` is False where the sample is the pool itself, every row once.
    """

    losses: Floats
    rows: NDArray[np.intp]
    pool: int
    drawn: bool

    def errors(self, level: float) -> tuple[float, float]:
        """Monte-Carlo and parameter standard error of CVaR at ``level`` (alpha).

        With psi = (z - VaR)_+ / (1 - alpha) the Monte-Carlo error is sd(psi) / sqrt(M). The parameter error is that of having
        S pool rows and not all there could be, by the infinitesimal jackknife: IF_s = sum over sessions of the mean of
        psi - E psi on paths that use row s there, Var = sum_s IF_s^2 / S^2, less what Monte-Carlo noise adds to it.
        Source: B. Efron, The jackknife, the bootstrap and other resampling plans (1982), chapter 6.
        """
        count, sessions = self.rows.shape
        worst = max(1, int(np.ceil((1 - level) * count - 1e-9)))
        threshold = np.partition(self.losses, count - worst)[count - worst]
        psi = np.maximum(self.losses - threshold, 0.0) / (1 - level)
        psi -= psi.mean()
        places = self.rows.ravel()
        uses = np.bincount(places, minlength=self.pool)
        used = uses > 0
        sums = np.bincount(places, weights=np.repeat(psi, sessions), minlength=self.pool)
        influence = sessions * sums[used] / uses[used]
        variance = float(influence @ influence)
        spread = float(psi @ psi) / count
        if self.drawn:
            variance = max(variance - sessions**2 * spread * float((1 / uses[used]).sum()), 0.0)
        monte_carlo = np.sqrt(spread / count) if self.drawn else 0.0
        return float(monte_carlo), float(np.sqrt(variance) / self.pool)


@dataclass(frozen=True, slots=True, eq=False)
class BookForecast:
    """``losses`` per horizon: equally likely, ascending (S,); ``samples`` per horizon are what was averaged."""

    losses: Mapping[int, Floats]
    samples: Mapping[int, tuple[Sample, ...]]

    def errors(self, horizon: int, level: float) -> tuple[float, float]:
        """Monte-Carlo and parameter standard error of CVaR; the views saw the same past, so parameter errors just add up."""
        parts = np.array([sample.errors(level) for sample in self.samples[horizon]])  # (views, 2)
        return float(np.sqrt((parts[:, 0] ** 2).sum()) / len(parts)), float(parts[:, 1].mean())


def book_forecast(samples: Mapping[int, Sequence[Sample]]) -> BookForecast:
    """The average of the views at every horizon; a horizon with a single view is that view."""
    return BookForecast({h: averaged(views) for h, views in samples.items()}, {h: tuple(views) for h, views in samples.items()})


def averaged(views: Sequence[Sample]) -> Floats:
    """Sorted losses (S,), S that of the largest view: the mean of the views' quantiles."""
    count = max(len(view.losses) for view in views)
    return np.asarray(np.mean([quantiles(np.sort(view.losses), count) for view in views], axis=0))
