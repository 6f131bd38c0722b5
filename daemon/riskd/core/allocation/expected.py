"""Expected returns for an optimiser: the means of a bank, shrunk towards one common mean by as much as they are noise.

Bayes-Stein estimation (Jorion 1986): with n means m of T observations with covariance S of one observation,

    m* = (1 - phi) m + phi m0,   m0 = 1'S^-1 m / 1'S^-1 1,   phi = (n + 2) / (n + 2 + T (m - m0)'S^-1 (m - m0))

m0 is the mean of the portfolio of least variance, the one that is known best.
"""

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats

FLAT = 1e-10  # share of the largest variance under which a direction carries no information


def shrunk_means(returns: Floats, observations: float, usable: NDArray[np.bool_] | None = None) -> tuple[Floats, float]:
    """Shrunk means (n,) of ``returns`` (M, n), and phi.

    ``observations`` T: how many independent returns of this kind the bank was made of, which is not how many it has. Columns that
    are not ``usable`` (n,) keep their mean and tell nothing.
    """
    means = returns.mean(axis=0)
    columns = np.arange(len(means)) if usable is None else np.flatnonzero(usable)
    if len(columns) < 2:
        return means, 0.0
    precision = _inverse(np.cov(returns[:, columns], rowvar=False))
    own = means[columns]
    total = float(precision.sum())
    common = float(precision.sum(axis=0) @ own / total) if total > 0 else float(own.mean())
    spread = own - common
    phi = (len(columns) + 2) / (len(columns) + 2 + observations * float(spread @ precision @ spread))
    shrunk = means.copy()
    shrunk[columns] = common + (1 - phi) * spread
    return shrunk, float(phi)


def _inverse(covariance: Floats) -> Floats:
    """The inverse where there is one; directions without variance are left out."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > FLAT * max(float(values[-1]), np.finfo(np.float64).tiny)
    return np.asarray((vectors[:, kept] / values[kept]) @ vectors[:, kept].T)
