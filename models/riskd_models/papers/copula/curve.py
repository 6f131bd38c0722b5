"""A loss's quantile function as a few knots: what is between them, beyond them, and the mean of its tail."""

import numpy as np
import torch
from torch import Tensor

from riskd.core.arrays import Floats
from riskd_models.study.quantified import LEVELS

BODY = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
KNOTS = (*BODY, *LEVELS)  # levels, rising
OUTCOMES = 4000  # equally likely, that stand for a curve


def tail_means(var: Tensor, last: Tensor) -> Tensor:
    """CVaR at LEVELS of quantiles ``var`` (..., levels) joined by straight lines, and the mean ``last`` (...) beyond the last.

    (1 - a_k) c_k = (a_{k+1} - a_k) (v_k + v_{k+1}) / 2 + (1 - a_{k+1}) c_{k+1}, so that a CVaR is never below its VaR and
    never falls with the level.
    """
    levels = torch.tensor(LEVELS, dtype=var.dtype, device=var.device)
    areas = torch.diff(levels) * (var[..., 1:] + var[..., :-1]) / 2  # (..., levels - 1)
    beyond = (1 - levels[-1]) * last[..., None]
    total = torch.cat([areas, beyond], dim=-1).flip(-1).cumsum(-1).flip(-1)
    return total / (1 - levels)


def losses_of(quantiles: Floats, last: float) -> Floats:
    """OUTCOMES equally likely losses, rising, of quantiles (knots,) at KNOTS and the mean ``last`` beyond the last of them.

    Straight between knots; exponential beyond: above with that mean, below with the slope of the lowest two knots.
    """
    levels = (np.arange(OUTCOMES) + 0.5) / OUTCOMES
    found = np.interp(levels, KNOTS, quantiles)
    above, below = levels > KNOTS[-1], levels < KNOTS[0]
    found[above] = quantiles[-1] + (last - quantiles[-1]) * np.log((1 - KNOTS[-1]) / (1 - levels[above]))
    slope = (quantiles[1] - quantiles[0]) / np.log(KNOTS[1] / KNOTS[0])
    found[below] = quantiles[0] + slope * np.log(levels[below] / KNOTS[0])
    return np.asarray(found)
