"""A forecast of the mean and what is left: the distribution is that of past residuals, which the scenario model draws."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Residual:
    """x = mean + spread e, with x a simple or a log return; ``mean`` and ``spread`` have shape (paths, assets).

    Scores are residuals e, not normal scores: with ``spread`` one in units of return, with a volatility there in units of it.
    ``clamp`` bounds what is simulated (never what is scored); ``told`` hears how many values it changed.
    """

    mean: Floats
    spread: Floats
    simple: bool
    clamp: float | None = None
    told: Callable[[int], None] = lambda changed: None

    def score(self, log_returns: Floats) -> Floats:
        """e = (x - mean) / spread."""
        x = np.expm1(log_returns) if self.simple else log_returns
        return np.asarray((x - self.mean) / self.spread)

    def from_score(self, scores: Floats) -> Floats:
        """The log return of x = mean + spread e, bounded to +-clamp."""
        x = self.mean + self.spread * scores
        if self.clamp is not None:
            self.told(int(np.count_nonzero(np.abs(x) > self.clamp)))
            x = np.clip(x, -self.clamp, self.clamp)
        return np.asarray(np.log1p(x) if self.simple else x)
