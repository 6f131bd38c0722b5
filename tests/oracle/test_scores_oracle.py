"""The scores and baselines that the network is judged by, against direct computation and other implementations."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

pytestmark = pytest.mark.oracle
for package in ("arch", "torch", "skfolio"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from arch import arch_model  # noqa: E402

from riskd_models.baselines import Normal, StudentT, ewma_normal, gjr_deviation  # noqa: E402
from riskd_models.scores import losses  # noqa: E402


def test_the_scores_are_of_the_lower_tail() -> None:
    """At 5 % they are written out for a return below and one above the quantile, and only the first is a hit."""
    forecast = Normal(np.array([[0.02], [0.02]]))
    y, v, e = np.array([[-0.05], [0.01]]), 0.02 * stats.norm.ppf(0.05), -0.02 * stats.norm.pdf(stats.norm.ppf(0.05)) / 0.05
    found = losses(y, forecast, 0.05)
    assert_allclose(found["pinball"], [[0.95 * (v + 0.05)], [0.05 * (0.01 - v)]], rtol=1e-9)
    common = v / e + np.log(-e) - 1
    assert_allclose(found["fz0"], [[common - (v + 0.05) / (0.05 * e)], [common]], rtol=1e-9)
    assert_allclose(found["hits"], [[1], [0]])
    assert_allclose(found["negative_log_score"], -stats.norm.logpdf(y, 0, 0.02), rtol=1e-9)


@pytest.mark.parametrize("probability", [0.01, 0.05])
def test_baselines_tail_means_are_integrals(probability: float) -> None:
    """Tail means of the normal and the Student t are their densities integrated below the quantile."""
    one = np.array([[0.02]])
    for forecast in (Normal(one), StudentT(np.array([[0.001]]), one, np.array([[4.2]]))):
        q = forecast.quantile(probability)[0, 0]
        mean = integrate.quad(lambda y, f=forecast: y * np.exp(f.log_density(np.array([[y]])))[0, 0], -np.inf, q)[0] / probability
        assert_allclose(forecast.lower_mean(probability)[0, 0], mean, rtol=1e-6)


def test_ewma_is_its_recursion() -> None:
    """Each variance is .94 of the day before's and .06 of the squared return, and looks at earlier days alone."""
    returns = 0.01 * np.random.default_rng(3).standard_normal((80, 2))
    variance = returns[:60].var(axis=0)
    for row in returns[:-1]:
        variance = 0.94 * variance + 0.06 * row**2
    assert_allclose(ewma_normal(returns, 0.94, 70).scale[-1], np.sqrt(variance), rtol=1e-12)


def test_gjr_filter_is_archs() -> None:
    """With arch's fitted parameters the filter gives arch's conditional volatility once the start is forgotten."""
    returns = np.random.default_rng(4).standard_t(5, 1200)
    model = arch_model(returns, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False)
    fit = model.fit(disp="off", show_warning=False)
    ours = gjr_deviation(returns, fit.params.to_numpy())
    assert_allclose(ours[600:], np.asarray(fit.conditional_volatility)[600:], rtol=1e-6)
