"""The t copula against data whose answer is known, and against scipy's multivariate t."""

import numpy as np
import pytest
from scipy import stats

from riskd.core.arrays import Floats
from riskd.core.scenarios.t_copula import SHRINKAGE, TCopula, _log_likelihood, _shrunk_correlation, fit_t_copula

pytestmark = pytest.mark.oracle
DOF, SESSIONS, ASSETS = 5, 3000, 8


def correlation(assets: int = ASSETS) -> Floats:
    """Unequal correlations between 0.2 and 0.8 from one factor."""
    loading = np.linspace(0.45, 0.9, assets)
    return np.outer(loading, loading) + np.diag(1 - loading**2)


def simulated(seed: int, dof: float = DOF, sessions: int = SESSIONS) -> Floats:
    """Normal scores of a t copula; one margin stretched, one squashed: margins must not matter."""
    x = stats.multivariate_t.rvs(np.zeros(ASSETS), correlation(), dof, size=sessions, random_state=seed)
    scores = stats.norm.ppf(stats.t.cdf(x, dof))
    scores[:, 0] = 3 * scores[:, 0] + 1
    scores[:, 1] = np.arcsinh(scores[:, 1])
    return np.asarray(scores)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_recovers_degrees_of_freedom_and_correlation(seed: int) -> None:
    """From 3,000 sessions of 8 assets with nu = 5: nu within [4, 6.5], correlations within 0.05 on average."""
    fit = fit_t_copula(simulated(seed))
    assert 4 <= fit.dof <= 6.5
    assert np.abs(fit.correlation - correlation()).mean() < 0.05
    np.testing.assert_allclose(fit.factor @ fit.factor.T, fit.correlation, atol=1e-12)
    np.testing.assert_allclose(np.diag(fit.correlation), 1, atol=1e-12)


@pytest.mark.parametrize(("sessions", "assets"), [(1500, 100), (1500, 500), (300, 500)])
def test_many_assets_do_not_hide_the_tails(sessions: int, assets: int) -> None:
    """Hundreds of assets, even more than sessions, nu = 5: the mean of four fits is in [4.4, 5.6] and R near the truth."""
    fits = []
    for seed in range(4):
        random = np.random.default_rng(seed)
        shared, own = random.standard_normal((sessions, 1)), random.standard_normal((sessions, assets))
        fits.append(fit_t_copula((0.6 * shared + 0.8 * own) / np.sqrt(random.chisquare(DOF, (sessions, 1)))))
        np.testing.assert_allclose(fits[-1].factor @ fits[-1].factor.T, fits[-1].correlation, atol=1e-12)
        assert np.abs(fits[-1].correlation - 0.36)[~np.eye(assets, dtype=bool)].mean() < 1.5 / np.sqrt(sessions)
    assert 4.4 <= np.mean([fit.dof for fit in fits]) <= 5.6


def test_normal_data_has_many_degrees_of_freedom() -> None:
    """Without tail dependence the fit says so: nu above 30, and never above 100, where nothing changes any more."""
    scores = np.random.default_rng(4).multivariate_normal(np.zeros(ASSETS), correlation(), 3000)
    assert 30 < fit_t_copula(scores).dof <= 100


def test_the_fit_is_the_most_likely() -> None:
    """No degrees of freedom on a fine grid are likelier than the fitted ones by more than a thousandth a session."""
    scores = simulated(11, dof=8, sessions=1000)
    ranks, grid = scores.argsort(axis=0).argsort(axis=0), (np.arange(1000) + 1) / 1001

    def likelihood(dof: float) -> float:
        quantiles = stats.t.ppf(grid, dof)
        return _log_likelihood(quantiles[ranks], quantiles, dof)

    fitted = fit_t_copula(scores)
    assert likelihood(fitted.dof) >= max(likelihood(dof) for dof in np.geomspace(2.1, 100, 60)) - 0.02
    np.testing.assert_allclose(fitted.correlation, _shrunk_correlation(stats.t.ppf(grid, fitted.dof)[ranks]), atol=1e-9)


def test_one_asset_needs_no_dependence() -> None:
    """A single asset: correlation 1, as good as normal; its draws are standard normal."""
    fit = fit_t_copula(simulated(12)[:, :1])
    assert (fit.dof, fit.correlation.tolist(), fit.factor.tolist()) == (100.0, [[1.0]], [[1.0]])
    assert stats.kstest(fit.draw(np.random.default_rng(13), 20_000)[:, 0], "norm").pvalue > 1e-3


