"""Newton steps on CVaR as a smooth function: gradient from the tail, curvature from the scenarios near its edge.

CVaR(w) is close to sqrt(w'(F H + g g')w) where it is F with gradient g and curvature H = E[cov(x | z = t)] f(t) / (1 - alpha)
(Hong and Liu, Management Science 55 (2009) 281; exact for elliptical returns); CVaR is homogeneous, so H w = 0 and g'w = F.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from riskd.core.allocation.columns import Columns
from riskd.core.allocation.interior import Band, Quadratic, SmallProgram, optimum
from riskd.core.allocation.passes import Sample, Worst
from riskd.core.allocation.problem import Tail
from riskd.core.arrays import Floats

ENOUGH = 1e-3  # what a start needs to be exact to
NEARBY = 800  # scenarios around the edge that give the curvature, or
NEARBY_SHARE = 0.35  # of the tail's count if that is less
RIDGE = 1e-6  # of the mean diagonal: few scenarios leave directions without curvature


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What makes numbers of order one: the objective in units of ``worth``, every tail's losses in units of ``units`` (i,)."""

    tails: tuple[Tail, ...]
    columns: Columns
    worth: float
    units: Floats

    def program(self, work: NDArray[np.intp], point: Floats, tails: Sequence[Quadratic | Band]) -> SmallProgram:
        """The small program in the columns ``work``; the others rest at ``point`` x (k,)."""
        held = self.columns
        resting = point.copy()
        resting[work] = 0.0
        most, total = held.most - held.rows @ resting, held.total - held.equal @ resting
        slope = -held.gain[work] / self.worth
        box = held.lower[work], held.upper[work]
        return SmallProgram(slope, *box, held.rows[:, work], most, held.equal[:, work], total, tails)


@dataclass(frozen=True, eq=False)
class Seen:
    """One sample at given weights: losses z (c,), their tail, and the gradient g (n,) of CVaR where it is asked for."""

    sample: Sample
    losses: Floats
    worst: Worst

    @cached_property
    def gradient(self) -> Floats:
        """-C'p (n,)."""
        return -(self.worst.weights @ self.sample.rows)


def curvature(seen: Seen, weights: Floats, assets: NDArray[np.intp], still: Floats) -> tuple[Floats, Floats]:
    """R over ``assets`` (b, k) and R still (b,), with w'R'R w = w'H w.

    Centred scenarios near the edge, freed of what moves with the loss so that R ``weights`` = 0.
    """
    distance = np.abs(seen.losses - seen.worst.threshold)
    wanted = max(30, min(NEARBY, int(2 * NEARBY_SHARE / seen.sample.shares.mean())))
    near = np.argpartition(distance, wanted)[:wanted] if wanted < len(distance) else np.arange(len(distance))
    shares, whole = seen.sample.shares[near], seen.sample.rows[near]
    chances = shares / shares.sum()
    rows, rest, losses = whole[:, assets], whole @ still, seen.losses[near]
    value = seen.worst.value
    steady = abs(value) > 1e-9 * np.abs(seen.losses).max()
    with_loss = seen.gradient / value if steady else weights / max(float(weights @ weights), 1e-300)
    moved = losses - chances @ losses
    scale = np.sqrt(shares / (2 * max(float(distance[near].max()), 1e-12)))
    rows += np.outer(moved, with_loss[assets]) - chances @ rows
    rest += moved * (with_loss @ still) - chances @ rest
    return rows * scale[:, None], rest * scale


def _spread(seen: Seen, assets: NDArray[np.intp], still: Floats) -> tuple[Floats, Floats]:
    """R over ``assets`` and R still, with w'R'R w = CVaR(w)^2 were returns elliptical about zero: all scenarios, to scale."""
    scale = seen.worst.value / np.sqrt(float(np.square(seen.losses - seen.losses.mean()).sum()))
    rows, rest = seen.sample.rows[:, assets], seen.sample.rows @ still
    rows -= rows.mean(axis=0)
    rows *= scale
    return rows, (rest - rest.mean()) * scale


def _elliptical(seen: Seen, weights: Floats, assets: NDArray[np.intp], still: Floats) -> tuple[Floats, Floats]:
    """The same from gradient and curvature at ``weights``."""
    rows, rest = curvature(seen, weights, assets, still)
    root, slope = np.sqrt(seen.worst.value), seen.gradient
    return np.vstack((root * rows, slope[assets])), np.append(root * rest, slope @ still)


def quadratics(
    frame: Frame, i: int, seen: Seen, weights: Floats, work: NDArray[np.intp], still: Floats, dual: float, rough: bool
) -> list[Quadratic]:
    """The model of tail ``i`` in the columns ``work``, the weights ``still`` resting: one where it is priced, one where limited.

    Elliptical where CVaR and limit are positive, ``rough`` from all scenarios rather than those near the edge; else the parabola
    that touches at ``weights``.
    """
    tail, unit, value = frame.tails[i], frame.units[i], seen.worst.value
    assets = frame.columns.asset[work]
    if value > 0 and tail.limit > 0:
        rows, rest = _spread(seen, assets, still) if rough else _elliptical(seen, weights, assets, still)
        rows, rest, slope = rows / unit, rest / unit, np.zeros_like(weights)
        priced, limited, most = value / unit, tail.limit / unit, tail.limit / unit / 2
    else:
        rows, rest = curvature(seen, weights, assets, still)
        rows, rest, slope = rows / np.sqrt(unit), rest / np.sqrt(unit), seen.gradient / unit
        priced, limited, most = 1.0, 1.0, tail.limit / unit
    square, cross, constant = rows.T @ rows, rest @ rows, 0.5 * float(rest @ rest)
    square.flat[:: len(square) + 1] += RIDGE * np.trace(square) / len(square)
    found = []
    if tail.price:
        found.append(Quadratic(square / priced, cross / priced + slope[assets], tail.price * unit / frame.worth))
    if tail.limit < np.inf:
        fixed = constant / limited + float(slope @ still)
        found.append(Quadratic(square / limited, cross / limited + slope[assets], 0.0, most - fixed, dual))
    return found


def newton(
    frame: Frame, seen: tuple[Seen, ...], weights: Floats, work: NDArray[np.intp], duals: Floats, rough: bool, product: float
) -> tuple[Floats, Floats]:
    """New columns x (k,) and scaled multipliers of the limits (i,) by one step from ``weights``; SolverError where it fails."""
    point = frame.columns.rested(frame.columns.point(weights), work)
    resting = point.copy()
    resting[work] = 0.0
    still = frame.columns.weights(resting)
    models: list[Quadratic] = []
    owners: list[int] = []
    for i, one in enumerate(seen):
        found = quadratics(frame, i, one, weights, work, still, max(float(duals[i]), 1e-3), rough)
        models += found
        owners += [i] * len(found)
    best = optimum(frame.program(work, point, models), point[work], product, ENOUGH)
    point[work] = best.point
    new = np.zeros(len(seen))
    np.add.at(new, owners, best.tails)
    return point, new
