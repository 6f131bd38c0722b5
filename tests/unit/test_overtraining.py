"""Training stays short: on a panel so small that over-training shows in seconds, the recipe stops in time.

What is judged is the mean negative log score of four stocks over the four years after training, against the same network before
its first step, which is the fixed scale with a fixed distribution. On the whole pool such a trial takes minutes, and twice the
steps do little harm there; on six years of four stocks they undo all that was learnt and more. So a recipe that drifts towards
more or larger steps is caught here first. What was really trained is judged by its card: its steps and its margins over simpler
models out of sample (the golden tests of the artefacts).

Measured, three seeds: untrained 1.376; recipe 1.335 to 1.361; twice the steps 1.42 to 1.46; eight times 2.36;
twice the learning rate 1.376 to 1.390.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.unit
torch = pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd_models.features import history  # noqa: E402
from riskd_models.network import LstmJsu, negative_log_density  # noqa: E402
from riskd_models.pool import Panel, load_panel  # noqa: E402
from riskd_models.recipe import Panel as PanelNumbers  # noqa: E402
from riskd_models.recipe import Recipe, read_recipe  # noqa: E402
from riskd_models.train import Trained, train  # noqa: E402

RECIPE = Path(__file__).resolve().parents[2] / "models" / "recipes" / "lstm-jsu.toml"
FIRST, UNTIL, LAST = date(2004, 1, 1), date(2010, 12, 31), date(2014, 12, 31)
BATCH = 16  # a quarter of the recipe's, as the panel is a small part of its pool
MARGIN = 0.01  # nats a day


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """A network this small loses more by several threads than it gains, and tests would share the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Four stocks from 2004 to 2014, no portfolios."""
    numbers = PanelNumbers(name="tiny", symbols=("AAPL", "AMD", "BAC", "BBY"), portfolios=0)
    whole = load_panel(numbers, 0.5, np.random.default_rng(0))
    rows = [i for i, session in enumerate(whole.sessions) if FIRST <= session <= LAST]
    return replace(whole, sessions=tuple(whole.sessions[i] for i in rows), returns=whole.returns[rows])


def recipe_with(seed: int | None = None, lengthened: int = 1) -> Recipe:
    """The shipped recipe until 2010 with small batches, another seed or more steps."""
    recipe = read_recipe(RECIPE, UNTIL)
    training = recipe.training.model_copy(update={"batch": BATCH, "steps": lengthened * recipe.training.steps})
    return recipe.model_copy(update={"training": training} | ({} if seed is None else {"seed": seed}))


def later_score(network: LstmJsu, panel: Panel, recipe: Recipe) -> float:
    """Mean negative log score of z over the sessions after training, lower is better."""
    returns = torch.from_numpy(panel.returns.copy())
    inputs, base = history(returns, recipe.scale, panel.market)
    rows = panel.between(UNTIL, LAST)
    with torch.no_grad():
        params = network(inputs.transpose(0, 1))
    before = tuple(p[:, rows.start - 1 : rows.stop - 1] for p in params)
    return float(negative_log_density((returns / base)[rows].T.float(), before).mean())  # type: ignore[arg-type]


def untrained_score(trained: Trained, panel: Panel, recipe: Recipe) -> float:
    """The later score of the network before its first step: its head is zero whatever the seed."""
    untrained = LstmJsu(recipe.network, trained.network.mean, trained.network.deviation)
    return later_score(untrained.eval(), panel, recipe)


@pytest.fixture(scope="module")
def usual(panel: Panel) -> Trained:
    """Trained for as many steps as the recipe says."""
    return train((panel,), recipe_with())


def test_the_recipe_stops_in_time(panel: Panel, usual: Trained) -> None:
    """With the recipe's steps and rate the later score is better than the untrained network's, on average over two seeds."""
    other = recipe_with(seed=3)
    scores = [later_score(usual.network, panel, recipe_with()), later_score(train((panel,), other).network, panel, other)]
    assert np.mean(scores) < untrained_score(usual, panel, other) - MARGIN


def test_twice_the_steps_are_too_many_here(panel: Panel, usual: Trained) -> None:
    """The test above can fail: twice the steps fit the past better, and the later score is worse than without any training."""
    longer = recipe_with(lengthened=2)
    trained = train((panel,), longer)
    assert trained.loss < usual.loss - MARGIN
    assert later_score(trained.network, panel, longer) > untrained_score(usual, panel, longer) + MARGIN
