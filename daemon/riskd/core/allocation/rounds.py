"""Rounds of the small program: solve, look at the whole sample, part strays from their groups, let columns enter."""

import numpy as np
from numpy.typing import NDArray

from riskd.core.allocation.band import Grouping
from riskd.core.allocation.fast import EXACT, Fast, Found, held
from riskd.core.allocation.interior import Band, Optimum, SmallProgram, optimum
from riskd.core.allocation.newton import Seen
from riskd.core.allocation.passes import worst
from riskd.core.arrays import Floats
from riskd.errors import SolverError

ROUNDS = 25
LEAST = 40  # columns of a small program
NEAR, NEAREST = 0.015, 1e-5  # the first over the tail's count, at least the second: product to start from, near the optimum
MANY = 40  # held columns; beyond, the start is less near in proportion
FAR = 0.01, 1.0  # and where that fails
ENTER = 1e-9  # a reduced gain, in scaled units, that lets a column enter
ENTRANTS = 40  # at once
CROWD = 2.0  # strays, as a multiple of those alone, that ask for new groups instead
APART = 1e-9  # CVaR of sample and of groups differ by less, and so does CVaR from its limit, in scaled units
DUST = 1e-9  # of the largest weight


class Rounds:
    """The small programs of one run on its present selection."""

    def __init__(self, run: Fast, weights: Floats) -> None:
        self.run, self.weights = run, weights
        seen = run.seen(weights)
        self.alone = [run.alone(held(weights), one.sample) for one in seen]
        self.groupings = [Grouping(one, count) for one, count in zip(seen, self.alone, strict=True)]
        self.work = run.working(weights, seen, LEAST)
        self.point = run.columns.rested(run.columns.point(weights), self.work)
        self.thresholds = np.array([one.worst.threshold for one in seen])
        self.limits = np.array([tail.limit for tail in run.problem.tails])
        spread = max(float(one.sample.shares.mean()) for one in seen) * max(1.0, held(weights) / MANY)
        self.near = max(NEAREST, NEAR * spread)

    def solved(self) -> Found:
        """Weights that the sample confirms, with their multipliers; raises SolverError when rounds do not suffice."""
        for _ in range(ROUNDS):
            self.run.rounds += 1
            found = self._small_or_whole()
            self.point[self.work] = found.point
            self.weights = self._whole()
            self.thresholds = found.thresholds * self.run.frame.units
            entered = self._entered(found)
            if self._settled(found) and not entered:
                return self._found(found)
            self.run.duals = np.maximum(found.tails, 1e-3)
        raise SolverError(f"band: not settled after {ROUNDS} rounds")

    def _small_or_whole(self) -> Optimum:
        """The small program; with all columns where those at hand leave nothing feasible."""
        try:
            return self._small()
        except SolverError:
            free = np.flatnonzero(self.run.columns.upper > self.run.columns.lower)
            if len(self.work) == len(free):
                raise
            self.work = free
            return self._small()

    def _small(self) -> Optimum:
        program = self._program()
        start = self.point[self.work]
        for product in (self.near, *FAR):
            try:
                return optimum(program, start, product, EXACT)
            except SolverError as error:
                failure = error
        raise failure

    def _program(self) -> SmallProgram:
        run, frame = self.run, self.run.frame
        resting = self.point.copy()
        resting[self.work] = 0.0
        still, assets = run.columns.weights(resting), run.columns.asset[self.work]
        bands = []
        for i, (grouping, tail) in enumerate(zip(self.groupings, frame.tails, strict=True)):
            price = tail.price * frame.units[i] / frame.worth
            dual = max(float(run.duals[i]), 1e-3)
            unit = frame.units[i]
            losses = grouping.losses(assets, still, unit)
            bands.append(Band(*losses, grouping.shares, price, self.limits[i] / unit, dual, self.thresholds[i] / unit))
        return frame.program(self.work, self.point, bands)

    def _whole(self) -> Floats:
        """Weights of the point, dust put on its bound, the rounding of the budget on the column with the most room."""
        self.point = self.run.columns.settled(self.point, DUST)
        every = self.run.columns
        if len(every.total):
            room = np.minimum(self.point - every.lower, every.upper - self.point)
            at = int(np.argmax(room))
            self.point[at] += float(every.total[0] - every.equal[0] @ self.point)
        return every.weights(self.point)

    def _settled(self, found: Optimum) -> bool:
        """Whether every tail of the sample is what its groups say; where not, the groups are mended or the limit tightened."""
        settled = True
        for i, one in enumerate(self.run.seen(self.weights)):
            unit = self.run.frame.units[i]
            model = worst(self.groupings[i].rows @ -self.weights, self.groupings[i].shares)
            apart, over = one.worst.value - model.value, one.worst.value - self.run.frame.tails[i].limit - APART * unit
            mended = False
            if (float(found.shares[i].sum()) if over <= 0 else 1.0) * apart > APART * unit:
                mended = self._mended(i, one, model.threshold)
            if over > 0 and not mended:
                self.limits[i] -= 2 * over
            settled &= not mended and over <= 0
        return settled

    def _mended(self, i: int, seen: Seen, threshold: float) -> bool:
        """Take strays out of their groups, or form new groups where there is a crowd of them."""
        strays = self.groupings[i].strayed(seen.losses, threshold)
        if len(strays) > max(200, CROWD * len(self.groupings[i].alone)):
            self.alone[i] *= 2
            self.groupings[i] = Grouping(seen, self.alone[i])
        elif len(strays):
            self.groupings[i].part(strays)
        return len(strays) > 0

    def reduced(self, found: Optimum) -> Floats:
        """What one unit more of each column earns (k,), scaled."""
        every, frame = self.run.columns, self.run.frame
        pull = np.zeros(len(every.start))
        for grouping, shares, unit in zip(self.groupings, found.shares, frame.units, strict=True):
            pull += grouping.pull(shares) / unit
        return every.gain / frame.worth - pull[every.asset] - found.rows @ every.rows + found.equal @ every.equal

    def _entered(self, found: Optimum) -> bool:
        """Whether columns outside the program would earn more than they cost; the best of them enter."""
        every = self.run.columns
        outside = np.ones(len(every.asset), dtype=bool)
        outside[self.work] = False
        outside &= every.upper > every.lower
        if not outside.any():
            return False
        return self._enter(self.reduced(found), outside)

    def _enter(self, reduced: Floats, outside: NDArray[np.bool_]) -> bool:
        every = self.run.columns
        middle = (every.lower + every.upper) / 2
        gain = np.where(outside, np.where(self.point <= middle, reduced, -reduced), 0.0)
        entrants = np.flatnonzero(gain > ENTER)
        if len(entrants) > ENTRANTS:
            entrants = entrants[np.argpartition(-gain[entrants], ENTRANTS)[:ENTRANTS]]
        self.work = np.sort(np.concatenate((self.work, entrants)))
        return bool(len(entrants))

    def _found(self, found: Optimum) -> Found:
        frame = self.run.frame
        sizes = [len(tail.scenarios) for tail in frame.tails]
        parts = zip(self.groupings, found.shares, sizes, strict=True)
        scenarios = tuple(grouping.spread(shares, size) for grouping, shares, size in parts)
        duals = found.tails * frame.worth / frame.units
        return Found(self.weights, self.run.columns.multipliers(scenarios, duals, found.rows * frame.worth))
