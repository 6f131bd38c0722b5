"""Whether VaR and CVaR together are calibrated: identification functions and regression of the tail on the forecast.

Symbols: ``L`` loss, ``v`` VaR, ``c`` CVaR, ``alpha`` level. The tail integrand

    I_t(q) = q + max(0, L_t - q) / (1 - alpha)

has mean c_t at q = v_t, and an error in q changes that mean only to second order.
"""

import math

import numpy as np
from scipy.optimize import linprog
from scipy.special import ndtr

from riskd.core.arrays import Floats
from riskd.core.validation.coverage import exceedances
from riskd.core.validation.shortfall import tail_ratios
from riskd.core.validation.significance import Test, undefined, zero_mean

LEAST = 5  # exceedances


def conditional_calibration(losses: Floats, var: Floats, cvar: Floats, level: float) -> tuple[Test, Test]:
    """The simple test, of two moments, and a general one, of four, of the identification functions of (VaR, CVaR); two-sided.

        V_1 = (1 - alpha) - 1{L > v},   V_2 = I(v) - c

    Simple: both have mean zero. General: so have V_1 v and V_2 / c, which asks whether the calibration moves with the risk;
    the paper leaves the choice of these instruments to the user, with the volatility forecast where v and c stand here.
    Source: N. Nolde, J. Ziegel, Annals of Applied Statistics 11 (2017), section 2.2.
    """
    names = ("calibration simple", "calibration general")
    if (few := len(tail_ratios(losses, var, cvar))) < LEAST:
        return undefined(names[0], _too_few(few)), undefined(names[1], _too_few(few))
    first = (1 - level) - exceedances(losses, var)
    second = _integrand(losses, var, level) - cvar
    simple = np.column_stack([first, second])
    general = np.column_stack([simple, first * var, second / cvar])
    return zero_mean(names[0], simple), zero_mean(names[1], general)


def es_regression(losses: Floats, var: Floats, cvar: Floats, level: float) -> Test:
    """Whether the tail regresses on the CVaR with intercept 0 and slope 1; two-sided, the note gives the fitted line.

    The auxiliary form: a quantile regression of L on (1, v), then the tail integrand at that quantile on (1, c) by least squares
    weighted with 1 / c^2, which solves the first-order condition of joint FZ0 minimisation without its search. Tested by the
    scores at (0, 1) and not by the Wald statistic of the paper, whose covariance is too small in short samples.
    Sources: S. Bayer, T. Dimitriadis, J. Financial Econometrics 20 (2022), the auxiliary ESR test; two steps as in
    S. Barendse, Efficiently weighted estimation of tail and interquantile expectations (2020).
    """
    name = "es regression"
    if (few := len(tail_ratios(losses, var, cvar))) < LEAST or np.ptp(cvar) < 1e-6 * cvar.max():
        return undefined(name, _too_few(few) if few < LEAST else "the CVaR never moves: there is no slope")
    rows = np.column_stack([1 / cvar, np.ones(len(cvar))])
    target = _integrand(losses, _quantile_regression(losses, var, level), level) / cvar
    intercept, slope = np.linalg.lstsq(rows, target, rcond=None)[0]
    return zero_mean(name, rows * (target - 1)[:, None], note=f"{intercept:.4g} + {slope:.4g} CVaR")


def es_intercept(losses: Floats, var: Floats, cvar: Floats, level: float) -> Test:
    """Whether the CVaR falls short by a constant: one-sided t of the intercept d in the regression with the slope fixed at 1.

    q = v + the alpha quantile of L - v, then d = the mean of I(q) - c weighted with 1 / c^2; a small p: the CVaR is too small.
    Source: S. Bayer, T. Dimitriadis (2022), the intercept ESR test, in the auxiliary form of :func:`es_regression`; the
    strict form, which shifts c itself to a quantile, is misspecified under the null wherever the volatility moves.
    """
    name = "es intercept"
    if (few := len(tail_ratios(losses, var, cvar))) < LEAST:
        return undefined(name, _too_few(few))
    quantile = var + np.quantile(losses - var, level, method="inverted_cdf")
    if not (losses > quantile).any():
        return undefined(name, "no loss beyond the shifted VaR: the largest are all alike")
    gaps, weights = _integrand(losses, quantile, level) - cvar, 1 / cvar**2
    intercept = (weights @ gaps) / weights.sum()
    error = math.sqrt(((weights * (gaps - intercept)) ** 2).sum()) / weights.sum()
    return Test(name, float(intercept / error), float(ndtr(-intercept / error)), f"shift {intercept:.4g}")


def _integrand(losses: Floats, quantile: Floats, level: float) -> Floats:
    integrand: Floats = quantile + np.maximum(losses - quantile, 0.0) / (1 - level)
    return integrand


def _quantile_regression(losses: Floats, var: Floats, level: float) -> Floats:
    """The fitted alpha quantile (T,) of L, linear in (1, v): Koenker and Bassett's linear programme in its dual."""
    unit, scale = np.abs(losses).max() or 1.0, np.abs(var).max() or 1.0
    rows = np.column_stack([np.ones(len(var)), var / scale])
    found = linprog(-losses / unit, A_eq=rows.T, b_eq=(1 - level) * rows.sum(axis=0), bounds=(0, 1), method="highs")
    fitted: Floats = -(rows @ found.eqlin.marginals) * unit
    return fitted


def _too_few(count: int) -> str:
    return f"{count} exceedances are too few; {LEAST} are needed"
