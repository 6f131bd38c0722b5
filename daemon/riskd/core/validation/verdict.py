"""Every test of one forecast of one portfolio, at every level."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.validation.calibration import conditional_calibration, es_intercept, es_regression
from riskd.core.validation.coverage import (
    TrafficLight,
    band,
    christoffersen,
    dynamic_quantile,
    exact_binomial,
    exceedances,
    kupiec,
    traffic_light,
)
from riskd.core.validation.scores import fz0, pinball
from riskd.core.validation.shortfall import exceedance_residuals, z1, z2
from riskd.core.validation.significance import Test, undefined
from riskd.core.validation.uniformity import Accuracy, Divergence, berkowitz, cvar_accuracy, divergence, kolmogorov_smirnov
from riskd.core.validation.violations import conditional, unconditional

WINDOW = 250  # days of a traffic light


@dataclass(frozen=True, slots=True)
class Figures:
    """What one level shows: fractions; ``fz0`` and ``pinball`` are means, lower is better."""

    exceedances: int
    share: float
    band: tuple[float, float]  # of the share, that a right forecast keeps to on 95 of 100 occasions
    fz0: float  # NaN where a CVaR is not above 0
    pinball: float
    accuracy: Accuracy
    light: TrafficLight | None  # None with fewer days than its window


@dataclass(frozen=True, slots=True)
class Verdict:
    """All tests by level, and those of the whole distribution where the PIT is known. Many tests: see ``compare.holm``."""

    days: int
    figures: Mapping[float, Figures]
    tests: Mapping[float, tuple[Test, ...]]
    density: tuple[Test, ...]
    divergence: Divergence | None


def verdict(losses: Floats, levels: Sequence[float], var: Floats, cvar: Floats, pit: Floats | None = None) -> Verdict:
    """Judge forecasts ``var`` and ``cvar`` (T, L) at ``levels`` (L,) by ``losses`` (T,), and ``pit`` (T,) where there is one.

    The same input gives the same verdict: resampling is seeded. Raises ValueError on other shapes, on NaN and without days.
    """
    shape = (len(losses), len(levels))
    if not len(losses) or var.shape != shape or cvar.shape != shape or (pit is not None and pit.shape != losses.shape):
        raise ValueError(f"{len(losses)} losses and {len(levels)} levels do not go with VaR {var.shape} and CVaR {cvar.shape}")
    columns = [(level, np.ascontiguousarray(var[:, k]), np.ascontiguousarray(cvar[:, k])) for k, level in enumerate(levels)]
    return Verdict(
        days=len(losses),
        figures={level: _figures(losses, v, c, level) for level, v, c in columns},
        tests={level: _tests(losses, v, c, level, pit) for level, v, c in columns},
        density=() if pit is None else (kolmogorov_smirnov(pit), berkowitz(pit)),
        divergence=None if pit is None else divergence(pit),
    )


def _figures(losses: Floats, var: Floats, cvar: Floats, level: float) -> Figures:
    count = int(exceedances(losses, var).sum())
    return Figures(
        exceedances=count,
        share=count / len(losses),
        band=band(len(losses), level),
        fz0=float(fz0(losses, var, cvar, level).mean()) if (cvar > 0).all() else math.nan,
        pinball=float(pinball(losses, var, level).mean()),
        accuracy=cvar_accuracy(losses, var, cvar),
        light=traffic_light(losses, var, level, WINDOW) if len(losses) >= WINDOW else None,
    )


def _tests(losses: Floats, var: Floats, cvar: Floats, level: float, pit: Floats | None) -> tuple[Test, ...]:
    violations = () if pit is None else (unconditional(pit, level), conditional(pit, level, 1), conditional(pit, level, 5))
    return (
        kupiec(losses, var, level),
        exact_binomial(losses, var, level),
        *christoffersen(losses, var, level),
        dynamic_quantile(losses, var, level),
        *_shortfall(losses, var, cvar, level),
        *violations,
    )


def _shortfall(losses: Floats, var: Floats, cvar: Floats, level: float) -> tuple[Test, ...]:
    if not (cvar > 0).all():
        return (undefined("shortfall", f"the CVaR is not above 0 on {int((~(cvar > 0)).sum())} days"),)
    return (
        z1(losses, var, cvar),
        z2(losses, var, cvar, level),
        exceedance_residuals(losses, var, cvar),
        *conditional_calibration(losses, var, cvar, level),
        es_regression(losses, var, cvar, level),
        es_intercept(losses, var, cvar, level),
    )
