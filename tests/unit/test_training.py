"""Training sees no later day, repeats itself exactly, and refuses a wrong recipe in one line."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

pytestmark = pytest.mark.unit
torch = pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd.errors import ConfigError  # noqa: E402
from riskd_models.__main__ import main  # noqa: E402
from riskd_models.evaluate import evaluate  # noqa: E402
from riskd_models.features import history  # noqa: E402
from riskd_models.network import LstmJsu, negative_log_density  # noqa: E402
from riskd_models.pool import Panel, load_panel, load_pool, portfolio_returns, portfolio_weights  # noqa: E402
from riskd_models.recipe import Recipe, read_recipe  # noqa: E402
from riskd_models.train import learnable, rate, train, training_series  # noqa: E402

RECIPE = Path(__file__).resolve().parents[2] / "models" / "recipes" / "lstm-jsu.toml"


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    """Until 2014, so that later returns are known."""
    return read_recipe(RECIPE, date(2014, 12, 31))


@pytest.fixture(scope="module")
def panel(recipe: Recipe) -> Panel:
    """Three real assets and eight portfolios; 2012 on, so that the test is quick."""
    whole = load_panel(recipe.pool.panels[1], recipe.pool.dirichlet, np.random.default_rng(0))
    first = sum(1 for session in whole.sessions if session.year < 2012)
    return replace(whole, sessions=whole.sessions[first:], returns=whole.returns[first:])


def test_training_never_touches_a_later_return(recipe: Recipe, panel: Panel) -> None:
    """With every return after 2014 replaced by nonsense the training series are the same, to the last bit."""
    rows = panel.between(recipe.pool.train_until, panel.sessions[-1])
    spoilt = panel.returns.copy()
    spoilt[rows] = 7.0
    assert len(spoilt[rows]) > 500
    for one, other in zip(
        training_series((panel,), recipe), training_series((replace(panel, returns=spoilt),), recipe), strict=True
    ):
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.target, other.target)


def test_inputs_look_back_only(recipe: Recipe, panel: Panel) -> None:
    """Changing one session's return changes no earlier input, and does change that session's."""
    returns = torch.from_numpy(panel.returns[:120].copy())
    changed = returns.clone()
    changed[100] *= -2
    (before, base), (after, other) = (history(r, recipe.scale, panel.market) for r in (returns, changed))
    assert torch.equal(before[:100], after[:100])
    assert torch.equal(base[:101], other[:101])
    assert not torch.equal(before[100], after[100])


def test_a_target_is_the_day_after_its_inputs(recipe: Recipe, panel: Panel) -> None:
    """The target beside the inputs after session t is return t + 1 over the base scale known at t."""
    series = training_series((panel,), recipe)[0]
    _, base = history(torch.from_numpy(panel.returns[:400].copy()), recipe.scale, panel.market)
    first = recipe.pool.warm_up
    wanted = panel.returns[first + 1 : 400, 0] / base[first + 1 :, 0].numpy()
    assert_allclose(series.target[: len(wanted)].numpy(), wanted, rtol=1e-6)


def test_pseudo_assets_do_not_move_the_market(recipe: Recipe, panel: Panel) -> None:
    """Inputs of real assets are the same with and without portfolios beside them."""
    returns = torch.from_numpy(panel.returns[:100].copy())
    alone, _ = history(returns[:, : panel.market], recipe.scale, panel.market)
    together, _ = history(returns, recipe.scale, panel.market)
    assert_allclose(together[:, : panel.market].numpy(), alone.numpy(), rtol=1e-12)


def test_training_repeats_itself(recipe: Recipe, panel: Panel) -> None:
    """The same recipe gives the same weights; another seed gives others."""
    short = recipe.model_copy(update={"training": recipe.training.model_copy(update={"steps": 4, "batch": 8})})
    one, again = (train((panel,), short).network.state_dict() for _ in range(2))
    other = train((panel,), short.model_copy(update={"seed": 1})).network.state_dict()
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["lstm.weight_hh_l0"], other["lstm.weight_hh_l0"])


def test_training_learns(recipe: Recipe, panel: Panel) -> None:
    """Forty steps beat the untrained head on the series they are trained on."""
    series = training_series((panel,), recipe)
    short = recipe.model_copy(update={"training": recipe.training.model_copy(update={"steps": 40, "batch": 16})})
    network = train((panel,), short).network
    untrained = LstmJsu(recipe.network, network.mean, network.deviation)

    def loss(of: LstmJsu) -> float:
        with torch.no_grad():
            return float(torch.stack([negative_log_density(s.target[None], of(s.inputs[None])).mean() for s in series]).mean())

    assert loss(network) < loss(untrained) - 0.005


def test_the_learning_rate_rises_then_falls(recipe: Recipe) -> None:
    """Up to the whole rate after the rise, down to the last share of it at the end."""
    rates = [rate(step, recipe.training) for step in range(recipe.training.steps + 1)]
    assert rates[0] == 1 / recipe.training.rise
    assert max(rates) == rates[recipe.training.rise] == 1.0
    assert_allclose(rates[-1], recipe.training.last_rate)


def test_portfolio_returns_are_of_wealth(recipe: Recipe) -> None:
    """Half in +10 % and half in -10 % is 0 %, in log and simple terms alike; a total loss is refused."""
    returns = np.log(np.array([[1.1, 0.9]]))
    assert_allclose(portfolio_returns(returns, np.array([[0.5, 0.5]])), [[0.0]], atol=1e-15)
    with pytest.raises(ValueError, match="lost more than all it had"):
        portfolio_returns(returns, np.array([[-11.0, 0.0]]))


def test_long_only_weights_sum_to_one() -> None:
    """The first half of the random portfolios is long only; the second has shorts."""
    weights = portfolio_weights(5, 4, 0.5, np.random.default_rng(0))
    assert weights.shape == (10, 4)
    assert (weights[:5] >= 0).all()
    assert_allclose(weights[:5].sum(axis=1), 1.0)
    assert (weights[5:] < 0).any()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("steps = 300", "steps = 0", "training.steps: Input should be greater than 0 (found 0)"),
        ("steps = 300", "steps = 300\nspeed = 9", "training.speed: Extra inputs are not permitted (found 9)"),
        ("hidden = 32", "", "network.hidden: Field required"),
        ("[network]", "[network", "not TOML: "),
    ],
)
def test_a_wrong_recipe_is_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    """The message names file, key and value."""
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.read_text().replace(old, new))
    with pytest.raises(ConfigError) as caught:
        read_recipe(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_another_last_day_and_name() -> None:
    """Both can be given beside the recipe; everything else is the recipe's."""
    until = date(2016, 12, 31)
    usual, other = read_recipe(RECIPE), read_recipe(RECIPE, until, "lstm-jsu-2016")
    assert (other.name, other.pool.train_until) == ("lstm-jsu-2016", until)
    assert other.model_copy(update={"name": usual.name, "pool": usual.pool}) == usual


