"""Risk contributions of many portfolios at once: VaR, CVaR, marginal and component CVaR, with their standard errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from riskd.core.arrays import Floats
from riskd.core.measures.component_cvar import SUM_TOLERANCE
from riskd.core.measures.tail import tail, tail_size
from riskd.core.measures.value_at_risk import interval_ranks

Indices = NDArray[np.intp]
MEMORY = 2**26  # bytes of losses held at a time
STRIDE = 64  # of the losses that the threshold is guessed from
SLAB = 2048  # scenarios whose squares are held at a time


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """Of P portfolios: VaR_alpha with its 95 % interval, CVaR_alpha and marginal dCVaR_alpha/dw with their standard errors."""

    weights: Floats  # (P, n)
    value_at_risk: Floats  # (P,)
    low: Floats  # (P,)
    high: Floats  # (P,)
    cvar: Floats  # (P,)
    cvar_error: Floats  # (P,)
    marginal: Floats  # (P, n)
    marginal_error: Floats  # (P, n)

    @property
    def component(self) -> Floats:
        """w_i dCVaR/dw_i (P, n); each row adds up to that portfolio's CVaR (Euler)."""
        return self.weights * self.marginal

    @property
    def component_error(self) -> Floats:
        """Standard errors of the components (P, n)."""
        return np.abs(self.weights) * self.marginal_error


@dataclass(frozen=True, slots=True, eq=False)
class Worst:
    """One portfolio's tail in scenario order: ``indices``, their ``weights`` (sum 1) and ``losses``; ``band`` are the scenarios
    whose rank lies inside VaR's interval, [``low``, ``high``] their losses."""

    indices: Indices
    weights: Floats
    losses: Floats
    threshold: float
    band: Indices
    low: float
    high: float

    @property
    def moments(self) -> tuple[float, float]:
        """Mean, which is CVaR, and variance of the tail's losses."""
        mean = float(self.weights @ self.losses)
        return mean, float(self.weights @ (self.losses - mean) ** 2)


