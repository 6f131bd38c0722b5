"""A proposal in words for people: how sure it is, what binds, what more room would earn."""

from collections.abc import Mapping, Sequence

import numpy as np

from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.certificate import turnover
from riskd.core.allocation.outlook import Books
from riskd.core.allocation.search import Found
from riskd.core.allocation.verification import FOLDS, Reading
from riskd.core.arrays import Floats
from riskd.core.proposed import LimitOutlook, Proposal

ENOUGH = 10  # tail scenarios per asset; with fewer an optimiser flatters itself
AT = 1e-6  # of a bound
NEAR = 1e-3  # of a row or the ceiling of turnover, beside what rounding leaves free
NAMED = 6  # symbols named in one sentence
BASIS_POINT = 1e-4
WORTH_SAYING = 5e-3  # of a basis point


def sessions(count: int) -> str:
    """A number of sessions."""
    return "1 session" if count == 1 else f"{count} sessions"


def certainty_words(readings: Sequence[Reading]) -> tuple[str, ...]:
    """Each limit's verified figure with its interval."""
    return tuple(
        f"{r.limit.name}: CVaR {r.chosen.value:.2%} where the weights were chosen, {r.verified.value:.2%} where they were "
        f"verified (95 % interval {r.verified.low:.2%} to {r.verified.high:.2%}), limit {r.limit.max_cvar:.2%}"
        for r in readings
    )


def trust_words(tail: float, optimism: Mapping[str, float], shrinkage: float) -> tuple[str, ...]:
    """How far the optimiser may be trusted: its tail per asset, its optimism, what its expected returns are worth."""
    told = [f"{tail:.0f} tail scenarios per asset entered the optimiser{'' if tail >= ENOUGH else f', {ENOUGH} are wanted'}"]
    told += [
        f"{name}: over sessions kept from the optimiser ({FOLDS} turns, a fifth each) its CVaR was {share:.1%} higher than where "
        "it chose; the verified figure carries that"
        for name, share in optimism.items()
        if share > 0
    ]
    told.append(f"{shrinkage:.0%} of the differences between expected returns were taken for noise")
    return tuple(told)


def price_words(outlooks: Sequence[LimitOutlook], horizon: int) -> tuple[str, ...]:
    """What one basis point more of each limit would earn."""
    return tuple(
        f"one basis point more of limit {o.name} would earn {o.worth:.2f} bp over {sessions(horizon)}"
        for o in outlooks
        if o.worth is not None and o.worth > WORTH_SAYING
    )


def binding_words(books: Books, answer: Allocation, weights: Floats) -> tuple[str, ...]:
    """Every constraint but the limits that stops the weights from earning more."""
    problem, told = books.posed.problem, []
    for word, bound, wanted in (("upper", problem.upper, answer.reduced > 0), ("lower", problem.lower, answer.reduced < 0)):
        at = (np.abs(weights - bound) <= AT) & wanted & (problem.upper > problem.lower)
        if word == "lower":
            at &= bound != 0  # what is not held is not news
        names = [f"{books.symbols[i]} ({bound[i]:.1%})" for i in np.flatnonzero(at)]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        told += [f"at the {word} bound: {', '.join(names[:NAMED])}{more}"] if names else []
    if answer.multipliers is not None and problem.rows is not None and problem.most is not None:
        full = (problem.rows @ answer.weights >= problem.most - NEAR) & (answer.multipliers.rows > AT)
        told += [f"{problem.row_names[k]} binds" for k in np.flatnonzero(full)]
    if turnover(problem, weights) >= problem.turnover - NEAR:
        told.append(f"turnover is at its ceiling of {problem.turnover:.1%}")
    cash = books.cash(weights)
    if problem.most_cash > 0 and cash >= problem.most_cash - AT:
        told.append(f"cash is at its ceiling of {problem.most_cash:.1%}")
    return tuple(told)


def found_words(found: Found, limits: Floats) -> tuple[str, ...]:
    """How it was found: method, proof, and how far the limits were drawn in."""
    answer = found.answer
    told = [
        f"{answer.method} proved the weights within {max(0.0, answer.gap):.1e} of the best there is, in {_times(found.rounds)}"
    ]
    inner = float((found.ceilings / limits).min())
    if inner < 1:
        told.append(f"the inner limit was tightened to {inner:.4f} of the limit, so that the verification agrees")
    return (*told, *(f"not certified: {words}" for words in answer.said))


def _times(rounds: int) -> str:
    return "one round" if rounds == 1 else f"{rounds} rounds"


def headline(proposal: Proposal) -> str:
    """One sentence for an alert."""
    words = proposal.notes[0]
    if proposal.status == "proposed":
        words = (
            f"{len(proposal.trades)} trades, turnover {proposal.turnover:.1%}, bring CVaR from {proposal.cvar_before:.2%} "
            f"to {proposal.cvar_verified:.2%} (verified), limit {proposal.max_cvar:.2%}"
        )
    return f"{proposal.portfolio}: allocation {proposal.status}: {words}"
