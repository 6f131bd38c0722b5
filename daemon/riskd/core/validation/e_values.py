"""Evidence against a VaR and CVaR forecast that may be looked at after every session, without a p-value's small print."""

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.core.validation.coverage import exceedances

MOST_BET = 0.5  # of what is held, on one session
STRONG = 20.0  # evidence that a right forecast reaches with a probability of 5 % at most, ever


def e_statistics(losses: Floats, var: Floats, cvar: Floats, level: float) -> Floats:
    """(L - v)^+ / ((1 - alpha) (c - v)), (T,): its expectation is at most 1 if v is the VaR and c is not below the CVaR.

    Raises ValueError unless every CVaR is above its VaR.
    Source: Q. Wang, R. Wang, J. Ziegel, E-backtesting (2022), the e-statistic of expected shortfall.
    """
    exceedances(losses, var)  # judges the shapes
    if cvar.shape != var.shape or not (cvar > var).all():
        raise ValueError("every CVaR must be above its VaR, of the same days")
    return np.asarray(np.maximum(losses - var, 0.0) / ((1 - level) * (cvar - var)))


def e_process(losses: Floats, var: Floats, cvar: Floats, level: float) -> Floats:
    """What a bettor against the forecast holds after each session, (T,), having begun with 1.

        M_t = M_(t-1) (1 - b_t + b_t e_t),   b_t = clip(mean(e - 1) / mean((e - 1)^2), 0, 1/2) over the sessions before t

    Under a right forecast M ever reaches x with a probability of at most 1 / x, however often it is looked at. The bet is the
    second-order one of the growth rate on what was seen so far (GREE), known before the session. First session: no bet.
    Source: as :func:`e_statistics`; I. Waudby-Smith, A. Ramdas, J. Royal Statistical Society B 86 (2024) on the bet.
    """
    gains = e_statistics(losses, var, cvar, level) - 1
    count = np.arange(1, len(gains) + 1)
    mean, square = np.cumsum(gains) / count, np.cumsum(gains**2) / count
    bets = np.clip(np.divide(mean, square, out=np.zeros(len(gains)), where=square > 0), 0.0, MOST_BET)
    before = np.concatenate([[0.0], bets[:-1]])[: len(gains)]
    return frozen(np.cumprod(1 + before * gains))
