"""Sixteen inputs: bars against their definition, and the exported step against torch."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

pytestmark = pytest.mark.oracle
torch = pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("onnx", "skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd.errors import ConfigError  # noqa: E402
from riskd.forecast.contract import FIRST, NEXT, RECURSIVE, STATE  # noqa: E402
from riskd.forecast.onnx_lstm import shares  # noqa: E402
from riskd.forecast.session import Session  # noqa: E402
from riskd_models.bars import Bars, range_variance  # noqa: E402
from riskd_models.export import torch_state  # noqa: E402
from riskd_models.features import RANGES, history  # noqa: E402
from riskd_models.horizon_graph import carried, horizon_model  # noqa: E402
from riskd_models.network import LstmJsu, drawn, stepped  # noqa: E402
from riskd_models.pool import Panel, load_bar_panel, load_pool  # noqa: E402
from riskd_models.recipe import Recipe, read_recipe  # noqa: E402
from riskd_models.step_graph import step_model  # noqa: E402
from riskd_models.train import balanced, standardisation, training_series  # noqa: E402

RECIPES = Path(__file__).resolve().parents[2] / "models" / "recipes"
HALVES = (2.0, 8.0, 21.0)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return read_recipe(RECIPES / "lstm-jsu-ranges.toml")


@pytest.fixture(scope="module")
def panel(recipe: Recipe) -> Panel:
    """The two licensed indices."""
    return load_bar_panel(recipe.pool.panels[-1])


@pytest.fixture(scope="module")
def network(recipe: Recipe) -> LstmJsu:
    """A network with every weight at random, so that no input can be left out unnoticed."""
    torch.manual_seed(16)
    network = LstmJsu(recipe.network, torch.randn(16) * 0.2, torch.rand(16) + 0.3)
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    return network.eval()


def bars_of(**columns: list[float]) -> Bars:
    """One symbol on as many days as there are prices."""
    days = pd.date_range("2020-01-01", periods=len(columns["close"]))
    return Bars(*(pd.DataFrame({"X": columns[name]}, index=days) for name in ("open", "high", "low", "close")))


def test_a_range_is_what_its_formula_says() -> None:
    """Overnight from 100 to 102, 104 at most, 101 at least, 103 at the end; and a day that its close explains away counts no less
    than nothing."""
    found = range_variance(bars_of(open=[100, 102, 103], high=[100, 104, 110], low=[100, 101, 103], close=[100, 103, 110]))
    day = 0.5 * np.log(104 / 101) ** 2 - (2 * np.log(2) - 1) * np.log(103 / 102) ** 2
    assert_allclose(found[0, 0], np.log(1.02) ** 2 + day, rtol=1e-12)
    assert_allclose(found[1, 0], (0.5 - (2 * np.log(2) - 1)) * np.log(110 / 103) ** 2, rtol=1e-12)


@pytest.mark.parametrize("broken", [{"high": [100, 101.5]}, {"low": [100, 102.5]}, {"open": [100, np.nan]}, {"low": [100, 0.0]}])
def test_a_bar_that_does_not_hold_its_prices_is_refused(broken: dict[str, list[float]]) -> None:
    """The line names symbol and day."""
    good = {"open": [100.0, 102.0], "high": [100.0, 104.0], "low": [100.0, 101.0], "close": [100.0, 103.0]}
    with np.errstate(divide="ignore"), pytest.raises(ValueError, match="X at 2020-01-02: high and low"):
        range_variance(bars_of(**(good | broken)))


def test_a_session_without_a_whole_bar_is_left_out() -> None:
    """Where one of two symbols lacks its open, neither has a session."""
    bars = bars_of(open=[1.0, 2.0, 3.0], high=[1.0, 2.0, 3.0], low=[1.0, 2.0, 3.0], close=[1.0, 2.0, 3.0])
    tables = [table.assign(Y=table["X"]) for table in (bars.opens, bars.highs, bars.lows, bars.closes)]
    tables[0].loc[tables[0].index[1], "Y"] = np.nan
    assert list(Bars(*tables).of(["X", "Y"]).closes["X"]) == [1.0, 3.0]
    assert list(Bars(*tables).of(["X"]).closes["X"]) == [1.0, 2.0, 3.0]


def test_the_four_inputs_by_hand(recipe: Recipe, panel: Panel) -> None:
    """Over 200 real sessions of the S&P 500 a plain loop gives the same four, and the other twelve are what they are without."""
    assert panel.ranges is not None
    returns, rv = (torch.from_numpy(values[:200].copy()) for values in (panel.returns, panel.ranges))
    rv[150] = 0.0  # a flat bar
    found, base = history(returns, recipe.scale, 2, rv)
    plain, again = history(returns, recipe.scale.model_copy(update={"ranges": None}), 2)
    assert torch.equal(found[..., :12], plain)
    assert torch.equal(base, again)
    means = dict.fromkeys(HALVES, float(returns[:60, 0].var(unbiased=False)) + 1e-10)
    for t in range(199):
        before, after = float(base[t, 0]), float(base[t + 1, 0])
        for half in HALVES:
            keep = 0.5 ** (1 / half)
            means[half] = keep * means[half] + (1 - keep) * min(float(rv[t, 0]), 100 * before**2)
        today = max(-3.0, min(3.0, 0.5 * np.log(float(rv[t, 0])) - np.log(before))) if rv[t, 0] > 0 else -3.0
        assert_allclose(found[t, 0, 12:], [today, *(0.5 * np.log(means[half]) - np.log(after) for half in HALVES)], rtol=1e-9)


def test_the_exported_step_agrees_with_torch(recipe: Recipe, network: LstmJsu, panel: Panel) -> None:
    """Forty steps of three paths, some with ranges beyond every clip or of nothing: every array agrees to 1e-5."""
    assert panel.ranges is not None
    graph = Session(step_model(network, recipe.scale, recipe.export.opset).SerializeToString(), "cpu")
    expected = torch_state(panel.returns[:60], 3, network, recipe)
    names = (*RECURSIVE, *RANGES)
    state = {name: np.ascontiguousarray(expected[name].numpy()) for name in names}
    rng = np.random.default_rng(3)
    picks = rng.integers(60, len(panel.returns), (40, 3))
    sizes = rng.choice([1.0, 1e4, 0.0], (40, 3, 1), p=[0.8, 0.1, 0.1])
    for r, rv in zip(panel.returns[picks].astype(np.float32), (panel.ranges[picks] * sizes).astype(np.float32), strict=True):
        given = {name + NEXT: np.empty_like(state[name]) for name in names}
        given |= {name + NEXT: np.empty((3, 2), np.float32) for name in STATE if name not in RECURSIVE}
        graph.run(state | {"r": r, "rv": rv, "share": shares(2, 2)}, given)
        expected = stepped(network, expected, torch.from_numpy(r), recipe.scale, 2, torch.from_numpy(rv))
        for name in (*STATE, *RANGES):
            wanted = expected[name].numpy()
            assert_allclose(given[name + NEXT], wanted, rtol=0, atol=1e-5 * np.abs(wanted).max(), err_msg=name)
        state = {name: given[name + NEXT] for name in names}


def test_what_has_no_high_has_no_sixteen_inputs(recipe: Recipe, panel: Panel, tmp_path: Path) -> None:
    """A portfolio, an asset without bars and a session without its range are refused, not filled in."""
    text, path = (RECIPES / "lstm-jsu-ranges.toml").read_text(), tmp_path / "recipe.toml"
    assert text.count("portfolios = 0\n") == 1
    for old, new, reason in (
        ("portfolios = 0\n", "portfolios = 4\n", "a portfolio has no high of its own"),
        ("bars = true\n", "", "need each other"),
        ('"NASDAQ"]', '"NASDAQ", "AAPL"]', "AAPL has no licensed highs and lows"),
    ):
        path.write_text(text.replace(old, new))
        with pytest.raises(ConfigError, match=reason) as refused:
            load_pool(read_recipe(path))
        assert "\n" not in str(refused.value)
    bare = Panel(panel.name, panel.series, panel.sessions, panel.returns, panel.market)
    with pytest.raises(ConfigError, match="no series has bars"):
        standardisation(training_series((bare,), recipe))
    with pytest.raises(ValueError, match="range variance"):
        history(torch.from_numpy(panel.returns[:70].copy()), recipe.scale, 2)


def test_a_series_without_bars_teaches_nothing_of_ranges(recipe: Recipe, network: LstmJsu, panel: Panel) -> None:
    """Beside two series with bars, each counted five times, one without has ranges that no weight of theirs can be seen by."""
    bare = Panel("bare", panel.series[:1], panel.sessions, panel.returns[:, :1], 1)
    series = training_series((bare, panel), recipe)
    mean, deviation = standardisation(series)
    found = balanced(series, mean, recipe)
    assert [len(found), sum(one is series[1] for one in found), sum(one is series[2] for one in found)] == [11, 5, 5]
    assert torch.equal(found[0].inputs[:, :12], series[0].inputs[:, :12])
    assert torch.equal(mean[12:], torch.cat([one.inputs[:, 12:] for one in series[1:]]).double().mean(0))
    seeing, blind = (LstmJsu(recipe.network, mean, deviation) for _ in range(2))
    seeing.load_state_dict(network.state_dict() | {"mean": mean.float(), "deviation": deviation.float()})
    blind.load_state_dict(seeing.state_dict())
    with torch.no_grad():
        blind.lstm.weight_ih_l0[:, 12:] = 0.0
        blind.head.weight[:, -4:] = 0.0
        for one, same in ((found[0], True), (found[1], False)):
            pairs = zip(seeing(one.inputs[None, :300]), blind(one.inputs[None, :300]), strict=True)
            assert all(torch.allclose(a, b, atol=1e-6) == same for a, b in pairs)


def test_the_horizon_with_ranges_agrees_with_torch(recipe: Recipe, network: LstmJsu, panel: Panel) -> None:
    """Ten sessions of twenty paths, scores and relative ranges drawn, a flat bar among them: every return agrees to 1e-5."""
    rng = np.random.default_rng(10)
    scores = rng.standard_normal((10, 20, 2)).astype(np.float32)
    relative = rng.normal(-0.5, 1.0, (10, 20, 2)).astype(np.float32)
    relative[4, 7] = -np.inf
    state = torch_state(panel.returns[:60], 1, network, recipe)
    state = stepped(network, state, torch.tensor([[0.01, -0.02]]), recipe.scale, 2, torch.tensor([[1e-4, 3e-4]]))
    taken = {name + FIRST: np.ascontiguousarray(state[name].numpy()) for name in carried(recipe.scale)}
    found = np.empty_like(scores)
    graph = Session(horizon_model(network, recipe.scale, recipe.export.opset).SerializeToString(), "cpu")
    graph.run(taken | {"gs": scores, "qs": relative, "share": shares(2, 2)}, {"rs": found})
    state = {name: value.expand(20, *value.shape[1:]) for name, value in state.items()}
    for t in range(10):
        wanted = drawn(state, torch.from_numpy(scores[t]))
        assert_allclose(found[t], wanted.numpy(), rtol=0, atol=1e-5 * float(wanted.abs().max()))
        rv = state["G"] * state["sigma"] ** 2 * torch.from_numpy(relative[t]).exp()
        state = stepped(network, state, wanted, recipe.scale, 2, rv)