def test_a_panel_that_began_too_late_is_left_out() -> None:
    """Until 1999 only the panel that begins in 1990 can be learnt from; until 1990 none can, which one line says."""
    early = read_recipe(RECIPE, date(1999, 12, 31))
    assert [panel.name for panel in learnable(load_pool(early), early)] == ["stocks", "crude-and-stocks"]
    none = read_recipe(RECIPE, date(1990, 12, 31))
    with pytest.raises(ConfigError, match="no panel has more than 439 sessions until 1990-12-31; train until a later day"):
        learnable(load_pool(none), none)


def test_nothing_is_judged_without_later_days(recipe: Recipe, panel: Panel) -> None:
    """A network that has learnt from the last session has no scores."""
    network = LstmJsu(recipe.network, torch.zeros(12), torch.ones(12))
    assert evaluate((panel,), network, read_recipe(RECIPE, panel.sessions[-1])) is None


def test_a_missing_recipe_ends_with_78(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says which file and writes nothing."""
    missing = tmp_path / "none.toml"
    assert main(["train", "--recipe", str(missing), "--out", str(tmp_path / "out")]) == 78
    assert capsys.readouterr().err == f"{missing}: cannot be read (No such file or directory); name an existing recipe\n"
    assert not (tmp_path / "out").exists()
