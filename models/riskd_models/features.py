"""The fixed recursions under the network: base scale, variances at five speeds, downside, trend and market."""

import torch
from torch import Tensor

from riskd_models.recipe import Scale

VARIANCES = ("V1", "V2", "V3", "V4", "V5")
INPUTS = 12

State = dict[str, Tensor]


def decay(half_life: float) -> float:
    """The weight of yesterday in an exponential average: 0.5^(1/half-life)."""
    return float(0.5 ** (1.0 / half_life))


def first_state(returns: Tensor, scale: Scale) -> State:
    """The state before any return is seen, from the variance of ``returns`` (spin_up, series); arrays (series,) or (1,)."""
    variance = returns.var(dim=0, unbiased=False) + scale.variance_floor
    market = torch.full_like(variance[:1], scale.market_variance)
    zero = torch.zeros_like(variance)
    state = dict.fromkeys(VARIANCES, variance)
    return state | {"D": variance / 2, "G": variance, "m1": zero, "m2": zero, "Vm": market, "Gm": market}


def base_variance(variance: Tensor, slow: Tensor, square: Tensor, fell: Tensor, scale: Scale) -> Tensor:
    """G <- anchor V + (reaction + leverage 1{r<0}) r^2 + persistence G."""
    return scale.anchor * slow + (scale.reaction + scale.leverage * fell) * square + scale.persistence * variance


def advanced(state: State, r: Tensor, scale: Scale, market: int) -> tuple[State, Tensor]:
    """The state one session later and the network's inputs after it, shape (..., series, 12).

    ``r`` (..., series) are log returns; the market inputs are means over the first ``market`` series.
    """
    square = torch.minimum(r * r, scale.largest_square * state["G"])
    fell = (r < 0).to(r.dtype)
    x = torch.asinh(r / state["G"].sqrt())
    u = (r / state["V5"].sqrt())[..., :market].mean(-1, keepdim=True)
    new = variances(state, square, scale) | trends(state, r, scale)
    keep = decay(scale.downside_half_life)
    new["D"] = keep * state["D"] + (1 - keep) * square * fell
    new["G"] = base_variance(state["G"], new["V5"], square, fell, scale)
    new |= market_variances(state, u, scale)
    shock = torch.asinh(u / state["Gm"].sqrt()).expand_as(x)
    breadth = x.abs()[..., :market].mean(-1, keepdim=True).expand_as(x)
    return new, inputs(new, x, shock, breadth, scale)


def variances(state: State, square: Tensor, scale: Scale) -> State:
    """V_k <- lam V_k + (1 - lam) r^2, from the quickest to the slowest."""
    keeps = [decay(half_life) for half_life in scale.variance_half_lives]
    return {name: keep * state[name] + (1 - keep) * square for name, keep in zip(VARIANCES, keeps, strict=True)}


def trends(state: State, r: Tensor, scale: Scale) -> State:
    """m <- lam m + (1 - lam) r, the quick and the slow one."""
    keeps = [decay(half_life) for half_life in scale.trend_half_lives]
    return {name: keep * state[name] + (1 - keep) * r for name, keep in zip(("m1", "m2"), keeps, strict=True)}


def market_variances(state: State, u: Tensor, scale: Scale) -> State:
    """The slow variance and the base variance of the mean standardised return u."""
    square = torch.minimum(u * u, scale.largest_square * state["Gm"])
    keep = decay(scale.variance_half_lives[-1])
    slow = keep * state["Vm"] + (1 - keep) * square
    return {"Vm": slow, "Gm": base_variance(state["Gm"], slow, square, (u < 0).to(u.dtype), scale)}


def inputs(state: State, x: Tensor, shock: Tensor, breadth: Tensor, scale: Scale) -> Tensor:
    """The twelve inputs in their fixed order, not yet standardised; shape (..., series, 12)."""
    log_scale = 0.5 * state["G"].log()
    relative = [0.5 * state[name].log() - log_scale for name in VARIANCES]
    downside = state["D"] / (state["V2"] + 1e-12) - 0.5
    base = state["G"].sqrt()
    trend = [state["m1"] / base, scale.slow_trend_gain * state["m2"] / base]
    return torch.stack([x, x.abs(), *relative, downside, *trend, shock, breadth], dim=-1)


@torch.no_grad()
def history(returns: Tensor, scale: Scale, market: int) -> tuple[Tensor, Tensor]:
    """Inputs after every session (sessions, series, 12) and the base scale before it (sessions, series).

    The first ``spin_up`` sessions give the first variance and are then run through, as the daemon does.
    """
    state = first_state(returns[: scale.spin_up], scale)
    rows, bases = [], []
    for r in returns:
        bases.append(state["G"].sqrt())
        state, row = advanced(state, r, scale, market)
        rows.append(row)
    return torch.stack(rows), torch.stack(bases)
