"""Passes over the scenarios: losses of weights, the worst of them, and the few rows that are worth a copy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.allocation.problem import Tail
from riskd.core.arrays import Floats

WIDE = 2.2  # tails that a selection holds
FEW = 2000  # scenarios of which all are taken
STRIDE = 64  # one loss in so many guesses a quantile
HELD = 0.5  # share of columns above which the whole matrix is multiplied

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Scenarios worth looking at one by one: their ``places`` (c,) in the full sample, returns ``rows`` (c, n), ``shares`` (c,).

    A share is probability / (1 - alpha): CVaR is the largest p'z with 0 <= p <= shares and sum(p) = 1. ``whole``: none
    is left out. Where they were selected by loss, every scenario that lost more than ``edge`` then is among them.
    """

    places: Places
    rows: Floats
    shares: Floats
    whole: bool
    edge: float = -np.inf


class Passes:
    """Counts how much of the scenario matrices was read; 1 is one product with every matrix."""

    def __init__(self, tails: tuple[Tail, ...]) -> None:
        self.tails = tails
        self.matrices = {id(tail.scenarios): tail.scenarios for tail in tails}
        self.count = 0.0

    def losses(self, weights: Floats) -> tuple[Floats, ...]:
        """-C w (M,) for every tail; a matrix that tails share is read once, one kept by columns only where weights are held."""
        found = {key: self._product(matrix, -weights) for key, matrix in self.matrices.items()}
        return tuple(found[id(tail.scenarios)] for tail in self.tails)

    def _product(self, matrix: Floats, weights: Floats) -> Floats:
        held = np.flatnonzero(weights)
        if matrix.flags.c_contiguous or len(held) > HELD * len(weights):
            self.count += 1 / len(self.matrices)
            return matrix @ weights
        self.count += len(held) / len(weights) / len(self.matrices)
        out = np.zeros(len(matrix))
        for j in held:
            out += matrix[:, j] * weights[j]
        return out

    def strided(self, tail: Tail, count: int) -> Sample:
        """About ``count`` scenarios at equal distances, as if they were all there are."""
        step = max(1, len(tail.scenarios) // count)
        places = np.arange(0, len(tail.scenarios), step)
        likely = None if tail.probabilities is None else tail.probabilities[::step]
        if likely is not None:
            places, likely = places[likely > 0], likely[likely > 0] / likely.sum()
        shares = _shares(len(places), tail.level) if likely is None else likely / (1 - tail.level)
        return self._taken(tail, places, shares)

    def selected(self, tail: Tail, losses: Floats, besides: Places | None = None) -> Sample:
        """The worst ``WIDE`` tails of ``losses`` (M,) with ``besides``; everything likely where scenarios are few."""
        if tail.probabilities is None:
            places = _worst(losses, WIDE * (1 - tail.level) * len(losses))
        else:
            likely = np.flatnonzero(tail.probabilities > 0)
            if len(likely) > FEW:
                order = likely[np.argsort(-losses[likely])]
                reached = np.searchsorted(np.cumsum(tail.probabilities[order]), WIDE * (1 - tail.level))
                likely = np.sort(order[: max(FEW, int(reached) + 1)])
            places = likely
        edge = float(losses[places].min())
        if besides is not None and len(places) < len(losses):
            places = np.union1d(places, besides)
        if tail.probabilities is None:
            shares = np.full(len(places), 1 / ((1 - tail.level) * len(losses)))
        else:
            shares = tail.probabilities[places] / (1 - tail.level)
        return self._taken(tail, places, shares, edge)

    def _taken(self, tail: Tail, places: Places, shares: Floats, edge: float = -np.inf) -> Sample:
        self.count += len(places) / len(tail.scenarios) / len(self.matrices)
        whole = len(places) == len(tail.scenarios)
        rows = np.ascontiguousarray(tail.scenarios if whole else tail.scenarios[places])
        return Sample(places, rows, shares, whole, edge)


@dataclass(frozen=True, slots=True, eq=False)
class Worst:
    """The tail of a sample's losses: ``threshold`` VaR, ``value`` CVaR, ``weights`` p (c,)."""

    threshold: float
    value: float
    weights: Floats


def worst(losses: Floats, shares: Floats) -> Worst:
    """The tail of ``losses`` (c,) with ``shares`` (c,), the boundary scenario counted as far as its share is needed."""
    count = len(losses)
    if shares[0] == shares[-1] and shares.min() == shares.max():
        needed = min(count, int(np.ceil(1 / shares[0] - 1e-9)))
        order = np.argpartition(losses, count - needed)[count - needed :]
    else:
        order = np.argsort(losses)
        needed = int(np.searchsorted(np.cumsum(shares[order[::-1]]), 1 - 1e-12)) + 1
        order = order[max(0, count - needed) :]
    weights = np.zeros(count)
    weights[order] = shares[order]
    weights[order[0]] += 1 - weights[order].sum()
    return Worst(float(losses[order[0]]), float(weights @ losses), weights)


def _worst(losses: Floats, wanted: float) -> Places:
    """About the ``wanted`` largest, in order of place: those above a quantile guessed from a strided part."""
    count = len(losses)
    wanted = max(wanted, FEW)
    if wanted >= 0.8 * count:
        return np.arange(count)
    if wanted > 50 * STRIDE:
        part = losses[::STRIDE]
        cut = len(part) - int(wanted / count * len(part))
        places = np.flatnonzero(losses >= np.partition(part, cut)[cut])
        if 0.85 * wanted <= len(places) <= 1.3 * wanted:
            return places
    return np.sort(np.argpartition(losses, count - int(wanted))[count - int(wanted) :])


def _shares(count: int, level: float) -> Floats:
    return np.full(count, 1 / ((1 - level) * count))
