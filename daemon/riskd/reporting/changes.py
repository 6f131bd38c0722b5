"""What changed in one portfolio since the session before: figures, limits, how the forecast for the day turned out."""

import math
from collections.abc import Mapping
from typing import Any

from riskd.core.report import Figure, LimitReport, PortfolioReport, figure_of
from riskd.reporting.rounding import difference, money

Row = dict[str, Any]


def figures(now: PortfolioReport, before: PortfolioReport | None) -> Row:
    """VaR and CVaR at every level and horizon, beside those of the session before."""
    return {measure(f): _figure(f, figure_of(before, f.level, f.horizon) if before else None) for f in now.figures}


def measure(of: Figure | LimitReport) -> str:
    """``0.95 over 1 session``."""
    return f"{of.level:g} over {of.horizon} session{'s' if of.horizon > 1 else ''}"


def _figure(now: Figure, before: Figure | None) -> Row:
    var, cvar = (before.var, before.cvar) if before else (None, None)
    return {
        "level": now.level,
        "horizon": now.horizon,
        "var": now.var,
        "var_before": var,
        "var_change": difference(now.var, var),
        "cvar": now.cvar,
        "cvar_before": cvar,
        "cvar_change": difference(now.cvar, cvar),
        "cvar_low": now.cvar_low,
        "cvar_high": now.cvar_high,
        "challengers": {r.name: r.cvar for r in now.challengers},
        "challenger_cvar": now.challenger_cvar,
    }


def limits(now: PortfolioReport, before: PortfolioReport | None) -> Row:
    """Every limit with what it uses, where it stands and stood, what people said of it, and why it moved."""
    eve = {limit.name: limit for limit in before.limits} if before else {}
    return {limit.name: _limit(limit, eve.get(limit.name), now) | _why(limit) for limit in now.limits}


def _limit(now: LimitReport, before: LimitReport | None, report: PortfolioReport) -> Row:
    room = None if now.cvar is None else now.max_cvar - now.cvar
    same = before if before and (before.level, before.horizon) == (now.level, now.horizon) else None
    eve = same.cvar if same else None
    return {
        "level": now.level,
        "horizon": now.horizon,
        "max_cvar": now.max_cvar,
        "max_cvar_before": same and same.max_cvar,
        "cvar": now.cvar,
        "cvar_before": eve,
        "cvar_change": difference(now.cvar, eve),
        "used": used(now),
        "headroom": room,
        "headroom_money": money(room, report.value),
        "probability": now.probability,
        "state": now.state,
        "state_before": same and same.state,
        "since": now.since,
        "acknowledged": now.acknowledged,
        "silence": now.silence,
        "judged_by_another": now.changed,
    }


def _why(limit: LimitReport) -> Row:
    return {
        "explanation": limit.explanation,
        "components": {c.symbol: _component(c.weight, c.component_cvar, c.marginal_cvar) for c in limit.contributions},
        "cvar_if_accepted": limit.cvar_if_accepted,
        "cvar_if_proxied": limit.cvar_if_proxied,
    }


def _component(weight: float, component: float, marginal: float) -> Row:
    return {"weight": weight, "component_cvar": component, "marginal_cvar": marginal}


def used(limit: LimitReport) -> float | None:
    """The share of the limit that CVaR takes; None where it cannot be judged."""
    return None if limit.cvar is None else limit.cvar / limit.max_cvar


def outturn(now: PortfolioReport, before: PortfolioReport | None) -> Row:
    """The session's loss against the one-session VaR that the session before had forecast, by level."""
    eve = {f"{f.level:g}": f.var for f in before.figures if f.horizon == 1 and math.isfinite(f.var)} if before else {}
    loss = now.realised_loss
    return {
        "loss": loss,
        "loss_money": money(loss, now.value),
        "var": eve,
        "beyond": {level: None if loss is None else loss > var for level, var in eve.items()},
        "pit": now.pit,
        "crps": now.crps,
    }


def moved(now: Mapping[str, float], before: Mapping[str, float] | None) -> Row:
    """Holdings whose weight is another one than it was; empty where nothing was changed."""
    if before is None:
        return {}
    names = sorted({*now, *before})
    pairs = {name: (now.get(name, 0.0), before.get(name, 0.0)) for name in names}
    return {name: {"now": n, "before": b} for name, (n, b) in pairs.items() if n != b}
