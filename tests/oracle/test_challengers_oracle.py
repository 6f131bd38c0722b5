"""Each challenger against a few lines of its own and, where there is one, a closed form."""

from importlib import import_module

import numpy as np
import pytest
from scipy import stats

from riskd.core.arrays import Floats
from riskd.core.books import book_returns
from riskd.core.challengers import CHALLENGERS
from riskd.core.challengers.ewma_t import ewma_t, fitted_t
from riskd.core.challengers.garch_t_copula import garch_t_copula, interpolated, unit_t_quantiles
from riskd.core.challengers.gjr_fhs import gjr_fhs, gjr_samples
from riskd.core.challengers.historical import historical
from riskd.core.challengers.past import Past
from riskd.core.currency import currency_view
from riskd.core.garch import Gjr
from riskd.core.measures.cvar import cvar
from riskd.core.measures.value_at_risk import value_at_risk
from riskd.core.portfolio import Portfolio
from riskd.core.scenarios.t_copula import fit_t_copula

pytestmark = pytest.mark.oracle
GARCH = Gjr(0.0003, 2e-6, 0.04, 0.08, 0.9, 5.0)
FLAT = Gjr(0.0, 1e-4, 0.0, 0.0, 0.0, 30.0)  # a deviation of 1 % whatever happened
LONG = Portfolio("long", np.array([0.5, 0.3, 0.2]), 0.0, ())
APART = Portfolio("apart", np.array([0.6, -0.4, 0.0]), 0.8, ())


def past(log_returns: Floats, fit: Gjr = GARCH, portfolios: tuple[Portfolio, ...] = (LONG, APART)) -> Past:
    """The same parameters for everything."""
    fits = np.tile(fit.row(), (log_returns.shape[1] + len(portfolios), 1))
    return Past(log_returns, book_returns(portfolios, log_returns), fits, portfolios)


def independent(sessions: int, draw: object = None, seed: int = 1, scale: float = 0.01) -> Floats:
    """Log returns of three assets that know nothing of each other or of yesterday."""
    random = np.random.default_rng(seed)
    return scale * (random.standard_normal((sessions, 3)) if draw is None else random.standard_t(draw, (sessions, 3)))


def simulated(sessions: int, seed: int = 1) -> Floats:
    """GARCH returns of three assets joined by a t copula with 6 degrees of freedom."""
    random = np.random.default_rng(seed)
    within = np.array([[1, 0.6, 0.3], [0.6, 1, 0.2], [0.3, 0.2, 1]])
    t = stats.multivariate_t(shape=within, df=6, seed=random).rvs(sessions)
    z = stats.t(GARCH.nu).ppf(stats.t(6).cdf(t)) * np.sqrt((GARCH.nu - 2) / GARCH.nu)
    return np.column_stack([GARCH.simulated(0.012, z[:, [i]])[:, 0] for i in range(3)])


@pytest.mark.parametrize("name", sorted(CHALLENGERS))
def test_the_protocol(name: str) -> None:
    """A column of finite losses per portfolio at every horizon asked for; one past gives the same bytes and is left alone."""
    told = past(simulated(700))
    for array in (told.log_returns, told.books, told.fits):
        array.flags.writeable = False
    found, again = (CHALLENGERS[name](told, (1, 5, 21)) for _ in range(2))
    assert set(found) == {1, 5, 21}
    for horizon, losses in found.items():
        assert losses.ndim == 2 and losses.shape[1] == 2 and len(losses) > 500
        assert np.isfinite(losses).all() and (losses[:, 0] < 1).all()
        np.testing.assert_array_equal(losses, again[horizon])


@pytest.mark.parametrize("name", sorted(CHALLENGERS))
@pytest.mark.parametrize("tail", [None, 5], ids=["normal", "t5"])
def test_what_is_independent_has_the_closed_form(name: str, tail: int | None) -> None:
    """Returns without memory: the normal or Student t VaR and CVaR over one session, within 5 % in the mean of six pasts."""
    scale = 0.01
    alone = Portfolio("alone", np.array([1.0, 0.0, 0.0]), 0.0, ())
    fit = Gjr(0.0, scale**2, 0.0, 0.0, 0.0, 200.0) if tail is None else Gjr(0.0, scale**2 * 5 / 3, 0.0, 0.0, 0.0, 5.0)
    q = 0.05
    if tail is None:
        var, beyond = -scale * stats.norm.ppf(q), scale * stats.norm.pdf(stats.norm.ppf(q)) / q
    else:
        x = stats.t.ppf(q, 5)
        var, beyond = -scale * x, scale * stats.t.pdf(x, 5) * (5 + x * x) / 4 / q
    found = [CHALLENGERS[name](past(independent(1500, tail, seed), fit, (alone,)), (1,))[1][:, 0] for seed in range(6)]
    slack = 0.15 if name == "ewma-t" else 0.05  # a variance of 33 sessions or so is luck
    assert np.mean([value_at_risk(z, 0.95).value for z in found]) == pytest.approx(var, rel=slack)
    assert np.mean([cvar(z, 0.95).value for z in found]) == pytest.approx(beyond, rel=slack)


