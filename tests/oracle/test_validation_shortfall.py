"""The CVaR tests, against hand results, direct minimisation and seeded simulation of right and wrong forecasts."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.optimize import minimize

from riskd.core.arrays import Floats
from riskd.core.validation import significance, violations
from riskd.core.validation.calibration import conditional_calibration, es_intercept, es_regression
from riskd.core.validation.scores import fz0, pinball
from riskd.core.validation.shortfall import exceedance_residuals, z1, z2
from riskd.core.validation.significance import mean_above_zero, zero_mean

pytestmark = pytest.mark.oracle

NU = 5


def tail(level: float) -> tuple[float, float]:
    """VaR and CVaR of a Student t loss with five degrees of freedom, in closed form."""
    v = float(stats.t.ppf(level, NU))
    return v, float(stats.t.pdf(v, NU) / (1 - level) * (NU + v * v) / (NU - 1))


def history(random: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Student t losses whose scale wanders, and that scale, known the day before."""
    scale = 0.01 * np.exp(np.sin(np.arange(count) / 40 + random.uniform(0, 6)))
    return scale * random.standard_t(NU, count), scale


def judged(losses: Floats, scale: Floats, level: float, factor: float = 1.0) -> dict[str, significance.Test]:
    """Every test of forecasts whose scale is ``factor`` times the truth."""
    v, c = tail(level)
    var, cvar, pit = v * factor * scale, c * factor * scale, stats.t.cdf(losses / (factor * scale), NU)
    tests = (
        z1(losses, var, cvar),
        z2(losses, var, cvar, level),
        exceedance_residuals(losses, var, cvar),
        *conditional_calibration(losses, var, cvar, level),
        es_regression(losses, var, cvar, level),
        es_intercept(losses, var, cvar, level),
        violations.unconditional(pit, level),
        violations.conditional(pit, level, 1),
        violations.conditional(pit, level, 5),
    )
    return {test.name: test for test in tests}


@pytest.mark.parametrize(("level", "count"), [(0.95, 500), (0.99, 1500)])
def test_right_forecasts_pass(level: float, count: int) -> None:
    """About one right forecast in twenty is rejected, also with some fifteen to twenty-five exceedances of a heavy tail."""
    random = np.random.default_rng(1)
    p_values = [[t.p for t in judged(*history(random, count), level).values()] for _ in range(200)]
    shares = np.mean(np.array(p_values) < 0.05, axis=0)
    assert (shares <= 0.105).all(), shares


def test_small_forecasts_fail() -> None:
    """A scale of 70 % of the truth fails the tests of size and number; those of the tail beyond the VaR have least power."""
    random = np.random.default_rng(2)
    found = [judged(*history(random, 1000), 0.95, 0.7) for _ in range(60)]
    power = {name: np.mean([tests[name].p < 0.05 for tests in found]) for name in found[0]}
    for name in ("acerbi-szekely z2", "calibration simple", "es intercept", "du-escanciano unconditional"):
        assert power[name] > 0.95
    for name in ("acerbi-szekely z1", "exceedance residuals", "calibration general", "es regression"):
        assert power[name] > 0.6


def test_a_scale_that_never_moves_fails() -> None:
    """Under moving volatility the cumulative violations of a constant scale are correlated."""
    losses, scale = history(np.random.default_rng(3), 2000)
    tests = judged(losses, np.full(2000, np.sqrt((scale**2).mean())), 0.95)
    assert tests["du-escanciano conditional 5"].p < 0.01
    assert math.isnan(tests["es regression"].p)
    assert "no slope" in tests["es regression"].note


def test_z1_and_z2_by_hand() -> None:
    """Losses 3 and 5 over VaR 2 and CVaR 4 in ten days at 80 %: Z1 and Z2 are 0; doubled, a third exceeds and Z2 is -1.5."""
    losses = np.array([0, 1, 3, 0, 5, 0, 0, 1, 2, 0], dtype=float)
    var, cvar = np.full(10, 2.0), np.full(10, 4.0)
    assert z1(losses, var, cvar).statistic == pytest.approx(0)
    assert z2(losses, var, cvar, 0.8).statistic == pytest.approx(0)
    assert z2(2 * losses, var, cvar, 0.8).statistic == pytest.approx(-1.5)


