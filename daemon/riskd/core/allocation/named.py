"""The constraints of a problem by the names people know them by, as rows of a linear program."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats

GROUPS = 8  # more different bounds than these are one group


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """``rows`` x <= ``most`` over x = (w; bought, sold, cash out, cash in where turnover has a ceiling); none for a CVaR.

    One amount exceeds all rows of a constraint alike: "weights at most 0.05" is relaxed for all of these assets together.
    """

    name: str
    rows: sparse.csr_array
    most: Floats
    tail: int | None = None  # which tail a limit belongs to


def named(problem: Problem) -> tuple[Named, ...]:
    """Every finite constraint: limits, bounds grouped by value, cash, rows, turnover. Names that repeat are numbered."""
    n, width = problem.assets, columns(problem)
    unit, ones = sparse.eye_array(n, width, format="csr"), np.zeros((1, width))
    ones[0, :n] = 1.0
    nothing = sparse.csr_array((0, width))
    found = [
        Named(f"{tail.name} at most {tail.limit:g}", nothing, np.zeros(0), i)
        for i, tail in enumerate(problem.tails)
        if np.isfinite(tail.limit)
    ]
    found += [Named(f"weights at least {words}", -unit[which], -problem.lower[which]) for words, which in _alike(problem.lower)]
    found += [Named(f"weights at most {words}", unit[which], problem.upper[which]) for words, which in _alike(problem.upper)]
    for name, sign, most in (
        ("least", 1.0, problem.budget - problem.least_cash),
        ("most", -1.0, problem.most_cash - problem.budget),
    ):
        if np.isfinite(most):
            cash = problem.least_cash if name == "least" else problem.most_cash
            found.append(Named(f"cash at {name} {cash:g}", sparse.csr_array(sign * ones), np.array([most])))
    if problem.rows is not None and problem.most is not None:
        wide = sparse.csr_array(problem.rows @ unit)
        names = problem.row_names or tuple(f"row {k + 1}" for k in range(len(problem.most)))
        found += [Named(name, wide[[k]], problem.most[[k]]) for k, name in enumerate(names) if np.isfinite(problem.most[k])]
    if width > n:
        halves = sparse.csr_array(np.concatenate([np.zeros(n), np.full(2 * n + 2, 0.5)])[None, :])
        found.append(Named(f"turnover at most {problem.turnover:g}", halves, np.array([problem.turnover])))
    return _numbered(found)


def columns(problem: Problem) -> int:
    """How many columns x has: n, and 2 n + 2 moves where turnover has a ceiling."""
    return problem.assets if problem.current is None or np.isinf(problem.turnover) else 3 * problem.assets + 2


def moves(problem: Problem) -> tuple[sparse.csr_array, Floats]:
    """Rows over x, and their most, that make moves at least |w - w0| and |sum w - sum w0|; none without a ceiling of turnover."""
    n, width = problem.assets, columns(problem)
    if width == n or problem.current is None:
        return sparse.csr_array((0, width)), np.zeros(0)
    one, total = sparse.eye_array(n + 1, format="csr"), np.append(problem.current, problem.current.sum())
    change = sparse.vstack([sparse.eye_array(n), np.ones((1, n))])  # of every weight, then of their sum
    order = np.concatenate([np.arange(n), [2 * n], n + np.arange(n), [2 * n + 1]])  # (bought, cash out), (sold, cash in)
    parts = sparse.block_array([[-one, None], [None, -one]], format="csc")
    signed = sparse.vstack([change, -change])
    return sparse.csr_array(sparse.hstack([signed, parts[:, np.argsort(order)]])), np.concatenate([total, -total])


def _alike(bounds: Floats) -> list[tuple[str, NDArray[np.intp]]]:
    """Finite bounds in groups of one value, or all in one group where there are too many values."""
    finite = np.flatnonzero(np.isfinite(bounds))
    values = np.unique(bounds[finite])
    if len(values) > GROUPS:
        return [("their own bounds", finite)]
    return [(f"{value:g}", finite[bounds[finite] == value]) for value in values]


def _numbered(found: list[Named]) -> tuple[Named, ...]:
    """Names made unique."""
    seen: Counter[str] = Counter()
    often = Counter(one.name for one in found)
    unique = []
    for one in found:
        seen[one.name] += 1
        name = f"{one.name} ({seen[one.name]})" if often[one.name] > 1 else one.name
        unique.append(Named(name, one.rows, one.most, one.tail))
    return tuple(unique)
