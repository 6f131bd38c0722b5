"""The Student-t distribution as a forecast: location, scale and degrees of freedom for every path and asset."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from riskd.core.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class StudentT:
    """r = mu + sigma x, x ~ t_nu (not scaled to variance one); ``mu``, ``sigma`` and ``nu`` have shape (paths, assets)."""

    mu: Floats
    sigma: Floats
    nu: Floats

    def score(self, log_returns: Floats) -> Floats:
        """g = Phi^-1(T_nu(x)) by the lower tail of -|x|, which keeps its digits where T_nu(|x|) is already one."""
        x = (log_returns - self.mu) / self.sigma
        return np.asarray(-np.sign(x) * ndtri(stdtr(self.nu, -np.abs(x))))

    def from_score(self, scores: Floats) -> Floats:
        """r = mu + sigma T_nu^-1(Phi(g)), by the same tail; a score beyond 37 has no probability left and gives infinity."""
        x = stdtrit(self.nu, ndtr(-np.abs(scores)))
        return np.asarray(self.mu - self.sigma * np.sign(scores) * x)