def test_historical_is_every_stretch_of_the_window() -> None:
    """-(prod of 1 + book's return - 1) over each of the stretches that lie in the newest 1,000 sessions, once."""
    told = past(simulated(1200))
    for horizon, losses in historical(told, (1, 5)).items():
        window = told.books[-1000:, 1]
        expected = [1 - np.prod(np.exp(window[i : i + horizon])) for i in range(1000 - horizon + 1)]
        np.testing.assert_allclose(losses[:, 1], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["ewma-t", "gjr-fhs", "historical"])
def test_a_history_too_short_is_nan(name: str) -> None:
    """Twenty sessions are too few for those that learn from one portfolio alone: NaN, never nothing at all."""
    told = past(simulated(700)[:20], portfolios=(LONG,))
    for losses in CHALLENGERS[name](told, (1, 21)).values():
        assert np.isnan(losses).all() and losses.shape[1] == 1 and len(losses)


def test_how_long_a_past_must_be() -> None:
    """The first session count at which each says something: 120 for ewma-t, 60 for gjr-fhs, 60 stretches for historical."""
    told = simulated(700)
    for name, horizon, least in (("ewma-t", 1, 120), ("gjr-fhs", 1, 60), ("historical", 1, 60), ("historical", 5, 64)):
        for sessions, silent in ((least - 1, True), (least, False)):
            assert np.isnan(CHALLENGERS[name](past(told[-sessions:]), (horizon,))[horizon]).all() == silent, (name, horizon)


def test_ewma_t_is_the_loop() -> None:
    """Variance by the recursion, nu by a search over scipy's own likelihood, equally spaced quantiles of one session."""
    told = past(independent(900, 4))
    book = told.books[:, 0]
    variance, residuals = float(np.mean(book[:60] ** 2)), []
    for t, r in enumerate(book):
        if t >= 60:
            residuals.append(r / np.sqrt(variance))
        variance = 0.94 * variance + 0.06 * r * r
    z = np.array(residuals)
    deviation = np.sqrt(np.mean(z**2))
    candidates = np.exp(np.linspace(np.log(2.1), np.log(100), 2000))
    nu = max(candidates, key=lambda v: stats.t.logpdf(z, v, scale=deviation * np.sqrt((v - 2) / v)).sum())
    grid = (np.arange(4000) + 0.5) / 4000
    expected = -np.expm1(np.sqrt(variance) * deviation * np.sqrt((nu - 2) / nu) * stats.t.ppf(grid, nu))
    np.testing.assert_allclose(ewma_t(told, (1,))[1][:, 0], expected, rtol=0.01, atol=1e-5)


def test_ewma_t_beyond_a_session_follows_the_same_variance() -> None:
    """Ten sessions by a loop over 100,000 paths of other random numbers: VaR within 5 %, CVaR within 8 %."""
    told = past(independent(1500))
    one, ten = (ewma_t(told, (1, 10))[h][:, 0] for h in (1, 10))
    nu = 100.0  # nobody can tell a normal from it
    random = np.random.default_rng(3)
    unit = random.standard_t(nu, (10, 100_000)) * np.sqrt((nu - 2) / nu)
    book = told.books[:, 0]
    variance = np.float64(np.mean(book[:60] ** 2))
    residuals = []
    for r in book:
        residuals.append(r / np.sqrt(variance))
        variance = 0.94 * variance + 0.06 * r * r
    deviation = np.sqrt(np.mean(np.square(residuals[60:])))
    spread, total = np.full(100_000, variance), np.zeros(100_000)
    for z in unit * deviation:
        r = np.sqrt(spread) * z
        total, spread = total + r, 0.94 * spread + 0.06 * r * r
    expected = -np.expm1(total)
    assert cvar(ten, 0.95).value > 2.5 * cvar(one, 0.95).value
    assert value_at_risk(ten, 0.95).value == pytest.approx(value_at_risk(expected, 0.95).value, rel=0.05)
    assert cvar(ten, 0.95).value == pytest.approx(cvar(expected, 0.95).value, rel=0.08)


