"""Why CVaR is not what it was: the change between two sessions as a sum over what moved.

A CVaR is a scale times a tail: C = s k, with s half the central 68 % range of the losses. The scale of a portfolio moves with
the joint set's sigma = sqrt(w' D R D w), D the standard deviations and R the correlation of its assets, and beyond it with
the forecast of the portfolio's own history. So from yesterday (0) to today (1) C is multiplied by

    model        what another model, another scenario setting or a refit alone makes of it, positions what other holdings make
    volatility   (sigma(D1, R0) / sigma(D0, R0) x sigma(D1, R1) / sigma(D0, R1)) ^ 1/2
    dependence   (sigma(D0, R1) / sigma(D0, R0) x sigma(D1, R1) / sigma(D1, R0)) ^ 1/2
    own_history  (s1 / s0) / (sigma(D1, R1) / sigma(D0, R0))
    tail         (C1 / s1) / (C0 / s0)
    data         with over without the corrections of earlier prices

each by revaluation with the same random numbers, the product being C1 / C0. What each adds is its Shapley value: the mean, over
all orders in which the factors may change one after the other, of the change of C when it changes. They sum to C1 - C0.
Sources: L. Shapley, in Contributions to the Theory of Games II (1953); A. Shorrocks, J. Economic Inequality 11 (2013).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskd.core.book_forecast import averaged
from riskd.core.challengers.gjr_fhs import gjr_samples
from riskd.core.garch import gjr_of
from riskd.core.glance import Glance, glance, joint_scales, losses_of, parted, scale
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Limit, Portfolio
from riskd.core.report import Explanation, PortfolioReport
from riskd.core.rules import Rules
from riskd.core.scenarios.anchor import quantiles
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.state import LimitKey, State
from riskd.core.views import past_of, pool_of

NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)  # exact to degree 7: for up to eight factors
SAME = 1e-6  # ratios nearer to one than this are of rounding


def shapley(start: float, ratios: Mapping[str, float]) -> dict[str, float]:
    """What each factor of ``start * prod(ratios)`` adds to ``start``, averaged over all orders; at most eight factors.

    phi_i = start (rho_i - 1) integral over t in [0, 1] of prod_{j != i} (1 + t (rho_j - 1)), a polynomial in t that four nodes
    integrate exactly. Source: G. Owen, Multilinear extensions of games, Management Science 18 (1972).
    """
    t = (NODES + 1) / 2
    steps = np.array([1 + t * (rho - 1) for rho in ratios.values()])  # (factors, nodes)
    values = {}
    for i, (name, rho) in enumerate(ratios.items()):
        others = np.delete(steps, i, axis=0).prod(axis=0)
        values[name] = float(start * (rho - 1) * (WEIGHTS @ others) / 2)
    return values


def joint_ratios(portfolios: tuple[Portfolio, ...], before: Glance, after: Glance) -> dict[str, tuple[float, float]]:
    """Portfolio -> by what volatilities and by what dependence its sigma on the joint set was multiplied."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # what has no scale is not explained
        d0, r0 = parted(before.covariance)
        d1, r1 = parted(after.covariance)
        pairs = {(i, j): joint_scales(portfolios, d, r) for i, d in enumerate((d0, d1)) for j, r in enumerate((r0, r1))}
        volatility = np.sqrt(pairs[1, 0] / pairs[0, 0] * pairs[1, 1] / pairs[0, 1])
        dependence = np.sqrt(pairs[0, 1] / pairs[0, 0] * pairs[1, 1] / pairs[1, 0])
    return {p.name: (float(v), float(d)) for p, v, d in zip(portfolios, volatility, dependence, strict=True)}


def with_explanations(
    rules: Rules,
    state: State,
    bank: ScenarioBank | None,
    uncorrected: ScenarioBank | None,
    reports: tuple[PortfolioReport, ...],
    eve_bank: Callable[[], ScenarioBank | None],
) -> tuple[State, tuple[PortfolioReport, ...]]:
    """``state`` after a session with what explanations of the next one need, and its reports with every limit explained.

    ``uncorrected`` is the bank without the corrections of earlier sessions, if there were any. ``eve_bank`` is asked where the
    state has seen no figures of the eve under the present rules: the first session after a start or a change.
    """
    if bank is None:
        return replace(state, glance=None), reports
    eve, now = state.eve.glance, glance(rules, bank, state.session)
    if eve is None or eve.basis != rules.view:
        made = eve_bank()
        eve = glance(rules, made, state.recent[-2]) if made is not None else None
    state = replace(state, glance=now, eve=replace(state.eve, glance=eve))
    if eve is None:
        return state, reports
    market = glance(rules, uncorrected, state.session) if uncorrected is not None else now
    return state, explained(rules, state, reports, eve, now, market, bank)


