"""A proposal: solved on one bank, verified on another, or an honest statement that none exists."""

from dataclasses import replace
from datetime import date

import numpy as np

from riskd.core.alerts import alert_event
from riskd.core.allocation.general import solve
from riskd.core.allocation.holdings_problem import Problem, Solution, limit_ratio, turnover, violations
from riskd.core.arrays import Floats
from riskd.core.events import AlertEvent, AlertKind, Proposal, Trade
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Limit, Portfolio
from riskd.core.rules import AllocationRules, Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.errors import InfeasibleError, SolverError

ROUNDING = 4  # decimals of a proposed weight: one basis point
CHECK = 1e-6  # constraint tolerance of the independent check, beside rounding
ENOUGH = 10  # tail scenarios per asset; with fewer an optimiser flatters itself
CAUTION = 0.995  # a tightened inner limit aims this far under what the verifying bank asks


def holds(portfolio: Portfolio, weights: Floats, bank: ScenarioBank) -> bool:
    """Whether ``weights`` respect every limit of the portfolio on ``bank``."""
    bank = bank.seen_by(portfolio)
    return all(limit_ratio(limit, bank.losses(weights, limit.horizon)) <= 1 for limit in portfolio.limits)


def propose(
    rules: Rules, portfolio: Portfolio, chooser: ScenarioBank, verifier: ScenarioBank, session: date
) -> tuple[Proposal, AlertEvent]:
    """Weights of largest expected return that respect every limit on both banks, and the alert that tells of them.

    When the verifying bank shows a higher CVaR than allowed the inner limit is tightened and the problem solved again.
    Infeasible is a normal answer with the least achievable CVaR; a proposal that does not verify is never published.
    """
    chooser, verifier = chooser.seen_by(portfolio), verifier.seen_by(portfolio)
    problem = _problem(rules.allocation, portfolio, chooser)
    try:
        solution, problem = _verified(rules.allocation, portfolio, problem, chooser, verifier)
    except InfeasibleError as error:
        proposal = _none(rules, portfolio, problem, chooser, session, "infeasible", str(error), error.least_cvar)
    except SolverError as error:
        proposal = _none(rules, portfolio, problem, chooser, session, "failed", str(error), None)
    else:
        proposal = _proposed(rules, portfolio, problem, solution, chooser, verifier, session)
    return proposal, _alert(proposal)


def _problem(spec: AllocationRules, portfolio: Portfolio, bank: ScenarioBank) -> Problem:
    """The first ``spec.scenarios`` paths of the bank; expected returns over the longest limit horizon, of all paths."""
    horizons = {limit.horizon for limit in portfolio.limits}
    returns = {h: bank.returns[h][: spec.scenarios] for h in horizons}
    expected = bank.returns[max(horizons)].mean(axis=0)
    tradeable = None if portfolio.view is None else portfolio.view.tradeable
    held = portfolio.weights, portfolio.cash
    return Problem(returns, expected, portfolio.limits, portfolio.bounds, *held, tradeable=tradeable)


def _verified(
    spec: AllocationRules, portfolio: Portfolio, problem: Problem, chooser: ScenarioBank, verifier: ScenarioBank
) -> tuple[Solution, Problem]:
    """Solve and tighten until both banks agree; raises InfeasibleError or SolverError."""
    for _ in range(spec.tightenings + 1):
        solution = _ladder(spec, problem)
        if not solution.feasible:
            raise _infeasible(problem, solution, chooser)
        solution = replace(solution, weights=_rounded(solution.weights, problem.least, problem.most))
        broken = violations(problem, solution.weights, CHECK + 10.0**-ROUNDING * len(solution.weights))
        if broken:
            raise SolverError(f"{solution.solver}: {'; '.join(broken)}")
        excess = max(
            limit_ratio(limit, bank.losses(solution.weights, limit.horizon))
            for limit in portfolio.limits
            for bank in (chooser, verifier)
        )
        if excess <= 1:
            return solution, problem
        problem = replace(problem, inner=problem.inner * CAUTION / excess)
    raise SolverError(f"no weights verified on the independent bank after {spec.tightenings} tightenings")


def _ladder(spec: AllocationRules, problem: Problem) -> Solution:
    """The first solver that succeeds; what the others said is kept in the error."""
    said = []
    for solver in spec.solvers:
        try:
            return solve(problem, solver)
        except SolverError as error:
            said.append(str(error))
    raise SolverError("; ".join(said))


def _infeasible(problem: Problem, solution: Solution, chooser: ScenarioBank) -> InfeasibleError:
    limit = _binding(problem.limits, solution.weights, chooser)
    least = cvar(chooser.losses(solution.weights, limit.horizon), limit.level).value
    words = f"the least achievable CVaR is {least:.4f}, limit {limit.name} is {limit.max_cvar:.4f}"
    if problem.inner < 1:
        words += f" (inner limit {problem.inner * limit.max_cvar:.4f} so that an independent bank agrees)"
    return InfeasibleError(words, least)


