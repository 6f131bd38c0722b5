"""The fast method before its linear programs: a rough start, the selection of scenarios, Newton steps on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.allocation.answer import Multipliers
from riskd.core.allocation.columns import columns
from riskd.core.allocation.newton import Frame, Seen, newton
from riskd.core.allocation.passes import FEW, Passes, Sample, worst
from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats
from riskd.errors import SolverError

FIRST, NEXT = 0.01, 1e-4  # products that interior points start from
WORK = 60  # columns of a Newton step at least
DUST = 1e-3  # of the largest weight; less is on its bound
PARTS = 20  # a subsample for the first steps holds one scenario in so many, between FEW and MANY
MANY = 10_000
VAST = 400_000  # scenarios above which a larger subsample saves passes over all
ROUGH, STEPS, AGAIN = 1, 4, 1  # steps on the subsample, on the selection, and from a neighbour
WANDER = 0.25  # of the margin by which the selection reaches below the tail
STILL = 0.7  # losses near the edge moved by less than this share of the band: the band holds the optimum
PER_COLUMN = 12  # scenarios alone for each held column at 10,000 scenarios
EXACT = 1e-9  # of the small programs, in scaled units
SLACK = 1e-9  # what a limit may be exceeded by, relative to its unit, before the program is tightened


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Weights (n,) and multipliers, both still to be certified."""

    weights: Floats
    multipliers: Multipliers


