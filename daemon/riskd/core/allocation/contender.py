"""A contender: another way to choose weights, whose answer stands beside a proposal and never in its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from riskd.core.allocation.allocator import Allocator
from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.equal_weight import EqualWeight
from riskd.core.allocation.markowitz import Markowitz
from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats
from riskd.core.portfolio import Portfolio
from riskd.core.proxy import proxied


@dataclass(frozen=True, slots=True, eq=False)
class Lookback:
    """What was known at the end of ``session``: ``log_returns`` (sessions, symbols) in the portfolio's currency, oldest first.

    Where ``missing`` (sessions, symbols) no price could be used, and a stand-in is there. Sessions of which nothing is known are
    left out.
    """

    session: date
    log_returns: Floats
    missing: NDArray[np.bool_]


class Contender(Protocol):
    """Chooses weights; what it cannot costs nobody but itself."""

    @property
    def name(self) -> str:
        """What its answer stands under."""
        ...

    @property
    def identity(self) -> str:
        """Name and content: another identity may give other weights."""
        ...

    @property
    def sees_scenarios(self) -> bool:
        """Whether the scenarios enter its choice, so that its figures on them flatter it."""
        ...

    def answer(self, problem: Problem, history: Lookback) -> tuple[Allocation, str]:
        """Weights that keep bounds, budget, rows and turnover, and what a reader must know of them, or nothing.

        The problem's first tail has the horizon of its expected returns. Raises ModelError with the reason where it has none.
        """
        ...


@dataclass(frozen=True, slots=True)
class Optimiser:
    """An allocator that reads the problem alone."""

    name: str
    allocator: Allocator
    identity: str
    sees_scenarios: bool = True

    def answer(self, problem: Problem, history: Lookback) -> tuple[Allocation, str]:
        """See Contender."""
        return self.allocator.allocate(problem), ""


EQUAL_WEIGHT = Optimiser("equal weight", EqualWeight(), "equal weight", sees_scenarios=False)  # always there
MARKOWITZ = Markowitz()
BUILT_IN: Mapping[str, Contender] = {
    "markowitz": Optimiser("markowitz", MARKOWITZ, f"markowitz-{MARKOWITZ.aversion:g}"),
}


def lookback_of(log_returns: Floats, portfolio: Portfolio, session: date) -> Lookback:
    """What ``portfolio`` sees of ``log_returns`` (sessions, symbols) in quote currencies, NaN where no price could be used."""
    known = log_returns[np.isfinite(log_returns).any(axis=1)]
    whole = proxied(known)
    if portfolio.view is None:
        return Lookback(session, whole, ~np.isfinite(known))
    return Lookback(session, portfolio.view.log_returns(whole), ~np.isfinite(portfolio.view.log_returns(known)))
