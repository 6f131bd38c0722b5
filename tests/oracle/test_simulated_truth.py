"""Simulated truth: where the true conditional distribution is known, the network's margins under a t copula must find it again.

    r_i,t = sigma_i,t e_i,t,   sigma_i,t^2 = omega_i + alpha_i r_i,t-1^2 + beta_i sigma_i,t-1^2,   e_t: t margins, t copula nu, R

Four such markets of eight assets. The copula is fitted on 3,000 scores of each; 50 later sessions of each, 20 apart, are the
origins whose forecast is held against the true VaR and CVaR. Two networks forecast the margins, both zero-shot:

- the shipped one, which learnt from real prices. Dependence and mean level hold, the order of the origins does not: of real
  markets it knows that volatility follows falls. Here it does not, so that its errors go with the last week's return
  (correlation -0.6) and the market's last day (-0.3); the fixed scale under it, which knows less, has the order right (0.93).
  Averaged with a GARCH on the book's own history, as the daemon does it for a book, level and order hold;
- one that the same recipe trained on three other markets of this kind. There everything holds, so that neither inputs, head,
  copula nor the way from scores to figures is what the shipped network misses the truth by.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from riskd.core.arrays import Floats
from riskd.core.garch import fit_gjr
from riskd.core.johnson_su import JohnsonSU
from riskd.core.measures.cvar import cvar
from riskd.core.measures.value_at_risk import value_at_risk
from riskd.core.scenarios import SCENARIO_MODELS
from riskd.core.scenarios.t_copula import TCopula, fit_t_copula
from riskd.forecast.artefact import load_artefact
from riskd.forecast.onnx_lstm import OnnxLstm

pytestmark = pytest.mark.oracle
MODELS = Path(__file__).resolve().parents[2] / "models"
WARM_UP, SCORED, AHEAD, STRIDE = 310, 3000, 1000, 20
MARKETS, LEARNT = (11, 12, 13, 14), (101, 102, 103)  # seeds
FITTED, POOL = 2000, 1500  # sessions of a book for a GARCH and its residuals
PATHS, DRAWS, LEVELS = 20_000, 50_000, (0.95, 0.975, 0.99)
NU, ASSETS = 5.0, 8
LOADING = np.linspace(0.45, 0.9, ASSETS)
R = np.outer(LOADING, LOADING) + np.diag(1 - LOADING**2)
# Maximum likelihood of GARCH(1,1)-t on AAPL BAC CVX GE JNJ KO MSFT XOM, 1990-2022, rounded; volatility is the sample's.
MARGIN_NU = np.array([4.6, 6.1, 8.1, 6.3, 5.9, 5.5, 5.3, 8.3])
ALPHA = np.array([0.053, 0.090, 0.068, 0.063, 0.093, 0.055, 0.082, 0.069])
BETA = np.array([0.946, 0.909, 0.919, 0.934, 0.902, 0.942, 0.917, 0.923])
VARIANCE = np.array([0.44, 0.41, 0.26, 0.31, 0.21, 0.22, 0.32, 0.25]) ** 2 / 252
OMEGA = (1 - ALPHA - BETA) * VARIANCE
BOOKS = np.array([np.full(ASSETS, 1 / ASSETS), [0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05, 0.0]]).T


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """``log_returns`` and true ``sigma`` (sessions, assets); ``figures`` (origins, books, levels, 2) are VaR and CVaR."""

    log_returns: Floats
    sigma: Floats
    figures: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a network and the copula on its scores made of one market; ``figures`` as the truth's."""

    copula: TCopula
    figures: Floats


def innovations(random: np.random.Generator, count: int) -> Floats:
    """(count, assets) with unit variance: a t copula with ``NU`` and ``R`` over t margins of ``MARGIN_NU``."""
    normal = random.multivariate_normal(np.zeros(ASSETS), R, count)
    x = normal * np.sqrt(NU / random.chisquare(NU, count))[:, None]
    return np.asarray(stats.t.ppf(stats.t.cdf(x, NU), MARGIN_NU) * np.sqrt(1 - 2 / MARGIN_NU))


def market(seed: int, sessions: int) -> tuple[Floats, Floats]:
    """Log returns and their sigma (sessions, assets), after 1,000 sessions in which the market forgets where it began."""
    shocks = innovations(np.random.default_rng(seed), sessions + 1000)
    r, sigma, variance = np.empty_like(shocks), np.empty_like(shocks), VARIANCE
    for t, e in enumerate(shocks):
        sigma[t] = np.sqrt(variance)
        r[t] = sigma[t] * e
        variance = OMEGA + ALPHA * r[t] ** 2 + BETA * variance
    return r[1000:], sigma[1000:]