def contributions(returns: Floats, weights: Floats, level: float, memory: int = MEMORY) -> Contributions:
    """Figures of z = -R w for each row w of ``weights`` (P, n) over ``returns`` R (M, n), simple and equally likely.

    One matrix product for the losses of a block of portfolios, one sparse product over the tails for E[-R_i | tail] and its
    square. Agrees with :func:`component_cvar` portfolio by portfolio, ties included. Standard errors are those of the influence
    functions, (R_i' - d_i) 1[z >= VaR] / (1 - alpha) with R' = -R and d_i = E[R_i' | z = VaR], which for marginal m gives
    (Var_p[R_i'] + alpha (m_i - d_i)^2) / q, p the tail's weights; d is the mean over the scenarios inside VaR's interval.
    Hong and Liu (2009) treat the estimator. ``memory`` bounds the bytes of losses at a time; at least one portfolio is taken.

    Raises ValueError for shapes that do not agree, a value that is not finite or a level outside (0, 1), ArithmeticError if
    components do not add up to CVaR: that would be a bug.
    """
    check(returns, weights)
    scenarios = len(returns)
    step = max(1, memory // (8 * scenarios))
    losses = np.empty((min(step, len(weights)), scenarios))  # written anew by each block: fresh memory is slow
    parts = [_block(returns, weights[k : k + step], level, losses) for k in range(0, len(weights), step)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Contributions(weights, *columns)


def check(returns: Floats, weights: Floats) -> None:
    """Raise ValueError unless ``weights`` (P, n) fit ``returns`` (M, n) and every number is finite."""
    if weights.ndim != 2 or weights.shape[1] != returns.shape[1]:
        raise ValueError(f"weights of shape {weights.shape} do not fit returns of {returns.shape}: want (P, {returns.shape[1]})")
    if not (np.isfinite(returns.sum()) and np.isfinite(weights.sum())):  # an infinity or a NaN does not leave a sum
        raise ValueError("a return or a weight is not a finite number: leave out what is missing before asking for risk")


def _block(returns: Floats, weights: Floats, level: float, losses: Floats) -> tuple[Floats, ...]:
    """The fields of :class:`Contributions` after ``weights``, for a few portfolios; ``losses`` (P or more, M) is overwritten."""
    q, _ = tail_size(level, len(returns))
    worst = [worst_of(row, level) for row in np.matmul(-weights, returns.T, out=losses[: len(weights)])]
    threshold = np.array([each.threshold for each in worst])
    mean, variance = np.array([each.moments for each in worst]).T
    marginal, second, edge = _expectations(returns, worst)
    component = weights * marginal
    if not (np.abs(component.sum(axis=1) - mean) <= SUM_TOLERANCE * (1 + np.abs(component).sum(axis=1))).all():
        raise ArithmeticError(f"component CVaR sums to {component.sum(axis=1)!r}, CVaR is {mean!r}")
    spread = np.maximum(second - marginal**2, 0.0) + level * (marginal - edge) ** 2
    error = np.sqrt((variance + level * (mean - threshold) ** 2) / q)
    low, high = (np.array([getattr(each, name) for each in worst]) for name in ("low", "high"))
    return threshold, low, high, mean, error, marginal, np.sqrt(spread / q)


def worst_of(losses: Floats, level: float) -> Worst:
    """The tail of one portfolio's ``losses`` (M,): a guessed threshold, then a partition of what lies above it. No sort."""
    scenarios = len(losses)
    q, count = tail_size(level, scenarios)
    near, far = interval_ranks(level, scenarios)
    above = candidates(losses, max(count, far))
    values = losses[above]
    cuts = len(above) - np.array([far, max(count, far), count, near])
    order = np.argpartition(values, np.unique(cuts))
    ranked = values[order]
    inside, edge = np.sort(above[order[cuts[2] :]]), float(ranked[cuts[2]])
    if np.count_nonzero(values == edge) > np.count_nonzero(losses[inside] == edge):
        inside = np.sort(tail(losses, level).indices)  # which of the tied ones count is settled in one place
    shares = np.full(count, 1 / q)
    shares[np.flatnonzero(losses[inside] == edge)[-1]] = 1 - (count - 1) / q
    band = np.sort(above[order[cuts[0] : cuts[3] + 1]])
    return Worst(inside, shares, losses[inside], edge, band, float(ranked[cuts[0]]), float(ranked[cuts[3]]))


def candidates(losses: Floats, count: int) -> Indices:
    """Indices, rising, of every loss above some threshold: at least ``count`` of them, ties at the last one included."""
    sample = losses[::STRIDE]
    rank = count / STRIDE
    keep = int(rank + 3 * np.sqrt(rank)) + 1
    if keep < len(sample) // 2:
        above = np.flatnonzero(losses >= np.partition(sample, len(sample) - keep)[len(sample) - keep])
        if len(above) >= count:
            return above
    return np.arange(len(losses))


def _expectations(returns: Floats, worst: list[Worst]) -> tuple[Floats, Floats, Floats]:
    """E[-R_i | tail], E[R_i^2 | tail] and E[-R_i | VaR's interval], (P, n) each, in one walk over the scenarios."""
    scenarios, size = returns.shape
    inside = _averaging([each.indices for each in worst], [each.weights for each in worst], scenarios)
    even = [np.full(len(each.band), 1 / len(each.band)) for each in worst]
    band = _averaging([each.band for each in worst], even, scenarios)
    first, second, edge = (np.zeros((len(worst), size)) for _ in range(3))
    for begin in range(0, scenarios, SLAB):
        slab = np.ascontiguousarray(returns[begin : begin + SLAB])
        end = begin + len(slab)
        first -= _columns(inside, begin, end) @ slab
        second += _columns(inside, begin, end) @ np.square(slab)
        edge -= _columns(band, begin, end) @ slab
    return first, second, edge


def _averaging(indices: list[Indices], shares: list[Floats], scenarios: int) -> csc_array:
    """The matrix (P, M) whose product with returns averages each portfolio's scenarios, by columns: R is then read in order."""
    ends = np.cumsum([0, *map(len, indices)])
    rows = csr_array((np.concatenate(shares), np.concatenate(indices), ends), shape=(len(indices), scenarios))
    return rows.tocsc()


def _columns(matrix: csc_array, begin: int, end: int) -> csc_array:
    """Columns [``begin``, ``end``) without a copy of them."""
    first, last = matrix.indptr[begin], matrix.indptr[end]
    parts = matrix.data[first:last], matrix.indices[first:last], matrix.indptr[begin : end + 1] - first
    return csc_array(parts, shape=(matrix.shape[0], end - begin))