def _binding(limits: tuple[Limit, ...], weights: Floats, bank: ScenarioBank) -> Limit:
    """The limit that ``weights`` use up most."""
    return max(limits, key=lambda limit: limit_ratio(limit, bank.losses(weights, limit.horizon)))


def _rounded(weights: Floats, least: Floats, most: Floats) -> Floats:
    """Whole basis points; what rounding leaves over goes to the asset farthest from its bounds, so that the budget holds."""
    rounded = np.round(weights, ROUNDING)
    interior = int(np.argmax(np.minimum(weights - least, most - weights)))
    rounded[interior] = np.round(rounded[interior] + np.round(weights.sum(), ROUNDING) - rounded.sum(), ROUNDING)
    return rounded + 0.0  # no -0.0


def _none(
    rules: Rules,
    portfolio: Portfolio,
    problem: Problem,
    chooser: ScenarioBank,
    session: date,
    status: str,
    words: str,
    least: float | None,
) -> Proposal:
    """No proposal: current holdings stay."""
    limit = _binding(portfolio.limits, portfolio.weights, chooser)
    return Proposal(
        portfolio=portfolio.name,
        session=session,
        status=status,
        limit=limit.name,
        max_cvar=limit.max_cvar,
        cvar_before=_cvar(limit, portfolio.weights, chooser),
        cvar_after=None,
        cvar_verified=None,
        least_cvar=least,
        expected_return_before=float(problem.expected @ portfolio.weights),
        expected_return_after=None,
        weights=dict(zip(rules.symbols, portfolio.weights.tolist(), strict=True)),
        cash=portfolio.cash,
        trades=(),
        turnover=0.0,
        solver=", ".join(rules.allocation.solvers),
        notes=(words, "current holdings stay"),
    )


def _proposed(
    rules: Rules,
    portfolio: Portfolio,
    problem: Problem,
    solution: Solution,
    chooser: ScenarioBank,
    verifier: ScenarioBank,
    session: date,
) -> Proposal:
    weights = solution.weights
    limit = _binding(portfolio.limits, portfolio.weights, chooser)
    cash = round(1.0 - float(weights.sum()), ROUNDING) + 0.0  # neither -1e-17 nor -0.0
    return Proposal(
        portfolio=portfolio.name,
        session=session,
        status="proposed",
        limit=limit.name,
        max_cvar=limit.max_cvar,
        cvar_before=_cvar(limit, portfolio.weights, chooser),
        cvar_after=_cvar(limit, weights, chooser),
        cvar_verified=_cvar(limit, weights, verifier),
        least_cvar=None,
        expected_return_before=float(problem.expected @ portfolio.weights),
        expected_return_after=float(problem.expected @ weights),
        weights=dict(zip(rules.symbols, weights.tolist(), strict=True)),
        cash=cash,
        trades=_trades(rules, portfolio.weights, weights),
        turnover=turnover(weights, cash, portfolio.weights, portfolio.cash),
        solver=solution.solver,
        notes=_remarks(problem, limit),
    )


def _cvar(limit: Limit, weights: Floats, bank: ScenarioBank) -> float:
    return cvar(bank.losses(weights, limit.horizon), limit.level).value


def _trades(rules: Rules, current: Floats, weights: Floats) -> tuple[Trade, ...]:
    """Changes of weight that are more than dust, largest sale first."""
    changes = zip(rules.symbols, (weights - current).tolist(), strict=True)
    trades = (Trade(symbol, change) for symbol, change in changes if abs(change) >= rules.allocation.dust)
    return tuple(sorted(trades, key=lambda trade: (trade.change, trade.symbol)))


def _remarks(problem: Problem, limit: Limit) -> tuple[str, ...]:
    """How far the optimiser may be trusted: its tail per asset, and whether it had to be reined in."""
    tail = (1 - limit.level) * len(problem.returns[limit.horizon]) / len(problem.current)
    remarks = [f"{tail:.0f} tail scenarios per asset entered the optimiser{'' if tail >= ENOUGH else f', {ENOUGH} are wanted'}"]
    if problem.inner < 1:
        remarks.append(f"the inner limit was tightened to {problem.inner:.4f} of the limit so that an independent bank agrees")
    return tuple(remarks)


def _alert(proposal: Proposal) -> AlertEvent:
    """The proposal as an alert; the numbers travel in the retained allocation too."""
    kind = {
        "proposed": AlertKind.ALLOCATION_PROPOSED,
        "infeasible": AlertKind.ALLOCATION_INFEASIBLE,
        "failed": AlertKind.ALLOCATION_FAILED,
    }[proposal.status]
    if proposal.status == "proposed":
        words = (
            f"{len(proposal.trades)} trades, turnover {proposal.turnover:.1%}, bring CVaR from {proposal.cvar_before:.2%} "
            f"to {proposal.cvar_verified:.2%} (verified), limit {proposal.max_cvar:.2%}"
        )
    else:
        words = proposal.notes[0]
    why: dict[str, object] = {"proposal": proposal}
    headline = f"{proposal.portfolio}: allocation {proposal.status}: {words}"
    return alert_event(kind, proposal.portfolio, proposal.limit, proposal.session, headline, why)