def true_market(seed: int) -> Truth:
    """A market and its true figures, by draws from the true conditional law: an order statistic and the mean from there on."""
    r, sigma = market(seed, WARM_UP + SCORED + AHEAD)
    drawn = innovations(np.random.default_rng(seed + 1000), DRAWS)
    counts = [round((1 - level) * DRAWS) for level in LEVELS]
    figures = []
    for origin in range(WARM_UP + SCORED, len(r), STRIDE):
        worst = -np.sort(np.expm1(sigma[origin] * drawn) @ BOOKS, axis=0)  # (draws, books)
        figures.append([[(z[k - 1], z[:k].mean()) for k in counts] for z in worst.T])
    return Truth(r, sigma, np.array(figures))


def found(forecast: JohnsonSU, truth: Truth) -> Found:
    """Copula on the first ``SCORED`` scores, figures of the origins; ``forecast`` (sessions, assets) begins after the warm-up."""
    pool = forecast.score(truth.log_returns[WARM_UP:])[:SCORED]
    scores = SCENARIO_MODELS["t-copula"](pool).draw(np.random.default_rng(1), 1, PATHS)[0]
    figures = []
    for origin in range(SCORED, SCORED + AHEAD, STRIDE):
        losses = -np.expm1(at(forecast, origin).from_score(scores)) @ BOOKS
        figures.append([[(value_at_risk(z, level).value, cvar(z, level).value) for level in LEVELS] for z in losses.T])
    return Found(fit_t_copula(pool), np.array(figures))


def at(forecast: JohnsonSU, row: int) -> JohnsonSU:
    """One session's distributions, (1, assets)."""
    f = forecast
    return JohnsonSU(*(part[row : row + 1] for part in (f.scale, f.mu, f.sigma, f.delta, f.eps)))


def shipped_forecast(log_returns: Floats) -> JohnsonSU:
    """Session by session as the daemon does it, from the end of the warm-up on."""
    model = OnnxLstm(load_artefact(MODELS / "artefacts" / "lstm-jsu"))
    assert model.warm_up == WARM_UP
    state = model.start(log_returns[: model.spin_up])
    rows = []
    for t, r in enumerate(log_returns[model.spin_up :], start=model.spin_up):
        if t >= WARM_UP:
            f = model.forecast(state)
            rows.append((f.scale, f.mu, f.sigma, f.delta, f.eps))
        state = model.advance(state, r[None])
    return JohnsonSU(*(np.concatenate(part) for part in zip(*rows, strict=True)))


def garch_figures(truth: Truth) -> Floats:
    """Filtered historical simulation of every book by a GJR-GARCH that is fitted once, before the first origin."""
    figures = []
    for weights in BOOKS.T:
        r, first = np.log1p(np.expm1(truth.log_returns) @ weights), WARM_UP + SCORED
        fit = fit_gjr(r[first - FITTED : first])
        z, _ = fit.filtered(r)
        for origin in range(first, first + AHEAD, STRIDE):
            losses = -np.expm1(fit.mu + (r[origin] - fit.mu) / z[origin] * z[origin - POOL : origin])
            figures.append([(value_at_risk(losses, level).value, cvar(losses, level).value) for level in LEVELS])
    return np.array(figures).reshape(BOOKS.shape[1], -1, len(LEVELS), 2).swapaxes(0, 1)


@pytest.fixture(scope="module")
def truths() -> Mapping[int, Truth]:
    """The four markets by seed."""
    return {seed: true_market(seed) for seed in MARKETS}


@pytest.fixture(scope="module")
def shipped(truths: Mapping[int, Truth]) -> Mapping[int, Found]:
    """What the shipped network makes of them."""
    return {seed: found(shipped_forecast(truth.log_returns), truth) for seed, truth in truths.items()}


@pytest.fixture(scope="module")
def averaged(truths: Mapping[int, Truth], shipped: Mapping[int, Found]) -> Mapping[int, Found]:
    """The shipped network's figures and a GARCH's, averaged level by level."""
    return {seed: replace(one, figures=(one.figures + garch_figures(truths[seed])) / 2) for seed, one in shipped.items()}


