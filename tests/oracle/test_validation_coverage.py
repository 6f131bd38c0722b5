"""The coverage tests, against hand results, scipy's contingency tables and seeded simulation of right and wrong forecasts."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from riskd.core.arrays import Floats
from riskd.core.validation.coverage import (
    band,
    christoffersen,
    dynamic_quantile,
    exact_binomial,
    exceedances,
    kupiec,
    traffic_light,
)

pytestmark = pytest.mark.oracle

Judge = Callable[[Floats, Floats, float], float]  # losses, VaR, level -> p
JUDGES: dict[str, Judge] = {
    "kupiec": lambda *data: kupiec(*data).p,
    "exact binomial": lambda *data: exact_binomial(*data).p,
    "independence": lambda *data: christoffersen(*data)[0].p,
    "conditional coverage": lambda *data: christoffersen(*data)[1].p,
    "dynamic quantile": lambda *data: dynamic_quantile(*data).p,
}


def days(hits: list[int]) -> tuple[Floats, Floats]:
    """Losses that exceed a VaR of 1 where ``hits`` says so."""
    return np.array(hits, dtype=float) * 2, np.ones(len(hits))


def volatile(random: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Normal losses whose volatility wanders, and that volatility, known the day before."""
    sigma = 0.01 * np.exp(np.sin(np.arange(count) / 40 + random.uniform(0, 6)))
    return sigma * random.standard_normal(count), sigma


def rejected(judge: Judge, factor: float, constant: bool = False, level: float = 0.95, count: int = 1000) -> float:
    """The share of 400 histories that ``judge`` rejects at 5 % when the VaR is ``factor`` times the truth, or its mean."""
    random = np.random.default_rng(11)
    found = []
    for _ in range(400):
        losses, sigma = volatile(random, count)
        var = stats.norm.ppf(level) * factor * (np.full(count, sigma.mean()) if constant else sigma)
        found.append(judge(losses, var, level) < 0.05)
    return float(np.mean(found))


@pytest.mark.parametrize("name", JUDGES)
def test_a_right_forecast_passes(name: str) -> None:
    """About one right forecast in twenty is rejected, never clearly more."""
    assert rejected(JUDGES[name], 1.0) <= 0.085


@pytest.mark.parametrize("name", [name for name in JUDGES if name != "independence"])
def test_a_small_var_fails(name: str) -> None:
    """A VaR of 70 % of the truth is rejected nearly always by all that look at the number."""
    assert rejected(JUDGES[name], 0.7) > 0.9


@pytest.mark.parametrize(("name", "least"), [("dynamic quantile", 0.9), ("independence", 0.3)])
def test_a_var_that_never_moves_fails(name: str, least: float) -> None:
    """A constant VaR under moving volatility has clustered exceedances, which both see and Kupiec does not."""
    assert rejected(JUDGES[name], 1.0, constant=True) > least


def test_kupiec_is_the_ratio_of_binomial_likelihoods() -> None:
    """10 exceedances in 100 days at 95 %: twice the log of binomial(10; 100, 0.10) over binomial(10; 100, 0.05)."""
    losses, var = days([1] * 10 + [0] * 90)
    ratio = 2 * (stats.binom.logpmf(10, 100, 0.1) - stats.binom.logpmf(10, 100, 0.05))
    test = kupiec(losses, var, 0.95)
    assert test.statistic == pytest.approx(ratio, rel=1e-10)
    assert test.p == pytest.approx(stats.chi2.sf(ratio, 1), rel=1e-9)
    none = kupiec(*days([0] * 100), 0.95)
    assert none.statistic == pytest.approx(-200 * math.log(0.95), rel=1e-12)


def test_exact_binomial_by_sum() -> None:
    """p is the total probability of the counts that are no likelier than the observed 4 in 30."""
    pmf = stats.binom.pmf(np.arange(31), 30, 0.05)
    assert exact_binomial(*days([1] * 4 + [0] * 26), 0.95).p == pytest.approx(pmf[pmf <= pmf[4] * (1 + 1e-9)].sum(), rel=1e-9)