def test_a_draw_by_hand() -> None:
    """Normals first, then one uniform a path for its chi-square; x = L z sqrt(nu / chi2), g = Phi^-1(t_nu(x)), sign and all."""
    matrix = np.array([[1, -0.3], [-0.3, 1]])
    factor = np.linalg.cholesky(matrix)
    draws = TCopula(3.0, matrix, factor).draw(np.random.default_rng(14), 50)
    random = np.random.default_rng(14)
    z, u = random.standard_normal((50, 2)), random.random(50)
    x = z @ factor.T * np.sqrt(3.0 / stats.chi2.ppf(u, 3.0))[:, None]
    np.testing.assert_allclose(draws, stats.norm.ppf(stats.t.cdf(x, 3.0)), atol=2e-6)


def test_the_far_tails_keep_their_digits() -> None:
    """A path of a million deviations up is as far from the middle as one down, and finite."""
    copula = TCopula(4.0, np.eye(2), np.eye(2))

    class Far:
        def standard_normal(self, shape: tuple[int, int]) -> Floats:
            return np.array([[1e6, -1e6]])

        def random(self, paths: int) -> Floats:
            return np.full(paths, 0.5)

    up, down = copula.draw(Far(), 1)[0]  # type: ignore[arg-type]
    assert up == -down
    assert 8 < up < 15


def test_shrinks_towards_the_mean_correlation() -> None:
    """Off-diagonal elements are 95 % the sample's and 5 % their mean; the diagonal stays one."""
    x = simulated(5)
    sample = np.corrcoef(x, rowvar=False)
    mean = sample[~np.eye(ASSETS, dtype=bool)].mean()
    shrunk = _shrunk_correlation(x)
    for i, j in [(0, 1), (2, 7), (6, 3)]:
        assert shrunk[i, j] == pytest.approx((1 - SHRINKAGE) * sample[i, j] + SHRINKAGE * mean, abs=1e-12)
    np.testing.assert_allclose(np.diag(shrunk), 1, atol=1e-12)


@pytest.mark.parametrize("dof", [2.5, 5.0, 40.0])
def test_the_likelihood_is_scipys(dof: float) -> None:
    """log t_{nu,R}(x) - sum_i log t_nu(x_i) summed over sessions, with R as shrunk from the same x."""
    grid = (np.arange(200) + 1) / 201
    quantiles = stats.t.ppf(grid, dof)
    x = quantiles[simulated(6, sessions=200).argsort(axis=0).argsort(axis=0)]
    joint = stats.multivariate_t(np.zeros(ASSETS), _shrunk_correlation(x), dof).logpdf(x).sum()
    assert _log_likelihood(x, quantiles, dof) == pytest.approx(joint - stats.t.logpdf(x, dof).sum(), rel=1e-9)


def test_draws_have_normal_margins_and_the_copulas_tails() -> None:
    """Each column is standard normal; joint crashes and rallies come as often as the t copula says, and no Gaussian one."""
    r, paths, level = 0.5, 200_000, 0.01
    matrix = np.array([[1, r], [r, 1]])
    draws = TCopula(4.0, matrix, np.linalg.cholesky(matrix)).draw(np.random.default_rng(7), paths)
    for column in draws.T:
        assert stats.kstest(column, "norm").pvalue > 1e-3
    tau = stats.kendalltau(draws[:20_000, 0], draws[:20_000, 1]).statistic
    assert tau == pytest.approx(2 / np.pi * np.arcsin(r), abs=0.02)
    edge = stats.t.ppf(level, 4)
    wanted = stats.multivariate_t(np.zeros(2), matrix, 4).cdf([edge, edge], random_state=1, maxpts=100_000)
    gaussian = stats.multivariate_normal(np.zeros(2), matrix).cdf(np.full(2, stats.norm.ppf(level)))
    error = 4 * np.sqrt(wanted / paths)
    for joint in ((draws < stats.norm.ppf(level)).all(axis=1), (draws > -stats.norm.ppf(level)).all(axis=1)):
        assert joint.mean() == pytest.approx(wanted, abs=error)
        assert joint.mean() > gaussian + error


@pytest.mark.parametrize("sign", [1, -1])
def test_two_assets_that_are_one(sign: int) -> None:
    """An asset and its copy, or its mirror image, have a copula: nearly perfect dependence, no crash."""
    x = np.random.default_rng(8).standard_normal(500)
    fit = fit_t_copula(np.column_stack([x, sign * x]))
    assert fit.correlation[0, 1] * sign > 0.99
    draws = fit.draw(np.random.default_rng(9), 1000)
    assert np.corrcoef(draws, rowvar=False)[0, 1] * sign > 0.99
