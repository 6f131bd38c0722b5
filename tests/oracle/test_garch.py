"""The GJR-GARCH-t fit against the standard implementation, hand recursions and its own simulations."""

import numpy as np
import pytest
from arch import arch_model
from skfolio.datasets import load_sp500_dataset

from riskd.core.challengers.gjr_fhs import gjr_samples
from riskd.core.garch import MOST_PERSISTENT, Gjr, _negative_log_likelihood, fit_gjr, gjr_of, untrained

pytestmark = pytest.mark.oracle

TRUTH = Gjr(0.0004, 2e-6, 0.03, 0.1, 0.9, 6.0)


def simulated(sessions: int, seed: int) -> np.ndarray:
    z = np.random.default_rng(seed).standard_t(TRUTH.nu, (sessions, 1)) * np.sqrt((TRUTH.nu - 2) / TRUTH.nu)
    return TRUTH.simulated(0.01, z)[:, 0]


def test_the_likelihood_is_never_worse_than_that_of_arch() -> None:
    """On real returns of three decades the optimum is at least as good as the one arch finds, within 0.01 in all 2,000 terms."""
    returns = np.log(load_sp500_dataset()).diff().dropna().to_numpy()
    for column, first in ((0, 0), (7, 3000), (13, 5500)):
        y = returns[first : first + 2000, column]
        model = arch_model(y * 100, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False)
        mu, omega, alpha, gamma, beta, nu = model.fit(disp="off").params.to_numpy()
        theirs = np.array([mu / 100, omega / 1e4, alpha, alpha + gamma, beta, nu])
        fit = fit_gjr(y)
        values = [2000 * _negative_log_likelihood(y / y.std(), in_units(t, y.std()))[0] for t in (theta_of(fit), theirs)]
        assert fit.fitted and values[0] <= values[1] + 0.01


def theta_of(fit: Gjr) -> np.ndarray:
    return np.array([fit.mu, fit.omega, fit.alpha, fit.alpha + fit.gamma, fit.beta, fit.nu])


def in_units(theta: np.ndarray, scale: float) -> np.ndarray:
    """The same parameters for returns divided by ``scale``."""
    return theta / np.array([scale, scale**2, 1, 1, 1, 1])


def test_the_gradient_is_that_of_finite_differences() -> None:
    """Every slope agrees with a central difference to six digits."""
    x = simulated(700, 1) / 0.01
    theta = np.array([0.03, 0.03, 0.05, 0.12, 0.88, 7.0])
    _, slope = _negative_log_likelihood(x, theta)
    for i in range(6):
        step = 1e-6 * np.eye(6)[i]
        up, down = _negative_log_likelihood(x, theta + step)[0], _negative_log_likelihood(x, theta - step)[0]
        assert slope[i] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-7)


def test_the_truth_is_found_again() -> None:
    """Twenty thousand simulated returns give the parameters that made them, within a few standard errors."""
    fit = fit_gjr(simulated(20_000, 2))
    assert fit.fitted
    assert fit.alpha == pytest.approx(TRUTH.alpha, abs=0.012)
    assert fit.gamma == pytest.approx(TRUTH.gamma, abs=0.025)
    assert fit.beta == pytest.approx(TRUTH.beta, abs=0.02)
    assert fit.nu == pytest.approx(TRUTH.nu, abs=0.8)


def test_without_leverage_gamma_is_zero() -> None:
    """The plain GARCH has one reaction for rises and falls, and it is no better than the fit with leverage."""
    y = simulated(3000, 3)
    plain, full = fit_gjr(y, leverage=False), fit_gjr(y)
    assert plain.gamma == 0 and plain.fitted
    better, worse = (_negative_log_likelihood(y / y.std(), in_units(theta_of(f), y.std()))[0] for f in (full, plain))
    assert better < worse


def test_filtering_is_the_recursion_by_hand() -> None:
    """Residuals and the next sigma come from the recursion written as a loop."""
    y = simulated(300, 4)
    residuals, sigma = TRUTH.filtered(y)
    variance = float(np.mean((y[:75] - TRUTH.mu) ** 2)) + 1e-14
    for t, r in enumerate(y):
        e = r - TRUTH.mu
        assert residuals[t] == pytest.approx(e / np.sqrt(variance), rel=1e-12)
        variance = TRUTH.omega + (TRUTH.alpha + TRUTH.gamma * (e < 0)) * e * e + TRUTH.beta * variance
    assert sigma == pytest.approx(np.sqrt(variance), rel=1e-12)


def test_simulating_its_own_residuals_gives_the_returns_back() -> None:
    """simulated() is the inverse of filtered()."""
    y = simulated(200, 5)
    residuals, _ = TRUTH.filtered(y)
    first = np.sqrt(float(np.mean((y[:75] - TRUTH.mu) ** 2)) + 1e-14)
    np.testing.assert_allclose(TRUTH.simulated(first, residuals[:, None])[:, 0], y, rtol=1e-10)


@pytest.mark.parametrize(
    "returns",
    [np.zeros(0), np.zeros(2000), np.full(2000, 0.01), np.full(100, 0.01), np.full(2000, np.nan)],
    ids=["none", "zero", "constant", "few", "nan"],
)
def test_what_cannot_be_fitted_gets_fixed_parameters(returns: np.ndarray) -> None:
    """No usable maximum: stationary defaults that say they are not fitted."""
    fit = fit_gjr(returns)
    assert not fit.fitted
    assert fit.alpha + fit.gamma / 2 + fit.beta < 1


