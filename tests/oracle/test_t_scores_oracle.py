"""The tables of Student's t against scipy's distributions and against the bound of their error."""

import numpy as np
import pytest
from scipy import stats

from riskd.core.arrays import Floats
from riskd.core.scenarios.t_copula import LEAST_DOF, MOST_DOF
from riskd.core.scenarios.t_scores import KNOT, LAST, STEP, WIDEST, t_scores

pytestmark = pytest.mark.oracle
DOFS = (LEAST_DOF, 2.5, 3.0, 5.0, 10.0, 30.0, MOST_DOF)
TOLERANCE = 1e-6


def variate(dof: float, s: Floats) -> Floats:
    """x of s = sqrt(nu log(1 + x^2 / nu))."""
    return np.asarray(np.sqrt(dof * np.expm1(s * s / dof)))


def curvature(dof: float, s: Floats) -> Floats:
    """g''(s) in closed form: g' = f_nu(x) x' / phi(g), differentiated by its logarithm."""
    x = variate(dof, s)
    g = stats.norm.isf(stats.t.sf(x, dof))
    rise = s * (1 + x * x / dof) / x  # dx / ds
    slope = np.exp(stats.t.logpdf(x, dof) - stats.norm.logpdf(g)) * rise
    bend = 1 / s - rise * (1 / x - 2 * x / (dof + x * x))  # d log(dx / ds) / ds
    return np.asarray(slope * (bend + g * slope - rise * (dof + 1) * x / (dof + x * x)))


@pytest.mark.parametrize("dof", DOFS)
def test_scores_are_scipys(dof: float) -> None:
    """Between any two steps, where a straight line is worst, g is off by less than 1e-6; falls mirror rises."""
    x = variate(dof, np.arange(STEP / 2, LAST, STEP))
    scores = t_scores(dof).score(x)
    assert np.abs(scores - stats.norm.isf(stats.t.sf(x, dof))).max() < TOLERANCE
    assert (t_scores(dof).score(-x) == -scores).all()
    assert (np.diff(scores) > 0).all()


def test_the_bound_of_the_error() -> None:
    """STEP^2 / 8 max |g''| is below 1e-6 for every nu that a fit can give; g is odd, so g'' vanishes where it is not taken."""
    s = np.linspace(0.05, LAST, 3000)
    for dof in np.geomspace(LEAST_DOF, MOST_DOF, 40):
        assert STEP**2 / 8 * np.abs(curvature(float(dof), s)).max() < TOLERANCE / 2


def test_the_curvature_is_the_one_of_the_scores() -> None:
    """The closed form of g'' that the bound rests on agrees with second differences of scipy's scores."""
    s, h = np.linspace(0.5, 8, 50), 1e-3
    for dof in DOFS:
        below, at, above = (stats.norm.isf(stats.t.sf(variate(dof, s + k * h), dof)) for k in (-1, 0, 1))
        np.testing.assert_allclose(curvature(dof, s), (above - 2 * at + below) / h**2, atol=1e-6)


def test_beyond_the_table_nothing_is_cut() -> None:
    """Scores of variates past the last step are as exact as the incomplete beta function, among others that are in the table."""
    x = np.array([[1e20, -1e25], [0.3, -np.sqrt(3 * np.expm1(LAST**2 / 3))]])
    scores = t_scores(3.0).score(x)
    np.testing.assert_allclose(scores, -np.sign(x) * stats.norm.ppf(stats.t.cdf(-np.abs(x), 3.0)), rtol=1e-6)
    assert np.abs(scores[0]).min() > LAST


@pytest.mark.parametrize("dof", DOFS)
def test_multipliers_are_scipys(dof: float) -> None:
    """Between any two knots m is off by less than 1e-6 of itself, however far out."""
    w = np.arange(-WIDEST + KNOT / 2, WIDEST, KNOT)
    lower, upper = stats.chi2.ppf(stats.norm.cdf(w), dof), stats.chi2.isf(stats.norm.sf(w), dof)
    wanted = np.sqrt(dof / np.where(w < 0, lower, upper))
    np.testing.assert_allclose(t_scores(dof).multiplier(w), wanted, rtol=TOLERANCE)


@pytest.mark.parametrize("dof", [LEAST_DOF, 5.0])
def test_one_normal_times_its_multiplier_is_student(dof: float) -> None:
    """z m(w) of independent normals has the t distribution, and its score the normal one."""
    z, w = np.random.default_rng(1).standard_normal((2, 100_000))
    x = z * t_scores(dof).multiplier(w)
    assert stats.kstest(x, stats.t(dof).cdf).pvalue > 1e-3
    assert stats.kstest(t_scores(dof).score(x), "norm").pvalue > 1e-3