def test_christoffersen_is_the_contingency_table() -> None:
    """Independence is the log-likelihood ratio of the two-by-two table of days and their successors; coverage adds Kupiec's."""
    hits = np.random.default_rng(5).random(300) < 0.1
    table = [[int(((hits[:-1] == a) & (hits[1:] == b)).sum()) for b in (0, 1)] for a in (0, 1)]
    ratio = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    losses, var = days([int(h) for h in hits])
    independence, coverage = christoffersen(losses, var, 0.95)
    assert independence.statistic == pytest.approx(ratio, rel=1e-9)
    assert coverage.statistic == pytest.approx(ratio + kupiec(losses[1:], var[1:], 0.95).statistic, rel=1e-9)
    assert coverage.p == pytest.approx(stats.chi2.sf(coverage.statistic, 2), rel=1e-9)


def test_dynamic_quantile_by_normal_equations() -> None:
    """h' X (X'X)^-1 X' h / (alpha (1 - alpha)) with four lags, a constant and the VaR; chi-squared with 6 degrees."""
    losses, sigma = volatile(np.random.default_rng(6), 400)
    var = 1.6 * sigma
    h = (losses > var) - 0.05
    x = np.array([[1, h[t - 1], h[t - 2], h[t - 3], h[t - 4], var[t]] for t in range(4, 400)])
    inner = x.T @ h[4:]
    statistic = inner @ np.linalg.inv(x.T @ x) @ inner / (0.05 * 0.95)
    test = dynamic_quantile(losses, var, 0.95)
    assert test.statistic == pytest.approx(statistic, rel=1e-6)
    assert test.p == pytest.approx(stats.chi2.sf(statistic, 6), rel=1e-5)


def test_a_repeated_regressor_does_not_count() -> None:
    """With a VaR that never moves there are five degrees of freedom, and without an exceedance one."""
    losses, sigma = volatile(np.random.default_rng(6), 400)
    test = dynamic_quantile(losses, np.full(400, 1.6 * sigma.mean()), 0.95)
    assert test.p == pytest.approx(stats.chi2.sf(test.statistic, 5), rel=1e-9)
    quiet = dynamic_quantile(*days([0] * 400), 0.95)
    assert quiet.statistic == pytest.approx(396 * 0.05**2 / (0.05 * 0.95), rel=1e-9)
    assert quiet.p == pytest.approx(stats.chi2.sf(quiet.statistic, 1), rel=1e-9)


def test_band_of_554_days() -> None:
    """In 554 days 18 to 38, 7 to 21 and 1 to 11 exceedances are acceptable at 95, 97.5 and 99 %, and no more than that."""
    for level, low, high in ((0.95, 18, 38), (0.975, 7, 21), (0.99, 1, 11)):
        assert_allclose(band(554, level), (low / 554, high / 554), rtol=1e-12)
        law = stats.binom(554, 1 - level)
        assert law.cdf(low - 1) <= 0.025 < law.cdf(low)
        assert law.sf(high) <= 0.025 < law.sf(high - 1)


@pytest.mark.parametrize(("count", "zone"), [(0, "green"), (4, "green"), (5, "yellow"), (9, "yellow"), (10, "red")])
def test_the_zones_are_basels(count: int, zone: str) -> None:
    """At 99 % over 250 days up to 4 exceedances are green, 5 to 9 yellow and 10 red."""
    assert traffic_light(*days([1] * count + [0] * (250 - count))).zone == zone


def test_the_share_of_windows() -> None:
    """Of the 251 windows of 500 days with six exceedances in the middle those with at most four are green; the newest counts."""
    light = traffic_light(*days([0] * 247 + [1] * 6 + [0] * 247))
    counts = [sum(247 <= day < 253 for day in range(start, start + 250)) for start in range(251)]
    assert light.green == pytest.approx(np.mean(np.array(counts) <= 4))
    assert light.yellow == pytest.approx(np.mean(np.array(counts) >= 5))
    assert (light.red, light.zone, light.exceedances) == (0.0, "green", 3)


def test_what_cannot_be_computed_is_no_pass() -> None:
    """Without an exceedance, with too few days or none there is no p, and the note says why."""
    tests = (*christoffersen(*days([0] * 50), 0.95), dynamic_quantile(*days([1, 0, 0]), 0.95), kupiec(*days([]), 0.95))
    assert all(math.isnan(test.p) and math.isnan(test.statistic) and test.note for test in tests)
    with pytest.raises(ValueError, match="10 days are no window of 250"):
        traffic_light(*days([0] * 10))


@pytest.mark.parametrize("var", [np.array([1.0, math.nan]), np.array([1.0]), np.ones((2, 1))])
def test_missing_days_are_refused(var: Floats) -> None:
    """A NaN or another shape is an error and never a day without exceedance."""
    with pytest.raises(ValueError, match="must be"):
        exceedances(np.zeros(2), var)