class Fast:
    """One run; ``seconds`` by stage, ``rounds`` of small programs, ``passes`` over the scenarios."""

    def __init__(self, problem: Problem, clock: Callable[[], float]) -> None:
        self.problem, self.clock = problem, clock
        self.passes = Passes(problem.tails)
        self.seconds: dict[str, float] = {}
        self.rounds = 0
        self.columns = columns(problem)
        self.samples: tuple[Sample, ...] = ()
        self.duals = np.ones(len(problem.tails))
        self.least = 0  # columns that any program must have: twice those off their bounds where fewer did not suffice
        self._last: tuple[Floats, tuple[Seen, ...]] = (np.zeros(0), ())
        self._selected: tuple[Seen, ...] = ()

    def timed(self, stage: str, begin: float) -> None:
        """Book the time since ``begin`` under ``stage``."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + self.clock() - begin

    def begin(self, weights: Floats | None, duals: Floats | None = None) -> Floats:
        """Weights near the optimum and a selection around them: from ``weights``, or from Newton steps on a subsample."""
        begin = self.clock()
        first = _plain(self.problem)
        size = max(len(tail.scenarios) for tail in self.problem.tails)
        if weights is None and size > 2 * FEW:
            first = self._guessed(first, min(MANY, max(FEW, size // PARTS)), ROUGH, rough=True)
            if size > VAST:
                first = self._guessed(first, size // PARTS, STEPS, rough=False)
            self.timed("start", begin)
        first = first if weights is None else weights
        self.select(first)
        return self._improved(first, self.duals * self.frame.worth / self.frame.units if duals is None else duals, STEPS)

    def _guessed(self, first: Floats, count: int, most: int, rough: bool) -> Floats:
        """Newton steps on about ``count`` scenarios at equal distances."""
        self.samples = tuple(self.passes.strided(tail, count) for tail in self.problem.tails)
        self._scale(first, tuple(sample.rows @ -first for sample in self.samples))
        return self._newton(first, most, 0.0 if rough else STILL, rough)

    def knows(self, problem: Problem) -> bool:
        """Whether the selection was made from the same scenarios."""
        same = len(problem.tails) == len(self.problem.tails)
        for new, old in zip(problem.tails, self.problem.tails, strict=False):
            same &= new.scenarios is old.scenarios and new.level == old.level and new.probabilities is old.probabilities
        return same and bool(self._selected)

    def resume(self, problem: Problem, weights: Floats, duals: Floats | None) -> Floats:
        """The same for another problem on the same scenarios, near ``weights``: the selection stays while it holds the tail."""
        self.problem, self.passes.tails, self.columns = problem, problem.tails, columns(problem)
        self.seconds, self.rounds, self.passes.count = {}, 0, 0.0
        self._scale(weights, tuple(sample.rows @ -weights for sample in self.samples))
        return self._improved(weights, duals, AGAIN)

    def _improved(self, first: Floats, duals: Floats | None, most: int) -> Floats:
        """Newton steps, and a new selection where they led far."""
        self.duals = np.ones(len(self.samples)) if duals is None else duals * self.frame.units / self.frame.worth
        begin = self.clock()
        second = self._newton(first, most, STILL)
        self.timed("newton", begin)
        if self._wandered(second):
            self.select(second)
            begin = self.clock()
            second = self._newton(second, most, STILL)
            self.timed("newton", begin)
        return second

    def _wandered(self, second: Floats) -> bool:
        """Whether losses changed so much that scenarios outside the selection may have come into the tail."""
        for old, new in zip(self._selected, self.seen(second), strict=True):
            margin = old.worst.threshold - old.sample.edge
            if not old.sample.whole and float((new.losses - old.losses).std()) > WANDER * margin:
                return True
        return False

    def select(self, weights: Floats, known: Sequence[Floats] | None = None) -> None:
        """The worst scenarios at ``weights``: one pass, or besides those selected before where losses (M,) are ``known``."""
        begin = self.clock()
        losses = self.passes.losses(weights) if known is None else known
        old = [None] * len(losses) if known is None else [sample.places for sample in self.samples]
        chosen = zip(self.problem.tails, losses, old, strict=True)
        self.samples = tuple(self.passes.selected(tail, z, places) for tail, z, places in chosen)
        self._scale(weights, tuple(z[sample.places] for z, sample in zip(losses, self.samples, strict=True)))
        self._selected = self._last[1]
        self.timed("select", begin)

    def _scale(self, weights: Floats, losses: tuple[Floats, ...]) -> None:
        """Note what the samples look like at ``weights``, and the units that make numbers of order one."""
        looks = zip(self.samples, losses, strict=True)
        self._last = weights, tuple(Seen(sample, z, worst(z, sample.shares)) for sample, z in looks)
        sizes = [max(abs(one.worst.value), float(np.abs(one.losses).mean()), 1e-9) for one in self._last[1]]
        prices = [tail.price * size for tail, size in zip(self.problem.tails, sizes, strict=True)]
        worth = max(float(np.abs(self.columns.gain).max()), *prices)
        self.frame = Frame(self.problem.tails, self.columns, worth if worth > 0 else 1.0, np.array(sizes))

    def seen(self, weights: Floats) -> tuple[Seen, ...]:
        """Every tail's sample at ``weights``."""
        if self._last[0] is not weights:
            losses = [sample.rows @ -weights for sample in self.samples]
            looks = zip(self.samples, losses, strict=True)
            self._last = weights, tuple(Seen(sample, z, worst(z, sample.shares)) for sample, z in looks)
        return self._last[1]

    def _newton(self, weights: Floats, most: int, still: float, rough: bool = False) -> Floats:
        """At most so many steps, fewer once losses near the edge stand ``still`` against the width of the band to come."""
        try:
            for step in range(most):
                seen = self.seen(weights)
                new = self._step(weights, seen, rough, NEXT if step or not rough else FIRST)
                moved = max(self._moved(one, weights, new) for one in seen)
                weights = new
                if moved < still:
                    break
        except SolverError:
            self.duals = np.ones(len(self.duals))
        return weights

    def _step(self, weights: Floats, seen: tuple[Seen, ...], rough: bool, product: float) -> Floats:
        """One step in the columns worth having, or in all of them where those do not suffice."""
        work = self.working(weights, seen, WORK)
        try:
            point, duals = newton(self.frame, seen, weights, work, self.duals, rough, product)
        except SolverError:
            if len(work) == len(self.columns.asset):
                raise
            every = np.flatnonzero(self.columns.upper > self.columns.lower)
            point, duals = newton(self.frame, seen, weights, every, np.ones(len(self.duals)), rough, FIRST)
            self.least = 2 * int(self._inner(self.columns.settled(point, DUST)).sum())
        self.duals = duals
        return self.columns.weights(self.columns.settled(point, DUST))

    def _inner(self, point: Floats) -> NDArray[np.bool_]:
        return (point > self.columns.lower) & (point < self.columns.upper)

    def _moved(self, seen: Seen, weights: Floats, new: Floats) -> float:
        distance = np.abs(seen.losses - seen.worst.threshold)
        count = min(self.alone(held(new), seen.sample), len(distance) - 1)
        near = np.argpartition(distance, count)[: count + 1]
        moves = seen.sample.rows[near] @ (weights - new)
        return float(moves.std() / max(distance[near].max(), 1e-15))

    def alone(self, held: int, sample: Sample) -> int:
        """How many scenarios the small program should see one by one."""
        tail = 1 / float(sample.shares.mean())
        return int(PER_COLUMN * max(held, 8) * (tail / 500) ** (1 / 3))

    def working(self, weights: Floats, seen: tuple[Seen, ...], least: int) -> NDArray[np.intp]:
        """Columns worth having, ``least`` or twice the held ones: those off their bounds, then those of the largest gain."""
        every = self.columns
        free, least = every.upper > every.lower, max(least, self.least)
        if free.sum() <= least:
            return np.flatnonzero(free)
        point = every.point(weights)
        priced = [
            one.gradient * (dual * self.frame.worth / unit + tail.price)
            for one, dual, unit, tail in zip(seen, self.duals, self.frame.units, self.problem.tails, strict=True)
        ]
        reduced = (every.gain - np.sum(priced, axis=0)[every.asset]) / self.frame.worth
        inner = self._inner(point)
        level = np.median(reduced[inner]) if inner.any() else np.median(reduced)
        pull = np.where(point < every.upper, reduced - level, level - reduced)
        wanted = max(least, 2 * int(inner.sum()))
        if inner.sum() <= len(inner) / 2:
            pull[inner] = np.inf
        else:
            wanted = least
        pull[every.lower == -np.inf] = np.inf
        pull[~free] = -np.inf
        wanted = min(int(free.sum()), wanted)
        return np.sort(np.argpartition(-pull, wanted - 1)[:wanted])


def held(weights: Floats) -> int:
    """How many weights are more than dust."""
    sizes = np.abs(weights)
    return int((sizes > DUST * sizes.max()).sum())


def _plain(problem: Problem) -> Floats:
    """Current weights, or the budget evenly spread within the bounds."""
    first = np.full(problem.assets, problem.budget / problem.assets) if problem.current is None else problem.current
    return np.minimum(np.maximum(first, problem.lower), problem.upper)
