"""The closed forms of the Johnson SU distribution against SciPy's own and against numerical integration."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from riskd.core.johnson_su import JohnsonSU

pytestmark = pytest.mark.oracle

# scale, mu, sigma, delta, eps: calm, skewed either way, heavy tails, nearly normal
CASES = [
    (0.01, 0.0, 1.0, 2.17, 0.0),
    (0.02, 0.1, 0.8, 1.6, -0.5),
    (0.03, -0.2, 1.4, 1.3, 0.9),
    (0.005, 0.05, 2.0, 1.05, -0.2),
    (0.01, 0.0, 1.0, 30.0, 0.1),
]
LEVELS = (0.005, 0.01, 0.05, 0.5, 0.95)


def one(case: tuple[float, ...]) -> JohnsonSU:
    """A distribution of one path and one asset."""
    return JohnsonSU(*(np.array([[value]]) for value in case))


def by_scipy(case: tuple[float, ...]) -> stats.rv_continuous:
    """The same distribution in SciPy's parameters: g = a + b asinh((r - loc) / scale)."""
    scale, mu, sigma, delta, eps = case
    return stats.johnsonsu(-eps, delta, scale * (mu - sigma * delta * np.sinh(eps / delta)), scale * sigma * delta)


@pytest.mark.parametrize("case", CASES)
def test_density_is_scipys(case: tuple[float, ...]) -> None:
    """log f(r) agrees with scipy.stats.johnsonsu from deep in one tail to deep in the other."""
    returns = case[0] * np.linspace(-12, 12, 49)
    assert_allclose(one(case).log_density(returns[:, None])[:, 0], by_scipy(case).logpdf(returns), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_score_is_the_normal_score_of_scipys_probability(case: tuple[float, ...]) -> None:
    """Phi(score(r)) is scipy's F(r)."""
    returns = case[0] * np.linspace(-6, 6, 25)
    probability = stats.norm.cdf(one(case).score(returns[:, None])[:, 0])
    assert_allclose(probability, by_scipy(case).cdf(returns), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("level", LEVELS)
def test_quantile_is_scipys(case: tuple[float, ...], level: float) -> None:
    """F^-1 agrees with scipy's, and its score is the normal quantile."""
    quantile = one(case).quantile(level)
    assert_allclose(quantile[0, 0], by_scipy(case).ppf(level), rtol=1e-9, atol=1e-15)
    assert_allclose(one(case).score(quantile)[0, 0], stats.norm.ppf(level), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("level", LEVELS)
def test_tail_mean_is_the_integral_of_the_quantile(case: tuple[float, ...], level: float) -> None:
    """E[r | r <= F^-1(p)] is the quantile function integrated over (0, p) by adaptive quadrature, divided by p."""
    scale, mu, sigma, delta, eps = case

    def weighted(g: float) -> float:
        r = scale * (mu + sigma * delta * (np.sinh((g + eps) / delta) - np.sinh(eps / delta)))
        return float(r * stats.norm.pdf(g))

    mean = integrate.quad(weighted, -40, stats.norm.ppf(level), epsabs=1e-15, epsrel=1e-11, limit=400)[0] / level
    assert_allclose(one(case).lower_mean(level)[0, 0], mean, rtol=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_a_tail_mean_is_worse_than_its_quantile(case: tuple[float, ...]) -> None:
    """The mean beyond VaR lies beyond VaR, at every level."""
    assert all(one(case).lower_mean(level)[0, 0] < one(case).quantile(level)[0, 0] for level in LEVELS)


def test_from_score_inverts_score() -> None:
    """from_score(score(r)) is r for a grid of paths and assets, each with its own parameters."""
    rng = np.random.default_rng(1)
    shape = (50, 4)
    low, high = (0.002, -0.3, 0.25, 1.0, -1.0), (0.08, 0.3, 4.0, 6.0, 1.0)
    forecast = JohnsonSU(*(rng.uniform(a, b, shape) for a, b in zip(low, high, strict=True)))
    returns = forecast.scale * rng.standard_t(3, shape)
    assert_allclose(forecast.from_score(forecast.score(returns)), returns, rtol=1e-9, atol=1e-12)
