"""Normal scores and multipliers of Student's t by tables: an incomplete beta function for every number drawn is too slow.

    g(x) = Phi^-1(T_nu(x)),   m(w) = sqrt(nu / chi2_nu^-1(Phi(w)))   for w ~ N(0, 1), so that m z ~ t_nu for z ~ N(0, 1)

In s = sign(x) sqrt(nu log(1 + x^2 / nu)) the score is nearly a straight line (D. Wallace, Ann. Math. Stat. 30, 1959), so a table
at even steps of s is read by linear interpolation, with an error of at most STEP^2 / 8 max |g''(s)|.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import gammainccinv, gammaincinv, ndtr, ndtri, stdtr

from riskd.core.arrays import Floats

STEP, LAST = 1 / 128, 12.0  # of s; scores beyond are computed one by one
KNOT, WIDEST = 1 / 8, 10.0  # of w; the normal quantile of the smallest number of 53 bits is -8.2


@dataclass(frozen=True, slots=True, eq=False)
class TScores:
    """For one ``dof`` nu: ``scores`` at even steps of s from 0 to ``LAST``, their ``rises``, and log m over w."""

    dof: float
    scores: Floats
    rises: Floats
    log_multiplier: CubicSpline

    def score(self, x: Floats) -> Floats:
        """g of t_nu variates ``x``, any shape; off by less than 1e-6 for every nu of at least 2.1."""
        steps = np.sqrt(self.dof * np.log1p(x * x / self.dof)) / STEP
        far = steps >= len(self.rises)
        if far.any():
            return np.where(far, exact_score(self.dof, x), self.score(np.where(far, 0.0, x)))
        place = steps.astype(np.intp)
        steps -= place
        return np.asarray(np.copysign(self.scores[place] + steps * self.rises[place], x))

    def multiplier(self, w: Floats) -> Floats:
        """m of standard normal ``w``; falls as w rises, relative error below 1e-6 for every nu of at least 2.1."""
        return np.asarray(np.exp(self.log_multiplier(w)))


def exact_score(dof: float, x: Floats) -> Floats:
    """g by the incomplete beta function, from the lower tail, which keeps its digits."""
    return np.asarray(-np.sign(x) * ndtri(stdtr(dof, -np.abs(x))))


def exact_log_multiplier(dof: float, w: Floats) -> Floats:
    """log m by the incomplete gamma function, from the nearer tail."""
    lower, upper = gammaincinv(dof / 2, ndtr(np.minimum(w, 0))), gammainccinv(dof / 2, ndtr(-np.maximum(w, 0)))
    return np.asarray(0.5 * np.log(dof / (2 * np.where(w < 0, lower, upper))))


@lru_cache(maxsize=4)
def t_scores(dof: float) -> TScores:
    """The tables of ``dof``; kept, because a bank is drawn in many pieces."""
    s = np.arange(0, LAST + STEP / 2, STEP)
    scores = exact_score(dof, np.sqrt(dof * np.expm1(s * s / dof)))
    w = np.arange(-WIDEST, WIDEST + KNOT / 2, KNOT)
    return TScores(dof, scores[:-1], np.diff(scores), CubicSpline(w, exact_log_multiplier(dof, w)))
