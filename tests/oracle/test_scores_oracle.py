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
from riskd_models.scores import diebold_mariano, fz0, pinball  # noqa: E402

LEVEL = 0.05


def expected(score: str, v: float, e: float) -> float:
    """The expected score of a (v, e) forecast when the truth is standard normal, by quadrature."""

    def weighted(y: float) -> float:
        one, quantile, mean = np.array([y]), np.array([v]), np.array([e])
        value = pinball(one, quantile, LEVEL) if score == "pinball" else fz0(one, quantile, mean, LEVEL)
        return float(value[0] * stats.norm.pdf(y))

    return sum(integrate.quad(weighted, a, b)[0] for a, b in ((-12, v), (v, 12)))


TRUE_V = stats.norm.ppf(LEVEL)
TRUE_E = -stats.norm.pdf(TRUE_V) / LEVEL


@pytest.mark.parametrize(("dv", "de"), [(0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1), (0.1, 0.1), (-0.1, -0.1)])
def test_the_truth_scores_best(dv: float, de: float) -> None:
    """Any other quantile or tail mean has a higher expected FZ0, and any other quantile a higher expected pinball loss."""
    assert expected("fz0", TRUE_V + dv, TRUE_E + de) > expected("fz0", TRUE_V, TRUE_E) + 1e-5
    if dv:
        assert expected("pinball", TRUE_V + dv, TRUE_E) > expected("pinball", TRUE_V, TRUE_E) + 1e-5


def test_diebold_mariano_is_the_double_sum() -> None:
    """The t statistic agrees with the long-run variance written as a double sum over all pairs of days."""
    random = np.random.default_rng(2)
    difference = 0.05 + np.convolve(random.standard_normal(405), np.ones(6) / 6, mode="valid")
    count, lags = len(difference), 5  # floor(4 (400/100)^(2/9)) = 5
    centred = difference - difference.mean()
    gap = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    variance = (np.clip(1 - gap / (lags + 1), 0, None) * np.outer(centred, centred)).sum() / count
    assert_allclose(diebold_mariano(difference), difference.mean() / np.sqrt(variance / count), rtol=1e-12)


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
