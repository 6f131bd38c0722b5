"""The study of several sessions ahead looks back only, simulates what the daemon simulates, and judges buying and holding."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytestmark = pytest.mark.unit
torch = pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd.core.garch import fit_gjr  # noqa: E402
from riskd.forecast.contract import HEAD, STATE  # noqa: E402
from riskd_models.network import LstmJsu, drawn, stepped  # noqa: E402
from riskd_models.recipe import Recipe, read_recipe  # noqa: E402
from riskd_models.study.books import Book  # noqa: E402
from riskd_models.study.forecasts import Study  # noqa: E402
from riskd_models.study.horizon import HORIZONS, NAMES, Horizon, Sets  # noqa: E402
from riskd_models.study.horizon_walk import held, horizon_laboratory, origin_rows, walk_horizons  # noqa: E402
from riskd_models.study.origins import Arrays32, origins, recursions  # noqa: E402
from riskd_models.study.paths import NetworkPaths, garch_paths, stratified_rows  # noqa: E402
from riskd_models.study.single import WINDOW  # noqa: E402
from riskd_models.study.stream import POOL  # noqa: E402
from riskd_models.study.years import network_of  # noqa: E402

RECIPE = Path(__file__).resolve().parents[2] / "models" / "recipes" / "lstm-jsu.toml"
FIRST, ROWS = 860, 891  # origins are rows 860, 865 and 870
DAY, EVERY = 865, 5
YEAR, TURN = 2012, 730  # the year of DAY and its first row
EQUAL = 3


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Three made-up assets with a common factor, and networks of three years with small random weights."""
    recipe, random = read_recipe(RECIPE), np.random.default_rng(3)
    returns = 0.006 * random.standard_t(5, (ROWS, 1)) + 0.008 * random.standard_t(5, (ROWS, 3))
    returns *= np.exp(np.sin(np.arange(ROWS) / 40))[:, None]  # so that every GARCH has something to react to
    sessions = tuple(date(2010, 1, 1) + timedelta(days=i) for i in range(ROWS))
    folder = tmp_path_factory.mktemp("study")
    for year in (2010, 2011, 2012):
        save_network(folder / f"{year}-{recipe.seed}.npz", recipe, year)
    return Study(Book("made-up", ("X", "Y", "Z"), sessions, returns, FIRST), recipe, folder, folder)


def save_network(path: Path, recipe: Recipe, seed: int) -> None:
    torch.manual_seed(seed)
    network = LstmJsu(recipe.network, torch.zeros(12), torch.ones(12))
    torch.nn.init.normal_(network.head.weight, std=0.1)
    np.savez(path, **{k: v.numpy() for k, v in network.state_dict().items()})


def begun(study: Study) -> tuple[NetworkPaths, Arrays32]:
    """The year's network and its state before DAY, reached by way of the origin before it."""
    network = network_of(YEAR, study.recipe, study.networks)
    days = [FIRST, DAY]
    states = dict(origins(network, *recursions(study.returns, study.recipe.scale, study.assets, days), TURN, days))
    return NetworkPaths(network, study.recipe), states[DAY]


def forecasts(study: Study) -> dict[str, Sets]:
    """Every forecast from DAY on."""
    horizon = Horizon(study)
    return horizon.forecasts(*begun(study), DAY) | horizon.rooted(DAY)


@pytest.fixture(scope="module")
def found(study: Study) -> dict[str, Sets]:
    return forecasts(study)