def test_an_exploding_series_never_explodes_the_forecast() -> None:
    """Returns that double in size every 200 sessions still give a stationary model."""
    y = np.random.default_rng(6).standard_normal(2000) * 0.001 * 2 ** (np.arange(2000) / 200)
    fit = fit_gjr(y)
    assert fit.alpha + fit.gamma / 2 + fit.beta <= 0.9999 + 1e-9 and fit.nu >= 2.2
    assert np.isfinite(fit.filtered(y)[1])


def test_a_row_comes_back() -> None:
    """Parameters survive as an array."""
    assert gjr_of(TRUTH.row()) == TRUTH
    other = untrained(simulated(300, 7))
    assert gjr_of(other.row()) == other


def test_too_few_returns_are_not_fitted() -> None:
    """249 returns have no fit, 250 have one."""
    y = simulated(250, 8)
    assert not fit_gjr(y[1:]).fitted
    assert fit_gjr(y).fitted


def test_tails_too_heavy_for_a_variance_are_not_fitted() -> None:
    """Returns with 1.5 degrees of freedom have no variance to forecast: fixed parameters, and they say so."""
    fit = fit_gjr(0.01 * np.random.default_rng(9).standard_t(1.5, 2000))
    assert not fit.fitted and fit.nu == 6.0


def test_one_crash_is_no_new_world() -> None:
    """A shock of 40 deviations moves the variance as one of 10 does, filtered and simulated alike; its residual stays."""
    y = simulated(300, 10)
    y[150] = -0.4
    residuals, sigma = TRUTH.filtered(y)
    variance, z = float(np.mean((y[:75] - TRUTH.mu) ** 2)) + 1e-14, []
    for r in y:
        e = r - TRUTH.mu
        z.append(e / np.sqrt(variance))
        square = min(e * e, 100 * variance)
        variance = TRUTH.omega + (TRUTH.alpha + TRUTH.gamma * (e < 0)) * square + TRUTH.beta * variance
    assert abs(z[150]) > 30
    np.testing.assert_allclose(residuals, z, rtol=1e-9)
    assert sigma == pytest.approx(np.sqrt(variance), rel=1e-9)
    first = np.sqrt(float(np.mean((y[:75] - TRUTH.mu) ** 2)) + 1e-14)
    np.testing.assert_allclose(TRUTH.simulated(first, residuals[:, None])[:, 0], y, rtol=1e-8)


def test_what_is_not_fitted_keeps_the_level_of_the_returns() -> None:
    """The fixed parameters' long-run variance is the returns' mean square, and they make no mean up."""
    y = 0.02 * np.random.default_rng(11).standard_normal(100)
    fit = untrained(y)
    assert fit.omega / (1 - fit.alpha - fit.gamma / 2 - fit.beta) == pytest.approx(np.mean(y**2), rel=1e-6)
    assert fit.mu == 0.0


def test_residuals_too_large_for_the_fit_keep_the_level() -> None:
    """Drawn from residuals with a mean square of 1.7 a variance at the bound grows by half; with weaker reactions it stays."""
    fit, random = Gjr(0.0, 1e-9, 0.5, 0.2, 0.3999, 6.0), np.random.default_rng(12)
    z = random.permutation(np.sqrt(1.7) * np.concatenate([np.ones(500), -np.ones(500)]))
    steady = fit.steadied(z)
    assert fit.alpha * 1.7 + fit.gamma * 1.7 / 2 + fit.beta == pytest.approx(1.42, abs=1e-3)
    assert steady.alpha * 1.7 + steady.gamma * 1.7 / 2 + steady.beta == pytest.approx(MOST_PERSISTENT)
    assert steady.alpha / steady.gamma == pytest.approx(2.5)
    assert (steady.mu, steady.omega, steady.beta, steady.nu) == (fit.mu, fit.omega, fit.beta, fit.nu)
    wild, calm = (f.simulated(0.01, random.choice(z, (21, 4000)))[-1].std() for f in (fit, steady))
    assert calm == pytest.approx(0.01 * np.sqrt(1.7), rel=0.1)
    assert wild > 10 * calm


def test_ordinary_residuals_leave_the_fit_alone() -> None:
    """Those of a series that it made itself, and those that are merely a little too large for unit variance."""
    residuals, _ = TRUTH.filtered(simulated(2000, 13))
    assert TRUTH.steadied(residuals) is TRUTH
    assert TRUTH.steadied(1.01 * residuals / np.sqrt(np.mean(residuals**2))) is TRUTH


def test_a_stock_at_the_bound_does_not_explode() -> None:
    """RRC on 2000-01-03, when it traded for pennies: 21 sessions spread as the square root of time says, within a quarter.

    Its fit is at the bound and its residuals have a mean square of 1.78: unguarded, variance grew by 22 % a session, to losses of
    more than everything and gains of 1e14.
    """
    returns = np.log(load_sp500_dataset()["RRC"]).diff().dropna()
    book = returns.to_numpy()[: returns.index.searchsorted(np.datetime64("2000-01-03"))][-2000:]
    fit = fit_gjr(book)
    residuals, sigma = fit.filtered(book)
    assert fit.fitted and fit.alpha + fit.gamma / 2 + fit.beta == pytest.approx(MOST_PERSISTENT)
    losses = gjr_samples(fit, book, (21,), turn=0)[21].losses
    assert (losses < 1).all()
    wanted = sigma * np.sqrt(21 * np.mean(residuals[-1500:] ** 2))
    assert np.log1p(-losses).std() == pytest.approx(wanted, rel=0.25)
