"""Conditional value at risk (expected shortfall): the mean of the worst 1 - alpha."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from riskd.core.arrays import Floats
from riskd.core.measures.tail import tail
from riskd.core.measures.value_at_risk import INTERVAL


@dataclass(frozen=True, slots=True)
class CVaR:
    """CVaR_alpha with its Monte-Carlo standard error and 95 % interval."""

    value: float
    standard_error: float
    low: float
    high: float


def cvar(losses: Floats, level: float) -> CVaR:
    """CVaR_alpha(z) = min_t t + (1/q) sum_m (z_m - t)_+ , q = (1 - alpha) M; ``losses`` z has shape (M,).

    Rockafellar and Uryasev (2000), equation 5. Standard error from the influence function
    t + (z - t)_+ / (1 - alpha): sqrt(Var[(z - VaR)_+] / M) / (1 - alpha).
    """
    worst = tail(losses, level)
    value = float(worst.weights @ losses[worst.indices])
    excess = np.maximum(losses - worst.threshold, 0.0)
    error = float(excess.std() / np.sqrt(len(losses)) / (1 - level))
    reach = float(ndtri(0.5 + INTERVAL / 2)) * error
    return CVaR(value, error, value - reach, value + reach)