def test_no_forecast_knows_a_session_that_it_is_of(
    study: Study, found: dict[str, Sets], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Other returns from the origin on leave every forecast as it was; another return before it changes every one."""
    later, earlier = study.book.returns.copy(), study.book.returns.copy()
    later[DAY:] = 0.3 * np.sin(np.arange(later[DAY:].size)).reshape(-1, 3)
    earlier[DAY - 1] = -0.06
    blind, moved = (
        forecasts(Study(replace(study.book, returns=r), study.recipe, tmp_path_factory.mktemp("other"), study.networks))
        for r in (later, earlier)
    )
    assert set(found) == set(NAMES)
    for name in NAMES:
        for horizon in HORIZONS:
            assert_array_equal(blind[name][horizon], found[name][horizon])
            assert not np.array_equal(moved[name][horizon], found[name][horizon])


def test_every_forecast_rises_and_is_finite(study: Study, found: dict[str, Sets]) -> None:
    """A row of simple returns for each portfolio, over every horizon."""
    for sets in found.values():
        for ordered in sets.values():
            assert len(ordered) == len(study.portfolios.names)
            assert np.isfinite(ordered).all()
            assert (np.diff(ordered, axis=1) >= 0).all()


def test_a_simulation_begins_where_the_daily_stream_is(study: Study) -> None:
    """State and stream have the same distribution of the next session."""
    _, state = begun(study)
    margin = study.stream.margin(DAY)
    assert set(state) == set(STATE)
    assert_allclose(np.sqrt(state["G"][0]), margin.scale, rtol=1e-6)
    for name in HEAD:
        assert_allclose(state[name][0], getattr(margin, name), rtol=1e-5, atol=1e-6)


def test_paths_are_the_networks_own_steps(study: Study) -> None:
    """The graph gives what drawing and stepping in torch give, with portfolios beside their assets."""
    paths, state = begun(study)
    scores = np.random.default_rng(0).standard_normal((6, 5, study.returns.shape[1]))
    network = network_of(YEAR, study.recipe, study.networks)
    carried = {name: torch.from_numpy(a).expand(5, *a.shape[1:]) for name, a in state.items()}
    for g, r in zip(scores, paths.log_returns(state, study.assets, scores), strict=True):
        wanted = drawn(carried, torch.from_numpy(g).float())
        assert_allclose(r, wanted.numpy(), rtol=1e-4, atol=1e-7)
        carried = stepped(network, carried, wanted, study.recipe.scale, study.assets)


def test_an_asset_is_the_same_with_and_without_portfolios_beside_it(study: Study) -> None:
    """Columns that are no part of the market do not change the assets' paths."""
    paths, state = begun(study)
    scores = np.random.default_rng(1).standard_normal((6, 40, study.returns.shape[1]))
    whole = paths.log_returns(state, study.assets, scores)
    alone = paths.log_returns(state, study.assets, scores[:, :, : study.assets])
    assert_allclose(alone, whole[:, :, : study.assets], rtol=1e-4, atol=1e-7)


def test_drawn_rows_cover_the_pool_evenly() -> None:
    """Every session uses every row equally often, in an order of its own; any pool is covered to its ends."""
    rows = stratified_rows(np.random.default_rng(2), 4, 600, 200)
    assert_array_equal(np.sort(rows, axis=1), np.tile(np.repeat(np.arange(200), 3), (4, 1)))
    assert abs(np.corrcoef(rows)[np.triu_indices(4, 1)]).max() < 0.15
    uneven = stratified_rows(np.random.default_rng(2), 1, 600, 450)
    assert (uneven.min(), uneven.max()) == (0, 449)
    assert set(np.bincount(uneven[0])) <= {0, 1, 2, 3}


def test_the_steady_view_is_the_portfolios_own_garch(study: Study, found: dict[str, Sets]) -> None:
    """Its spread over the longest horizon is that of a plain simulation of the same fit, within Monte-Carlo error."""
    x = np.ascontiguousarray(study.returns[max(0, FIRST - WINDOW) : DAY, EQUAL])
    fit = fit_gjr(x[: FIRST - max(0, FIRST - WINDOW)])
    pool = min(POOL, DAY - study.stream.first)
    residuals, sigma = fit.filtered(x)
    drawn_again = np.random.default_rng(3).choice(residuals[-pool:], (max(HORIZONS), 40_000))
    plain = np.expm1(fit.simulated(sigma, drawn_again).sum(axis=0))
    assert_allclose(found["gjr-fhs"][max(HORIZONS)][EQUAL].std(), plain.std(), rtol=0.08)
    even = np.expm1(garch_paths(fit, x, pool, np.random.default_rng(4), max(HORIZONS), 40_000)[-1])
    assert_allclose([even.std(), np.quantile(even, 0.05)], [plain.std(), np.quantile(plain, 0.05)], rtol=0.03)


def test_the_champion_is_half_of_each_and_what_the_set_is_anchored_to(found: dict[str, Sets]) -> None:
    """Over every horizon; the recoloured set without the anchor has another distribution of the equal portfolio."""
    for h in HORIZONS:
        assert_allclose(found["riskd"][h], (found["lstm"][h] + found["gjr-fhs"][h]) / 2, rtol=1e-12)
        assert_allclose(found["joint-anchored"][h][EQUAL], found["riskd"][h][EQUAL], rtol=1e-9, atol=1e-12)
        assert not np.allclose(found["joint-recoloured"][h][EQUAL], found["riskd"][h][EQUAL], rtol=1e-3)


def test_the_root_of_time_stretches_one_session(study: Study, found: dict[str, Sets]) -> None:
    """Log returns over h sessions are those of one times the root of h."""
    one = np.log1p(study.champion.ordered(DAY))
    for h in HORIZONS:
        assert_allclose(np.log1p(found["riskd-sqrt"][h]), one * h**0.5, rtol=1e-9, atol=1e-14)


def test_what_came_true_is_buying_and_holding(study: Study) -> None:
    """One unit of money put into a portfolio at the first session's opening price and left there."""
    weights = np.array([[0.5, 0.3, 0.2], [1.0, -1.0, 0.0]])
    growth = np.prod(1 + np.expm1(study.book.returns[DAY : DAY + 5]), axis=0)
    assert_allclose(held(study.book, weights, DAY, 5), weights @ growth - weights.sum(axis=1), rtol=1e-12, atol=1e-15)


def test_a_stopped_walk_goes_on_and_the_laboratory_takes_it(study: Study) -> None:
    """Origins end where the longest horizon still fits; a kept year is read, a missing one is walked to the same figures."""
    first = walk_horizons(study, EVERY)
    assert first["day"].tolist() == [860, 865, 870] == list(origin_rows(study.book, EVERY))
    place = study.folder / f"horizon-{EVERY}-{YEAR}.npz"
    written = place.stat().st_mtime_ns
    walk_horizons(study, EVERY)
    assert place.stat().st_mtime_ns == written
    place.unlink()
    again = walk_horizons(study, EVERY)
    assert first.keys() == again.keys()
    assert_array_equal(again["riskd/21/var"], first["riskd/21/var"])
    lab = horizon_laboratory(study, again)
    assert {t.horizon for t in lab.tracks} == set(HORIZONS)
    track = next(t for t in lab.tracks if (t.horizon, t.portfolio) == (21, "equal"))
    assert_allclose(track.losses[1], -held(study.book, study.portfolios.weights, DAY, 21)[EQUAL], rtol=1e-12)
    assert track.sessions[1] - track.sessions[0] == timedelta(days=EVERY)
    worst = np.sort(forecasts(study)["riskd"][21][EQUAL])[:100].mean()
    assert_allclose(track.forecasts["riskd"].cvar[1, 5], -worst, rtol=1e-9)