@pytest.mark.parametrize("nu", [3.0, 5.0, 12.0])
def test_the_degrees_of_freedom_are_found_again(nu: float) -> None:
    """20,000 Student t residuals: nu within 15 %, and the scale has the residuals' own variance."""
    z = 1.3 * np.random.default_rng(4).standard_t(nu, 20_000)
    found, scale = fitted_t(z)
    assert found == pytest.approx(nu, rel=0.15)
    assert scale**2 * found / (found - 2) == pytest.approx(np.mean(z**2))


def test_gjr_fhs_of_one_session_is_its_pool() -> None:
    """Every one of the newest 1,500 residuals once, at today's volatility: -(exp(mu + sigma z) - 1), turned."""
    book = past(simulated(1900)).books[:, 0]
    variance, residuals = float(np.mean((book[:75] - GARCH.mu) ** 2)), []
    for r in book:
        e = r - GARCH.mu
        residuals.append(e / np.sqrt(variance))
        variance = GARCH.omega + (GARCH.alpha + GARCH.gamma * (e < 0)) * e * e + GARCH.beta * variance
    pool = np.roll(residuals[-1500:], 11)
    found = gjr_samples(GARCH, book, (1,), turn=11)[1]
    np.testing.assert_allclose(found.losses, -np.expm1(GARCH.mu + np.sqrt(variance) * pool), rtol=1e-9)
    np.testing.assert_array_equal(found.rows[:, 0], np.arange(1500))
    assert (found.pool, found.drawn) == (1500, False)


def test_gjr_fhs_beyond_a_session_is_the_recursion_along_its_rows() -> None:
    """The rows a path remembers, put through the recursion by hand, give its loss at 3 and at 10 sessions."""
    book = past(simulated(1900)).books[:, 0]
    found = gjr_samples(GARCH, book, (3, 10), turn=4, seed=9)
    residuals, sigma = GARCH.filtered(book)
    pool = np.roll(residuals[-1500:], 4)
    for horizon in (3, 10):
        for path in (0, 17, 4999):
            variance, total = sigma**2, 0.0
            for row in found[horizon].rows[path]:
                e = np.sqrt(variance) * pool[row]
                total += GARCH.mu + e
                variance = GARCH.omega + (GARCH.alpha + GARCH.gamma * (e < 0)) * e * e + GARCH.beta * variance
            assert found[horizon].losses[path] == pytest.approx(-np.expm1(total), rel=1e-9)
    np.testing.assert_array_equal(found[3].rows, found[10].rows[:, :3])
    assert found[3].rows.shape == (10_000, 3) and found[3].drawn


def test_gjr_fhs_has_the_variance_term_structure() -> None:
    """Var(r_1 + .. + r_h) = sum of E sigma_k^2, which goes to its long-run level at rate alpha + gamma / 2 + beta: within 6 %."""
    fit = Gjr(0.0, 4e-6, 0.05, 0.06, 0.88, 8.0)
    z = np.random.default_rng(5).standard_normal(750)
    z = np.concatenate([z, -z])
    z /= z.std()
    book = fit.simulated(0.009, np.random.default_rng(6).permutation(z)[:, None])[:, 0]
    residuals, sigma = fit.filtered(book)
    assert residuals.std() == pytest.approx(1, abs=0.03)
    second, below = np.mean(residuals**2), np.mean(residuals**2 * (residuals < 0))
    rate = fit.alpha * second + fit.gamma * below + fit.beta
    sample = gjr_samples(fit, book, (2, 10, 21), turn=0)
    for horizon, found in sample.items():
        variances = [sigma**2]
        while len(variances) < horizon:
            variances.append(fit.omega + rate * variances[-1])
        total = np.log1p(-found.losses)
        assert total.var() == pytest.approx(second * sum(variances), rel=0.06)


def test_gjr_fhs_leaves_out_what_is_not_known() -> None:
    """A NaN in the past is as if the session had not been; a challenger gives each portfolio its own column and parameters."""
    told = past(simulated(800))
    book = told.books[:, 0].copy()
    holes = np.insert(book, [5, 400, 800], np.nan)
    np.testing.assert_array_equal(gjr_samples(GARCH, holes, (1,), 0)[1].losses, gjr_samples(GARCH, book, (1,), 0)[1].losses)
    told.fits[3:] = [GARCH.row(), FLAT.row()]
    found = gjr_fhs(told, (1, 2))
    for i, fit in enumerate((GARCH, FLAT)):
        own = gjr_samples(fit, told.books[:, i], (1, 2), 0)
        np.testing.assert_array_equal(found[1][:, i], own[1].losses)
        np.testing.assert_array_equal(found[2][:, i], own[2].losses)