def test_z2_with_the_tail_square() -> None:
    """With E[L^2 | L > v] known, the standard deviation over histories is the one that p rests on."""
    level, count = 0.95, 1000
    v, c = stats.norm.ppf(level), stats.norm.pdf(stats.norm.ppf(level)) / (1 - level)
    square = np.full(count, 1 + v * c)  # of the standard normal beyond v
    losses = np.random.default_rng(4).standard_normal((800, count))
    tests = [z2(row, np.full(count, v), np.full(count, c), level, square) for row in losses]
    statistics = np.array([test.statistic for test in tests])
    spread = math.sqrt((square[0] / c**2 / (1 - level) - 1) / count)
    assert statistics.std() == pytest.approx(spread, rel=0.08)
    assert_allclose([t.p for t in tests], stats.norm.cdf(statistics / spread), rtol=1e-9)


def test_z2_without_exceedance() -> None:
    """No exceedance at all is the best that Z2 can show, not a failure to compute."""
    test = z2(np.zeros(300), np.ones(300), np.full(300, 2.0), 0.95)
    assert (test.statistic, test.p) == (1.0, 1.0)


def test_residuals_by_the_volatility() -> None:
    """With the scale given the statistic is the one-sample t of (L - c) / scale on the exceedance days."""
    losses, scale = history(np.random.default_rng(5), 800)
    v, c = tail(0.95)
    beyond = losses > v * scale
    expected = stats.ttest_1samp(((losses - c * scale) / scale)[beyond], 0).statistic
    assert exceedance_residuals(losses, v * scale, c * scale, scale).statistic == pytest.approx(expected, rel=1e-10)


def test_bootstrap_t_of_a_symmetric_law() -> None:
    """On two hundred normal terms its p agrees with Student's within the noise of its draws."""
    terms = np.random.default_rng(6).standard_normal(200) + 0.1
    assert mean_above_zero("t", terms, seed=0).p == pytest.approx(
        stats.ttest_1samp(terms, 0, alternative="greater").pvalue, abs=0.03
    )


def test_zero_mean_is_the_wald_statistic() -> None:
    """T m' S^-1 m with S the mean outer product, p close to chi-squared's, and a repeated column changes nothing."""
    x = np.random.default_rng(7).standard_normal((500, 3)) @ np.array([[1, 0, 0], [0.5, 100, 0], [0, 0, 0.01]]) + 0.002
    mean = x.mean(axis=0)
    expected = 500 * mean @ np.linalg.inv(x.T @ x / 500) @ mean
    test = zero_mean("h", x)
    assert test.statistic == pytest.approx(expected, rel=1e-6)
    assert test.p == pytest.approx(stats.chi2.sf(expected, 3), abs=0.06)
    assert zero_mean("h", np.column_stack([x, x[:, 0] - x[:, 1]])).statistic == pytest.approx(expected, rel=1e-5)


def test_a_moment_that_is_never_zero_fails() -> None:
    """Days that are all wrong by the same amount have no variance, and still the largest statistic and the least p."""
    test = zero_mean("h", np.column_stack([np.full(100, -0.95), np.full(100, 0.3)]))
    assert test.statistic == pytest.approx(100)
    assert test.p < 0.01


def test_calibration_by_its_definition() -> None:
    """The simple statistic is that of the two identification functions written out day by day."""
    losses, scale = history(np.random.default_rng(8), 600)
    v, c = (x * scale for x in tail(0.95))
    pairs = [(0.05 - (x > a), a - b + (x - a) * (x > a) / 0.05) for x, a, b in zip(losses, v, c, strict=True)]
    moments = np.array(pairs)
    mean = moments.mean(axis=0)
    expected = 600 * mean @ np.linalg.inv(moments.T @ moments / 600) @ mean
    assert conditional_calibration(losses, v, c, 0.95)[0].statistic == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", [9, 10, 11])