def explained(
    rules: Rules,
    state: State,
    reports: tuple[PortfolioReport, ...],
    before: Glance,
    now: Glance,
    market: Glance,
    bank: ScenarioBank,
) -> tuple[PortfolioReport, ...]:
    """The reports with every limit that has a figure, today and on the eve, explained.

    ``before`` is the eve seen under the present rules, ``market`` the session without corrections of earlier ones.
    """
    joint = joint_ratios(rules.portfolios, before, market)
    refits = _refits(rules, state, bank, now)
    days = _days(rules, state) if bank.exact and 1 in bank.returns else None
    done = []
    for portfolio, report in zip(rules.portfolios, reports, strict=True):
        limits = []
        for limit, told in zip(portfolio.limits, report.limits, strict=True):
            key = portfolio.name, limit.name
            if told.cvar is None or key not in before.figures:
                limits.append(told)
                continue
            ratios = _market(before.figures[key], market.figures[key], joint[portfolio.name], refits.get(key))
            if market is not now:
                ratios["data"] = _ratio(now.figures[key][0], market.figures[key][0])
            found = _explanation(state, rules, key, before, told.cvar, ratios)
            like = _like(bank, portfolio, limit.level, days, state.rows) if days is not None else {}
            limits.append(replace(told, explanation=replace(found, **like)))
        done.append(replace(report, limits=tuple(limits)))
    return tuple(done)


def _market(
    eve: tuple[float, float], today: tuple[float, float], joint: tuple[float, float], refit: tuple[float, float] | None
) -> dict[str, float]:
    """The factors that move with the market, and the refit; NaN where there is no scale."""
    (c0, s0), (c1, s1) = eve, today
    by_cvar, by_scale = refit or (1.0, 1.0)
    c1, s1 = c1 / by_cvar, s1 / by_scale
    own = _ratio(_ratio(s1, s0), joint[0] * joint[1])
    ratios = {"volatility": joint[0], "dependence": joint[1], "own_history": own, "tail": _ratio(_ratio(c1, s1), _ratio(c0, s0))}
    return ratios | {"model": by_cvar} if refit else ratios


def _explanation(
    state: State, rules: Rules, key: LimitKey, before: Glance, after: float, ratios: dict[str, float]
) -> Explanation:
    """From the last figure that was published, where it is one of the same measure and of the eve."""
    eve, now = state.eve.standings.get(key), rules.judged_by[key]
    start, since = before.figures[key][0], before.session
    if eve is not None and eve.cvar is not None and eve.by is not None and _alike(eve.by.limit, now.limit):
        differs = eve.by.differs(now)
        name = "positions" if "holdings" in differs and not {"model", "scenarios"} & {*differs} else "model"
        if eve.judged >= f"{state.session}":  # taken again under other rules: nothing else has moved
            return Explanation(eve.judged, eve.cvar, after, {name: after - eve.cvar})
        if eve.judged == f"{since}":
            if abs(_ratio(start, eve.cvar) - 1) > SAME:
                ratios[name] = ratios.get(name, 1.0) * _ratio(start, eve.cvar)
            start = eve.cvar
    if not all(math.isfinite(rho) and rho > 0 for rho in (start, *ratios.values())):
        return Explanation(f"{since}", start, after, {"remainder": after - start})
    parts = shapley(start, ratios)
    parts["own_history"] += after - start - sum(parts.values())  # rounding
    return Explanation(f"{since}", start, after, parts)


def _alike(one: Limit, other: Limit) -> bool:
    return (one.level, one.horizon) == (other.level, other.horizon)


def _ratio(one: float, other: float) -> float:
    return one / other if other else math.nan


def _refits(rules: Rules, state: State, bank: ScenarioBank, now: Glance) -> dict[LimitKey, tuple[float, float]]:
    """By what a refit of the portfolio's GARCH, where its turn was today, multiplied CVaR and scale."""
    symbols, old = len(rules.symbols), state.anchors[-1].fits if state.anchors else state.fits
    due = [
        i
        for i in range(len(rules.books))
        if np.isfinite(old[symbols + i, 0]) and not np.array_equal(old[symbols + i], state.fits[symbols + i])
    ]
    past, found = past_of(rules, state) if due else None, {}
    for i in due:
        portfolio, book = rules.books[i], bank.books.get(rules.books[i].name)
        if past is None or book is None:
            continue
        horizons = tuple(sorted({limit.horizon for limit in portfolio.limits}))
        kept = gjr_samples(gjr_of(old[symbols + i]), past.books[:, i], horizons, past.turn, rules.seed("A"))
        for limit in portfolio.limits:
            views = book.samples[limit.horizon]
            if len(views) == 2:
                losses = quantiles(averaged((views[0], kept[limit.horizon])), len(bank.returns[limit.horizon]))
                c1, s1 = now.figures[portfolio.name, limit.name]
                found[portfolio.name, limit.name] = _ratio(c1, cvar(losses, limit.level).value), _ratio(s1, scale(losses))
    return found


def _days(rules: Rules, state: State) -> NDArray[np.int32]:
    """Ordinals of the sessions that the rows of an exact bank are of, before they are turned."""
    known = np.asarray(np.isfinite(pool_of(rules, state)[:, : len(rules.symbols)]).any(axis=1))
    return np.asarray(state.days[-len(known) :][known])


def _like(bank: ScenarioBank, portfolio: Portfolio, level: float, days: NDArray[np.int32], turn: int) -> dict[str, Any]:
    """The past session whose return, as it would be today, comes nearest to one-session CVaR at ``level``, and that loss."""
    simple = bank.returns[1]
    seen = simple if portfolio.view is None else portfolio.view.simple(simple)
    losses = np.sort(losses_of(bank, portfolio, 1))
    place = int(np.abs(losses - cvar(losses, level).value).argmin())
    row = (seen @ portfolio.weights).argsort(kind="stable")[len(losses) - 1 - place]
    day = date.fromordinal(int(days[(row - turn) % len(days)]))
    return {"like": day.isoformat(), "like_loss": float(losses[place])}