def test_garch_t_copula_against_a_straight_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    """200,000 paths of scipy's multivariate t and the recursion: VaR and CVaR within 3 %, at 1 and 5 sessions."""
    monkeypatch.setattr(import_module(garch_t_copula.__module__), "PATHS", 100_000)
    returns = simulated(2500)
    told = past(returns)
    found = garch_t_copula(told, (1, 5))
    assert [len(losses) for losses in found.values()] == [100_000, 100_000]
    nu, unit = GARCH.nu, np.sqrt(GARCH.nu / (GARCH.nu - 2))
    filtered = [GARCH.filtered(r) for r in returns.T]
    u = stats.t.cdf(unit * np.column_stack([z[-1000:] for z, _ in filtered]), nu)
    copula = fit_t_copula(stats.norm.ppf(u))
    random = np.random.default_rng(8)
    spread, total = np.tile([s**2 for _, s in filtered], (200_000, 1)), np.zeros((200_000, 3))
    t = stats.multivariate_t(shape=copula.correlation, df=copula.dof, seed=random)
    for day in range(1, 6):
        z = stats.t.ppf(stats.t.cdf(t.rvs(200_000), copula.dof), nu) / unit
        e = np.sqrt(spread) * z
        total += GARCH.mu + e
        spread = GARCH.omega + (GARCH.alpha + GARCH.gamma * (e < 0)) * e * e + GARCH.beta * spread
        for i, portfolio in enumerate((LONG, APART)):
            if day in found:
                straight = -np.expm1(total) @ portfolio.weights
                ours = found[day][:, i]
                assert value_at_risk(ours, 0.95).value == pytest.approx(value_at_risk(straight, 0.95).value, rel=0.03)
                assert cvar(ours, 0.95).value == pytest.approx(cvar(straight, 0.95).value, rel=0.03)


def test_garch_t_copula_has_little_luck() -> None:
    """The standard error of a CVaR at 99 % is below 2.5 % of it at 1 and 10 sessions; every path has its mirror image."""
    told = past(simulated(1500), GARCH, (Portfolio("alone", np.array([1.0, 0.0, 0.0]), 0.0, ()), LONG))
    found = garch_t_copula(told, (1, 10))
    for losses in found.values():
        for column in losses.T:
            judged = cvar(column, 0.99)
            assert judged.standard_error < 0.025 * judged.value
    shocks = np.sort(np.log1p(-found[1][:, 0]) - GARCH.mu)
    np.testing.assert_allclose(shocks, -shocks[::-1], rtol=1e-9, atol=1e-15)


def test_innovations_are_the_quantiles_of_their_scores() -> None:
    """Of unit-variance Student t with 3, 5 and 200 degrees of freedom, to a ten-thousandth; beyond 6.5 the last one stands."""
    nu = np.array([3.0, 5.0, 200.0])
    scores = np.random.default_rng(10).uniform(-6.4, 6.4, (1000, 3))
    wanted = stats.t.ppf(stats.norm.cdf(scores), nu) * np.sqrt((nu - 2) / nu)
    np.testing.assert_allclose(interpolated(unit_t_quantiles(nu), scores), wanted, rtol=1e-4, atol=1e-5)
    edge = interpolated(unit_t_quantiles(nu), np.array([[6.5] * 3, [9.0] * 3, [-np.inf] * 3]))
    np.testing.assert_array_equal(edge[0], edge[1])
    np.testing.assert_allclose(edge[2], -edge[0], rtol=1e-4)


def test_another_currency_is_seen_by_every_challenger() -> None:
    """A dollar stock held in euros: each challenger's loss grows with the rate's own swings, as if asset and rate were one."""
    random = np.random.default_rng(9)
    stock, rate = 0.01 * random.standard_normal(1500), 0.01 * random.standard_normal(1500)
    view = currency_view(("S", "EURUSD=X"), ("USD", "USD"), "EUR", {("USD", "EUR"): ("EURUSD=X", -1)}, {"S"})
    abroad = Portfolio("abroad", np.array([1.0, 0.0]), 0.0, (), currency="EUR", view=view)
    one = Portfolio("one", np.array([1.0]), 0.0, ())
    fit = Gjr(0.0, 1e-4, 0.0, 0.0, 0.0, 200.0)
    told = past(np.column_stack([stock, rate]), fit, (abroad,))
    told.fits[2] = Gjr(0.0, 2e-4, 0.0, 0.0, 0.0, 200.0).row()
    same = past((stock - rate)[:, None], Gjr(0.0, 2e-4, 0.0, 0.0, 0.0, 200.0), (one,))
    for name, challenge in CHALLENGERS.items():
        found, wanted = (cvar(challenge(p, (1,))[1][:, 0], 0.95).value for p in (told, same))
        assert found == pytest.approx(wanted, rel=0.05 if name == "garch-t-copula" else 1e-9), name