def test_the_regression_minimises_fz0(seed: int) -> None:
    """A search for the least joint FZ0 ends where the regression's line is, and from another start it ends no lower."""
    losses, scale = history(np.random.default_rng(seed), 4000)
    losses, scale = 100 * losses, 100 * scale  # percent, so that the search is well scaled
    v, c = (x * scale for x in tail(0.95))

    def mean_score(b: Floats) -> float:
        es = b[2] + b[3] * c
        return float(fz0(losses, b[0] + b[1] * v, es, 0.95).mean()) if (es > 0).all() else math.inf

    line = [float(x) for x in es_regression(losses, v, c, 0.95).note.removesuffix(" CVaR").split(" + ")]
    quantile = minimize(lambda b: pinball(losses, b[0] + b[1] * v, 0.95).mean(), [0, 1], method="Nelder-Mead").x
    searches = [
        minimize(mean_score, start, method="Nelder-Mead", options={"maxiter": 2000})
        for start in ([*quantile, *line], [0, 1, 0, 1])
    ]
    assert_allclose(searches[0].x[2:], line, atol=0.05)
    assert searches[0].fun <= searches[1].fun + 1e-4


def test_cumulative_violations() -> None:
    """H is zero up to the level and rises to one; its moments over a uniform grid are a / 2 and a (1/3 - a/4)."""
    assert_allclose(violations.cumulative_violations(np.array([0.2, 0.9, 0.95, 1.0]), 0.9), [0, 0, 0.5, 1], atol=1e-12)
    h = violations.cumulative_violations((np.arange(200_000) + 0.5) / 200_000, 0.9)
    assert h.mean() == pytest.approx(0.05, rel=1e-4)
    assert h.var() == pytest.approx(0.1 * (1 / 3 - 0.1 / 4), rel=1e-4)


def test_du_escanciano_by_hand() -> None:
    """Twenty days at 90 % with the last two at 0.95 and 1: the sums written out; p of many days is near chi-squared."""
    pit = np.concatenate([np.full(18, 0.5), [0.95, 1.0]])
    a = 0.1
    expected = math.sqrt(20) * (1.5 / 20 - a / 2) / math.sqrt(a * (1 / 3 - a / 4))
    assert violations.unconditional(pit, 0.9).statistic == pytest.approx(expected, rel=1e-12)
    d = np.concatenate([np.full(18, -0.05), [0.45, 0.95]])
    rho = sum(d[t] * d[t - 1] for t in range(1, 20)) / 19 / (sum(x * x for x in d) / 20)
    assert violations.conditional(pit, 0.9, 1).statistic == pytest.approx(20 * rho**2, rel=1e-12)
    test = violations.conditional(np.random.default_rng(10).random(4000), 0.5, 5)
    assert test.p == pytest.approx(stats.chi2.sf(test.statistic, 5), abs=0.05)


def test_what_cannot_be_computed_is_no_pass() -> None:
    """With too few exceedances there is no p, and the note says so."""
    losses, ones = np.zeros(100), np.ones(100)
    tests = [z1(losses, ones, 2 * ones), exceedance_residuals(losses, ones, 2 * ones), es_intercept(losses, ones, 2 * ones, 0.95)]
    tests += [*conditional_calibration(losses, ones, 2 * ones, 0.95), violations.conditional(np.full(100, 0.5), 0.95, 1)]
    assert all(math.isnan(test.p) and "few" in test.note for test in tests)


def test_a_cvar_that_is_none_is_refused() -> None:
    """A CVaR of zero or NaN is an error."""
    for bad in (0.0, math.nan):
        with pytest.raises(ValueError, match="finite column above 0"):
            z1(np.zeros(2), np.ones(2), np.array([1.0, bad]))
