"""Component and marginal CVaR: which asset the tail comes from."""

from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.measures.tail import tail

SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class ComponentCVaR:
    """Per asset: marginal dCVaR/dw_i = E[-R_i | tail], component w_i dCVaR/dw_i; components sum to CVaR (Euler)."""

    component: Floats
    marginal: Floats


def component_cvar(returns: Floats, weights: Floats, level: float) -> ComponentCVaR:
    """Components of CVaR_alpha of the losses z = -R w; ``returns`` R (M, n) simple, ``weights`` w (n,).

    Raises ArithmeticError if the components do not add up to CVaR within 1e-9 of their sizes: that would be a bug.
    """
    losses = -(returns @ weights)
    worst = tail(losses, level)
    marginal = -(worst.weights @ returns[worst.indices])
    component = weights * marginal
    whole = float(worst.weights @ losses[worst.indices])
    if not abs(component.sum() - whole) <= SUM_TOLERANCE * (1 + np.abs(component).sum()):
        raise ArithmeticError(f"component CVaR sums to {component.sum()!r}, CVaR is {whole!r}")
    return ComponentCVaR(component, marginal)
