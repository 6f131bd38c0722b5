"""A loss's quantile function as a few knots: what is between them, beyond them, and the mean of its tail."""

import torch
from torch import Tensor

from riskd.core.arrays import Floats
from riskd.forecast import quantiles as daemon
from riskd_models.study.quantified import LEVELS

BODY = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
KNOTS = (*BODY, *LEVELS)  # levels, rising


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
    """Equally likely losses, rising, of quantiles (knots,) at KNOTS and the mean ``last`` beyond, as the daemon reads them."""
    return daemon.losses_of(quantiles, last, KNOTS)
