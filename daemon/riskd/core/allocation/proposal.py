"""A proposal: solved on one bank, verified where the optimiser did not look, or an honest statement that none exists."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from riskd.core.alerts import alert_event
from riskd.core.allocation.answer import Allocation, Ending
from riskd.core.allocation.beside import beside
from riskd.core.allocation.contender import EQUAL_WEIGHT, lookback_of
from riskd.core.allocation.frontier import frontier
from riskd.core.allocation.outlook import Books, alternative, frontier_points, largest, least_cvar, one_limit, outlooks, trades
from riskd.core.allocation.posed import ceilings, posed, standing, tail_per_asset
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.rounding import Orders, rounded
from riskd.core.allocation.search import Found, searched
from riskd.core.allocation.solve import solve
from riskd.core.allocation.verification import Reading, Verifier, estimate, optimism, unseen
from riskd.core.allocation.way_out import way_out
from riskd.core.allocation.wording import binding_words, certainty_words, found_words, headline, price_words, trust_words
from riskd.core.arrays import Floats, none_known
from riskd.core.events import AlertEvent, AlertKind
from riskd.core.portfolio import Portfolio
from riskd.core.proposed import Alternative, FrontierPoint, Proposal
from riskd.core.rules import Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.errors import InfeasibleError, SolverError

KIND = {
    "proposed": AlertKind.ALLOCATION_PROPOSED,
    "infeasible": AlertKind.ALLOCATION_INFEASIBLE,
    "failed": AlertKind.ALLOCATION_FAILED,
}


def holds(portfolio: Portfolio, weights: Floats, bank: ScenarioBank) -> bool:
    """Whether ``weights`` respect every limit of the portfolio on ``bank``."""
    bank = bank.seen_by(portfolio)
    return all(estimate(bank, portfolio, limit, weights).value <= limit.max_cvar for limit in portfolio.limits)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What else the fold knows: newest ``closes`` (symbols,) in quote currencies, empty where unknown; how many ``sessions`` the
    banks were made of; the weights of the ``standing`` proposal, to start from; the ``log_returns`` (sessions, symbols) that
    contenders read."""

    closes: Floats = field(default_factory=none_known)
    sessions: int = 1500
    standing: Floats | None = None
    log_returns: Floats = field(default_factory=lambda: np.empty((0, 0)))


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One portfolio's question with everything that an answer is told from."""

    rules: Rules
    portfolio: Portfolio
    session: date
    books: Books
    orders: Orders
    chooser: ScenarioBank
    verifier: Verifier
    known: Known
    optimism: Mapping[str, float] = field(default_factory=dict)

    def solve(self, problem: Problem, start: Allocation | None = None) -> Allocation:
        """By the configured ladder."""
        spec = self.rules.allocation
        return solve(problem, tolerance=spec.tolerance, start=start, methods=spec.solvers)

    def rounded(self, answer: Allocation) -> Floats:
        """Tradeable weights."""
        return rounded(self.books.posed.problem, answer.weights, self.orders)


def propose(
    rules: Rules,
    portfolio: Portfolio,
    chooser: ScenarioBank,
    verifier: ScenarioBank,
    session: date,
    known: Known = Known(),
) -> tuple[Proposal, AlertEvent]:
    """Weights of largest expected return net of costs that hold every limit with certainty, and the alert that tells of them.

    Infeasible is a normal answer with the least achievable CVaR; a proposal that does not verify is never published.
    """
    case = _case(rules, portfolio, chooser.seen_by(portfolio), verifier.seen_by(portfolio), session, known)
    try:
        case, found = _found(case)
    except (SolverError, InfeasibleError) as error:
        status = "failed" if isinstance(error, SolverError) else "infeasible"
        proposal = _none(case, status, str(error))
    else:
        proposal = _proposed(case, found) if found.certain else _infeasible(case, found)
    why: dict[str, object] = {"proposal": proposal}
    about = () if known.standing is None else ("instead",)  # it may be of the same session: told as well
    alert = alert_event(KIND[proposal.status], portfolio.name, proposal.limit, session, headline(proposal), why, about)
    return proposal, alert


