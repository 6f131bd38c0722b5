"""The fixed recursions under the network: base scale, variances at five speeds, downside, trend and market."""

from collections.abc import Iterator

import torch
from torch import Tensor

from riskd_models.recipe import Ranges, Scale

VARIANCES = ("V1", "V2", "V3", "V4", "V5")
RANGES = ("X1", "X2", "X3")
INPUTS = 12

State = dict[str, Tensor]


def input_count(scale: Scale) -> int:
    """Twelve inputs, and four more of highs and lows."""
    return INPUTS + (1 + len(RANGES) if scale.ranges else 0)


def decay(half_life: float) -> float:
    """The weight of yesterday in an exponential average: 0.5^(1/half-life)."""
    return float(0.5 ** (1.0 / half_life))


def first_state(returns: Tensor, scale: Scale) -> State:
    """The state before any return is seen, from the variance of ``returns`` (spin_up, series); arrays (series,) or (1,)."""
    variance = returns.var(dim=0, unbiased=False) + scale.variance_floor
    market = torch.full_like(variance[:1], scale.market_variance)
    zero = torch.zeros_like(variance)
    state = dict.fromkeys(VARIANCES, variance)
    state |= {"D": variance / 2, "G": variance, "m1": zero, "m2": zero, "Vm": market, "Gm": market}
    return state | (dict.fromkeys(RANGES, variance) if scale.ranges else {})


def base_variance(variance: Tensor, slow: Tensor, square: Tensor, fell: Tensor, scale: Scale) -> Tensor:
    """G <- anchor V + (reaction + leverage 1{r<0}) r^2 + persistence G."""
    return scale.anchor * slow + (scale.reaction + scale.leverage * fell) * square + scale.persistence * variance


def advanced(state: State, r: Tensor, scale: Scale, market: int, rv: Tensor | None = None) -> tuple[State, Tensor]:
    """The state one session later and the network's inputs after it, shape (..., series, 12), or 16 with ``scale.ranges``.

    ``r`` (..., series) are log returns; the market inputs are means over the first ``market`` series. ``rv`` are range
    variances (riskd_models.bars), which a scale with ranges needs and no other looks at; raises ValueError without them.
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
    row = inputs(new, x, shock, breadth, scale)
    if scale.ranges is None:
        return new, row
    if rv is None:
        raise ValueError("a scale with ranges needs the session's range variance")
    new |= range_variances(state, rv, scale, scale.ranges)
    return new, torch.cat([row, range_inputs(state, new, rv, scale.ranges)], dim=-1)


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


def range_variances(state: State, rv: Tensor, scale: Scale, ranges: Ranges) -> State:
    """X_k <- lam X_k + (1 - lam) rv, from the quickest to the slowest; rv counts as little as a squared return may."""
    counted = torch.minimum(rv, scale.largest_square * state["G"])
    keeps = [decay(half_life) for half_life in ranges.half_lives]
    return {name: keep * state[name] + (1 - keep) * counted for name, keep in zip(RANGES, keeps, strict=True)}


def range_inputs(state: State, new: State, rv: Tensor, ranges: Ranges) -> Tensor:
    """log of the day's range deviation over the base scale before it, and of the three means over the one after it.

    A flat bar has no logarithm; it is the least that the clip lets through. Shape (..., series, 4).
    """
    today = (0.5 * (rv.log() - state["G"].log())).clamp(-ranges.largest_log, ranges.largest_log)
    log_scale = 0.5 * new["G"].log()
    return torch.stack([today, *(0.5 * new[name].log() - log_scale for name in RANGES)], dim=-1)


def states(returns: Tensor, scale: Scale, market: int, ranges: Tensor | None = None) -> Iterator[tuple[State, State, Tensor]]:
    """The state before every session and after it, and the inputs after it; ``ranges`` (sessions, series) where there are.

    The first ``spin_up`` sessions give the first variance and are then run through, as the daemon does.
    """
    state = first_state(returns[: scale.spin_up], scale)
    for t, r in enumerate(returns):
        before = state
        state, row = advanced(before, r, scale, market, None if ranges is None else ranges[t])
        yield before, state, row


@torch.no_grad()
def history(returns: Tensor, scale: Scale, market: int, ranges: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Inputs after every session (sessions, series, 12 or 16) and the base scale before it (sessions, series)."""
    rows, bases = [], []
    for before, _, row in states(returns, scale, market, ranges):
        bases.append(before["G"].sqrt())
        rows.append(row)
    return torch.stack(rows), torch.stack(bases)
