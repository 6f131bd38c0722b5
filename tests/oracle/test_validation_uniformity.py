"""The tests of the PIT and the seeds' accuracies, against closed forms, scipy and seeded simulation."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.optimize import minimize

from riskd.core.validation.uniformity import berkowitz, cvar_accuracy, divergence, kolmogorov_smirnov

pytestmark = pytest.mark.oracle


def test_right_forecasts_pass() -> None:
    """About one uniform column in twenty is rejected by each."""
    columns = np.random.default_rng(0).random((600, 400))
    p_values = np.array([[kolmogorov_smirnov(u).p, berkowitz(u).p, divergence(u).p] for u in columns])
    shares = np.mean(p_values < 0.05, axis=0)
    assert ((shares > 0.02) & (shares < 0.085)).all(), shares


def test_wrong_forecasts_fail() -> None:
    """A volatility 20 % too small fails all three in 2000 days; days that depend on each other fail Berkowitz alone."""
    z = np.random.default_rng(1).standard_normal(2000)
    narrow = stats.norm.cdf(1.25 * z)
    assert max(kolmogorov_smirnov(narrow).p, berkowitz(narrow).p, divergence(narrow).p) < 0.01
    linked = stats.norm.cdf(0.2 * np.roll(z, 1) + math.sqrt(0.96) * z)
    assert berkowitz(linked).p < 1e-6
    assert min(kolmogorov_smirnov(linked).p, divergence(linked).p) > 0.01


def test_kolmogorov_smirnov_by_hand() -> None:
    """Three values 0.5, 0.6, 0.7 leave a gap of 0.5 before the first."""
    assert kolmogorov_smirnov(np.array([0.5, 0.6, 0.7])).statistic == pytest.approx(0.5)


def test_berkowitz_is_the_likelihood_ratio() -> None:
    """The statistic is twice the gain of a numerical maximum of the AR(1) likelihood over the standard normal's."""
    pit = np.random.default_rng(2).beta(1.2, 0.9, 300)
    z = stats.norm.ppf(pit)

    def minus_log(b: np.ndarray) -> float:
        return -float(stats.norm.logpdf(z[1:], b[0] + b[1] * z[:-1], math.exp(b[2])).sum())

    gain = minus_log(np.zeros(3)) - minimize(minus_log, np.zeros(3), method="BFGS").fun
    test = berkowitz(pit)
    assert test.statistic == pytest.approx(2 * gain, rel=1e-6)
    assert test.p == pytest.approx(stats.chi2.sf(2 * gain, 3), rel=1e-4)


def test_a_pit_at_the_end_is_not_clipped() -> None:
    """One PIT of exactly 1 has no normal score: no p, and the note says what to give."""
    test = berkowitz(np.append(np.random.default_rng(3).random(50), 1.0))
    assert math.isnan(test.p)
    assert "1 PITs are exactly 0 or 1" in test.note


def test_divergence_by_hand() -> None:
    """Half of the days in each of two of four bins: log 2; none is below zero."""
    assert divergence(np.array([0.1, 0.1, 0.6, 0.6]), bins=4).value == pytest.approx(math.log(2))
    assert divergence(np.array([0.1, 0.4, 0.6, 0.9]), bins=4).value == pytest.approx(0, abs=1e-12)


def test_the_floor_is_the_mean_of_right_forecasts() -> None:
    """Over 500 days and 20 bins perfect forecasts show (20 - 1) / (2 T) = 0.019 on average, and 95 % of them less than high."""
    columns = np.random.default_rng(4).random((600, 500))
    found = [divergence(u) for u in columns]
    values = np.array([d.value for d in found])
    assert found[0].floor == pytest.approx(0.019)
    assert values.mean() == pytest.approx(0.019, rel=0.05)
    assert np.mean(values < found[0].high) == pytest.approx(0.95, abs=0.025)


def test_accuracy_by_hand() -> None:
    """Exceedances 3 and 5 under CVaR 3 and 4: 1 - |4 - 3.5| / 4 = 0.875; the day without counts for nothing."""
    found = cvar_accuracy(np.array([3.0, 5, 0]), np.array([2.0, 2, 2]), np.array([3.0, 4, 90]))
    assert found.value == pytest.approx(0.875)
    assert found.days == 2
    assert math.isnan(cvar_accuracy(np.zeros(3), np.ones(3), np.ones(3)).value)


def test_the_interval_of_the_accuracy() -> None:
    """With 25 exceedances of a heavy tail the interval is wider than a tenth, with 2500 narrower than a twentieth."""
    losses = np.random.default_rng(5).standard_t(4, 50_000)
    v = stats.t.ppf(0.95, 4)
    c = stats.t.expect(lambda x: x, args=(4,), lb=v, conditional=True)
    few, many = (cvar_accuracy(x, np.full(len(x), v), np.full(len(x), c)) for x in (losses[:500], losses))
    assert few.high - few.low > 0.1 > 0.05 > many.high - many.low
    assert many.low <= many.value <= many.high


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_a_pit_outside_is_refused(bad: float) -> None:
    """A PIT outside [0, 1] or missing is an error."""
    for judge in (kolmogorov_smirnov, berkowitz, divergence):
        with pytest.raises(ValueError, match="inside"):
            judge(np.array([0.5, bad]))


def test_divergence_is_scipys_entropy() -> None:
    """The value is scipy's relative entropy of the shares."""
    pit = np.random.default_rng(6).beta(2, 2, 800)
    shares = np.histogram(pit, bins=20, range=(0, 1))[0] / 800
    assert_allclose(divergence(pit).value, stats.entropy(shares, np.full(20, 0.05)), rtol=1e-10)