def _case(rules: Rules, portfolio: Portfolio, chooser: ScenarioBank, verifier: ScenarioBank, session: date, known: Known) -> Case:
    task = posed(rules.allocation, portfolio, chooser, known.sessions)
    closes = known.closes if len(known.closes) else np.full(len(rules.symbols), np.nan)
    prices = closes if portfolio.view is None else portfolio.view.prices(closes)
    lots = np.array([rules.lots.get(symbol, 0.0) for symbol in rules.symbols]) * prices / portfolio.value
    orders = Orders(portfolio.bounds.least_trade, np.where(np.isfinite(lots), lots, 0.0))
    books = Books(rules.symbols, portfolio, task, prices)
    return Case(rules, portfolio, session, books, orders, chooser, Verifier(portfolio, chooser, verifier, {}), known)


def _found(case: Case) -> tuple[Case, Found]:
    """The optimism first, then the search. Raises SolverError, and InfeasibleError where no weights keep bounds and budget."""
    task = case.books.posed
    grown = optimism(task, unseen(task, case.chooser), case.solve)
    case = replace(case, optimism=grown, verifier=replace(case.verifier, optimism=grown))
    start = None if case.known.standing is None else standing(task.problem, case.known.standing)
    return case, searched(task, case.orders, case.verifier, case.solve, case.rules.allocation.tightenings, start)


def _proposed(case: Case, found: Found) -> Proposal:
    weights, task = found.weights, case.books.posed
    held = case.verifier.plain(case.portfolio.weights)
    told = outlooks(held, found.readings, found.answer)
    place = largest(held)
    others, least, silent = _alternatives(case, held, place)
    notes = (
        *trust_words(tail_per_asset(task), case.optimism, task.shrinkage),
        *certainty_words(found.readings),
        *price_words(told, task.horizon),
        *binding_words(case.books, found.answer, weights),
        *found_words(found, ceilings(task.limits)),
        *_lot_words(case),
        *silent,
    )
    chosen = alternative(case.books, "proposal", weights, found.readings, case.orders.largest)
    return replace(
        _stub(case, "proposed", held, place, notes),
        cvar_after=found.readings[place].chosen.value,
        cvar_verified=found.readings[place].verified.value,
        expected_return_after=float(task.problem.expected @ weights),
        weights=case.books.named(weights),
        cash=case.books.cash(weights),
        trades=trades(case.books, weights, task.limits[place], case.chooser),
        turnover=chosen.turnover,
        cost=chosen.cost,
        solver=found.answer.method,
        gap=max(0.0, found.answer.gap),
        rounds=found.rounds,
        limits=told,
        alternatives=others,
        frontier=_frontier(case, place, least),
    )


def _infeasible(case: Case, found: Found) -> Proposal:
    """Nothing holds with certainty: what is nearest, and what would make room."""
    held = case.verifier.plain(case.portfolio.weights)
    worst = max(found.readings, key=lambda reading: reading.excess)
    limit, least = worst.limit, worst.chosen.value
    words = f"the least achievable CVaR is {least:.2%}, limit {limit.name} is {limit.max_cvar:.2%}"
    if least <= limit.max_cvar:
        words += f", but its upper end where it is verified is {worst.verified.high:.2%}: no weights hold with certainty"
    place = case.books.posed.limits.index(limit)
    others, _, silent = _alternatives(case, held, place)
    conflict, relaxation = _way_out(case, found.readings, found.weights)
    notes = (words, "current holdings stay", *_way_out_words(conflict, relaxation), *silent)
    return replace(
        _stub(case, "infeasible", held, place, notes),
        least_cvar=least,
        least_upper=worst.verified.high,
        limits=outlooks(held, found.readings, None),
        alternatives=others,
        conflict=conflict,
        relaxation=relaxation,
    )


