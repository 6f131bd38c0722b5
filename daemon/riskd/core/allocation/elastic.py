"""The problem with every named constraint made elastic: what the least it takes is to meet them, proved.

The scenarios stand in the linear program in pieces, so that its cost is a lower bound; where the true CVaR at its weights is
higher the pieces are refined there and it is solved again, until both agree. Refined pieces stay valid for the next question.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from riskd.core.allocation.certificate import weighted_cvar
from riskd.core.allocation.named import columns, moves, named
from riskd.core.allocation.pieces import Pieces
from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats
from riskd.errors import InfeasibleError, SolverError

ROUNDS = 60
EXACT = 1e-9  # CVaR may exceed that of the pieces by this share of a typical return
TIGHT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}  # the tightest that HiGHS takes
WIDE = 10.0  # budgets: a constraint that is left out is this far away


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """``amounts`` (k,) by which each named constraint is exceeded at ``weights`` (n,); ``least`` <= the cost of any weights.

    ``common`` is what every limit is exceeded by beyond its own amount. ``needed`` (k,): constraints the bound rests on.
    """

    weights: Floats
    amounts: Floats
    common: float
    least: float
    needed: NDArray[np.bool_]


class Elastic:
    """A problem whose constraints may be exceeded at a price.

    Columns: x of :mod:`named`, an amount for every name, the common amount of the limits; then t and u of every limit's pieces.
    """

    def __init__(self, problem: Problem, start: Floats | None = None) -> None:
        self.problem, self.names = problem, named(problem)
        self._limits = [k for k, one in enumerate(self.names) if one.tail is not None]
        self._pieces = [Pieces(problem.tails[self.names[k].tail or 0]) for k in self._limits]
        self._size = max((float(np.abs(piece.tail.scenarios).mean()) for piece in self._pieces), default=1.0) or 1.0
        self._reach = WIDE * max(1.0, abs(problem.budget))
        self._width = columns(problem) + len(self.names) + 1
        for piece in self._pieces:
            held = np.full(problem.assets, 1 / problem.assets) if start is None else start
            piece.refine(-(piece.tail.scenarios @ held))

    def cheapest(self, prices: Floats, common: bool = False, beyond: float = np.inf) -> Relaxed:
        """The least sum of ``prices`` (k,) times amounts: at inf a constraint is never exceeded, at 0 it is left out.

        With ``common`` also one amount of any sign, at price 1, that every limit is exceeded by. Stops early once the cost is
        proved to be above ``beyond``. Raises InfeasibleError where what is never exceeded cannot be met, SolverError else.
        """
        for _ in range(ROUNDS):
            x, least, needed = self._program(prices, common)
            weights, amounts, shared = (
                x[: self.problem.assets],
                x[columns(self.problem) : self._width - 1],
                float(x[self._width - 1]),
            )
            if least > beyond or not self._refined(weights, amounts[self._limits] + shared):
                return Relaxed(weights, amounts, shared, least, needed)
        raise SolverError(f"the pieces of the scenarios were not fine enough after {ROUNDS} rounds")

    def _refined(self, weights: Floats, amounts: Floats) -> bool:
        """Whether pieces had to be refined because a limit is exceeded by more than its amount."""
        refined = False
        for piece, amount in zip(self._pieces, amounts, strict=True):
            losses = -(piece.tail.scenarios @ weights)
            if weighted_cvar(piece.tail, losses) - piece.tail.limit - amount > EXACT * self._size:
                piece.refine(losses)
                refined = True
        return refined

    def _program(self, prices: Floats, common: bool) -> tuple[Floats, float, NDArray[np.bool_]]:
        """The columns, their cost and which names have a multiplier, given the pieces so far."""
        rows, most, owner = self._rows()
        cost, bounds = self._columns(prices, common)
        found = optimize.linprog(cost, A_ub=rows, b_ub=most, bounds=bounds, method="highs-ds", options=TIGHT)
        if found.status == 2:
            raise InfeasibleError("what must never be exceeded cannot be met together")
        if found.status != 0:
            raise SolverError(f"HiGHS: {found.message}")
        used = owner[np.abs(found.ineqlin.marginals) > 1e-9]
        return found.x, float(found.fun), np.isin(np.arange(len(self.names)), used)

    def _columns(self, prices: Floats, common: bool) -> tuple[Floats, Floats]:
        """Cost of every column and its bounds (columns, 2)."""
        n, extra = self.problem.assets, sum(len(piece.shares) + 1 for piece in self._pieces)
        cost = np.zeros(self._width + extra)
        low, high = np.zeros_like(cost), np.full_like(cost, np.inf)
        low[:n], high[:n] = -self._reach, self._reach
        amounts = slice(columns(self.problem), self._width - 1)
        cost[amounts] = np.where(np.isfinite(prices), prices, 0.0)
        high[amounts] = np.select([np.isinf(prices), prices == 0], [0.0, self._reach], np.inf)
        cost[self._width - 1] = common
        low[self._width - 1], high[self._width - 1] = (-self._reach, self._reach) if common else (0.0, 0.0)
        begin = self._width
        for piece in self._pieces:
            low[begin] = -np.inf  # t
            begin += len(piece.shares) + 1
        return cost, np.column_stack([low, high])

    def _rows(self) -> tuple[sparse.csr_array, Floats, NDArray[np.intp]]:
        """Rows over all columns, their most, and the name that owns each (-1: none)."""
        left, most, owners = (list(part) for part in zip(self._still(), *self._tails(), strict=True))
        excesses = [_excess(piece) for piece in self._pieces]
        right = sparse.block_diag(excesses) if excesses else sparse.csr_array((0, 0))
        above = sparse.csr_array((left[0].shape[0], right.shape[1]))
        whole = sparse.hstack([sparse.vstack(left), sparse.vstack([above, right])])
        return sparse.csr_array(whole), np.concatenate(most), np.concatenate(owners)

    def _still(self) -> tuple[sparse.sparray, Floats, NDArray[np.intp]]:
        """The rows without scenarios."""
        still, start = moves(self.problem)
        owner = np.concatenate([np.full(len(one.most), k) for k, one in enumerate(self.names)])
        given = sparse.csr_array((-np.ones(len(owner)), (np.arange(len(owner)), owner)), (len(owner), len(self.names) + 1))
        rows = sparse.hstack([sparse.vstack([one.rows for one in self.names]), given])
        free = sparse.hstack([still, sparse.csr_array((len(start), len(self.names) + 1))])
        return (
            sparse.vstack([rows, free]),
            np.concatenate([*(one.most for one in self.names), start]),
            np.append(owner, np.full(len(start), -1)),
        )

    def _tails(self) -> Iterator[tuple[sparse.sparray, Floats, NDArray[np.intp]]]:
        """The rows of every limit's pieces and the limit itself, left of t and u, in units of a typical return."""
        for k, piece in zip(self._limits, self._pieces, strict=True):
            count, n = len(piece.shares), self.problem.assets
            losses = sparse.hstack([-piece.returns / self._size, sparse.csr_array((count, self._width - n))])
            limit = np.zeros((1, self._width))
            limit[0, [columns(self.problem) + k, self._width - 1]] = -1 / self._size
            most = np.append(np.zeros(count), piece.tail.limit / self._size)
            yield sparse.vstack([losses, sparse.csr_array(limit)]), most, np.append(np.full(count, -1), k)


def _excess(piece: Pieces) -> sparse.sparray:
    """-t - u in the rows of the pieces, t + shares'u in the limit's."""
    count = len(piece.shares)
    rows = sparse.hstack([-np.ones((count, 1)), -sparse.eye_array(count)])
    return sparse.vstack([rows, np.append(1.0, piece.shares)[None, :]])