@pytest.fixture(scope="module")
def at_home(truths: Mapping[int, Truth]) -> Mapping[int, Found]:
    """What the recipe makes of them, trained on other markets of their kind; skips where training is not installed."""
    for package in ("skfolio", "arch"):
        pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")
    torch = pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
    from riskd_models.evaluate import network_forecasts
    from riskd_models.pool import Panel
    from riskd_models.recipe import read_recipe
    from riskd_models.train import train

    def panel(name: str, log_returns: Floats) -> Panel:
        sessions = tuple(date(1990, 1, 1) + timedelta(days=day) for day in range(len(log_returns)))
        return Panel(name, tuple("ABCDEFGH"), sessions, log_returns, ASSETS)

    recipe = read_recipe(MODELS / "recipes" / "lstm-jsu.toml")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a network this small loses by more
    network = train(tuple(panel(str(seed), market(seed, 4000)[0]) for seed in LEARNT), recipe).network
    every = slice(WARM_UP, WARM_UP + SCORED + AHEAD)
    forecasts = {
        seed: network_forecasts(panel("new", truth.log_returns), network, recipe, every) for seed, truth in truths.items()
    }
    torch.set_num_threads(threads)
    return {seed: found(forecast, truths[seed]) for seed, forecast in forecasts.items()}


def ratios(findings: Mapping[int, Found], truths: Mapping[int, Truth]) -> Floats:
    """Forecast over truth, (200 origins, books, levels, 2)."""
    return np.concatenate([findings[seed].figures / truths[seed].figures for seed in MARKETS])


def rank_correlations(findings: Mapping[int, Found], truths: Mapping[int, Truth]) -> Floats:
    """Spearman's, over the origins of a market, (markets, books, levels, 2)."""
    pairs = [(findings[seed].figures, truths[seed].figures) for seed in MARKETS]
    flat = [(f.reshape(len(f), -1).T, t.reshape(len(t), -1).T) for f, t in pairs]
    rho = [[stats.spearmanr(a, b).statistic for a, b in zip(f, t, strict=True)] for f, t in flat]
    return np.array(rho).reshape(len(MARKETS), *pairs[0][0].shape[1:])


@pytest.mark.parametrize("network", ["shipped", "at_home"])
def test_the_dependence_is_found_again(network: str, request: pytest.FixtureRequest) -> None:
    """From 3,000 sessions of scores of every market: nu within [4, 6.5], mean |R_hat - R| between assets below 0.05."""
    for one in request.getfixturevalue(network).values():
        assert 4 <= one.copula.dof <= 6.5
        assert np.abs(one.copula.correlation - R)[~np.eye(ASSETS, dtype=bool)].mean() < 0.05


def test_the_level_is_found_again(at_home: Mapping[int, Found], truths: Mapping[int, Truth]) -> None:
    """Over 200 origins the recipe's VaR and CVaR of both books at all levels are off by less than 5 %, sign disregarded."""
    assert np.abs(ratios(at_home, truths) - 1).mean(axis=0).max() < 0.05


def test_the_order_is_found_again(at_home: Mapping[int, Found], truths: Mapping[int, Truth]) -> None:
    """In every market the recipe's figures rise and fall with the true ones: rank correlation above 0.9."""
    assert rank_correlations(at_home, truths).min() > 0.9


def test_the_average_has_level_and_order(averaged: Mapping[int, Found], truths: Mapping[int, Truth]) -> None:
    """With a GARCH beside it: mean ratio within 5 % of one at every level; rank correlation above 0.9 on average over markets."""
    assert np.abs(ratios(averaged, truths).mean(axis=0) - 1).max() < 0.05
    assert rank_correlations(averaged, truths).mean(axis=0).min() > 0.9


def test_the_shipped_level(shipped: Mapping[int, Found], truths: Mapping[int, Truth]) -> None:
    """The shipped network's VaR and CVaR at 95 and 97.5 % are right on average: mean ratio to the truth within 5 % of one."""
    assert np.abs(ratios(shipped, truths).mean(axis=0) - 1)[:, :2].max() < 0.05


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="measured: VaR at 99 % of the equal book is 5.7 % above the truth")
def test_the_shipped_level_far_out(shipped: Mapping[int, Found], truths: Mapping[int, Truth]) -> None:
    """Also at 99 % the mean ratio to the truth is within 5 % of one."""
    assert np.abs(ratios(shipped, truths).mean(axis=0) - 1)[:, 2].max() < 0.05


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="measured: 10 to 12 %; it looks for a leverage effect in vain")
def test_every_shipped_origin(shipped: Mapping[int, Found], truths: Mapping[int, Truth]) -> None:
    """Sign disregarded, the shipped network's figures are within 5 % of the true ones on average over the origins."""
    assert np.abs(ratios(shipped, truths) - 1).mean(axis=0).max() < 0.05


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="measured: 0.84 to 0.87 on average over markets; the same cause")
def test_the_shipped_order(shipped: Mapping[int, Found], truths: Mapping[int, Truth]) -> None:
    """The shipped network's figures rise and fall with the true ones: rank correlation above 0.9 on average over markets."""
    assert rank_correlations(shipped, truths).mean(axis=0).min() > 0.9