def _none(case: Case, status: str, words: str) -> Proposal:
    held = case.verifier.plain(case.portfolio.weights)
    conflict, relaxation = _way_out(case, held, None) if status == "infeasible" else ((), ())
    notes = (words, "current holdings stay", *_way_out_words(conflict, relaxation))
    proposal = _stub(case, status, held, largest(held), notes)
    return replace(proposal, limits=outlooks(held, None, None), conflict=conflict, relaxation=relaxation)


def _way_out(case: Case, readings: tuple[Reading, ...], near: Floats | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What conflicts and what would make room; nothing is said where that cannot be solved for either."""
    try:
        return way_out(case.books.posed, readings, near)
    except SolverError:
        return (), ()


def _way_out_words(conflict: tuple[str, ...], relaxation: tuple[str, ...]) -> tuple[str, ...]:
    pairs = (("these cannot be kept together", conflict), ("the cheapest way to make room", relaxation))
    return tuple(f"{words}: {'; '.join(found)}" for words, found in pairs if found)


def _stub(case: Case, status: str, held: tuple[Reading, ...], place: int, notes: tuple[str, ...]) -> Proposal:
    """What stands in every answer: where the portfolio is, and that it stays there."""
    task, limit = case.books.posed, held[place].limit
    return Proposal(
        portfolio=case.portfolio.name,
        session=case.session,
        status=status,
        limit=limit.name,
        max_cvar=limit.max_cvar,
        cvar_before=held[place].chosen.value,
        cvar_after=None,
        cvar_verified=None,
        least_cvar=None,
        expected_return_before=float(task.problem.expected @ case.portfolio.weights),
        expected_return_after=None,
        weights=case.books.named(case.portfolio.weights),
        cash=case.portfolio.cash,
        trades=(),
        turnover=0.0,
        solver=", ".join(case.rules.allocation.solvers),
        notes=notes,
        horizon=task.horizon,
        currency=case.portfolio.currency,
        tail_per_asset=tail_per_asset(task),
    )


def _alternatives(
    case: Case, held: tuple[Reading, ...], place: int
) -> tuple[tuple[Alternative, ...], float | None, tuple[str, ...]]:
    """Doing nothing, the least CVaR there is, equal weights and the contenders'; that least CVaR on the bank that chose; and
    which contenders give none."""
    books, lot = case.books, case.orders.largest
    problem = books.posed.problem
    told = [alternative(books, "do nothing", case.portfolio.weights, held, lot)]
    answer = case.solve(least_cvar(problem, place))
    least = None
    if answer.status in (Ending.OPTIMAL, Ending.BOUNDARY):
        least = float(answer.cvars[0])
        weights = case.rounded(answer)
        told.append(alternative(books, "least CVaR", weights, case.verifier(weights), lot))
    history = lookback_of(case.known.log_returns, case.portfolio, case.session)
    others, silent = beside((EQUAL_WEIGHT, *case.rules.allocators), history, books, case.rounded, case.verifier, lot)
    return (*told, *others), least, silent


def _frontier(case: Case, place: int, least: float | None) -> tuple[FrontierPoint, ...]:
    """Between the least CVaR there is and that of the largest return, on the bank that chose."""
    points, problem = case.rules.allocation.frontier, one_limit(case.books.posed.problem, place)
    if points < 2 or least is None:
        return ()
    free = replace(problem, tails=(replace(problem.tails[0], limit=np.inf), *problem.tails[1:]))
    most = case.solve(free)
    if most.status not in (Ending.OPTIMAL, Ending.BOUNDARY):
        return ()
    limits = np.linspace(least, max(least, float(most.cvars[0])), points + 1)[1:].tolist()
    spec = case.rules.allocation
    return frontier_points(limits, frontier(problem, limits, spec.tolerance, spec.solvers))


def _lot_words(case: Case) -> tuple[str, ...]:
    unknown = [s for s, price in zip(case.rules.symbols, case.books.prices.tolist(), strict=True) if not np.isfinite(price)]
    without = [symbol for symbol in unknown if symbol in case.rules.lots]
    return (f"no usable close of {', '.join(without)}: the order is not rounded to its lot",) if without else ()
