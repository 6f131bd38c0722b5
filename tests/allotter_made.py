"""A small allocation network of made-up assets, trained in a second, for tests whose claim does not need real prices."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np

from riskd.core.arrays import Floats
from riskd.forecast.allotter_card import AllotterArtefact
from riskd_models.papers.deep_allocation.artefact import taught
from riskd_models.papers.deep_allocation.recipe import AllotterRecipe, read_allotter_recipe
from riskd_models.pool import Panel

SHIPPED = Path(__file__).resolve().parents[1] / "models" / "recipes" / "seed-3.toml"
FIRST = date(2010, 1, 1)


def recipe(**training: object) -> AllotterRecipe:
    """The shipped one with 40 quick steps."""
    shipped = read_allotter_recipe(SHIPPED)
    quick = {"steps": 40, "learning_rate": 0.02, **training}
    return shipped.model_copy(update={"training": shipped.training.model_copy(update=quick)})


def made_returns(assets: int, sessions: int = 1300) -> Floats:
    """Log returns (sessions, assets): each asset is wilder than the one before it, the last four times as wild as the first."""
    shocks = np.random.default_rng(11).standard_t(5, (sessions, assets))
    return np.asarray(np.linspace(0.004, 0.016, assets) * shocks)


def made_allotter(folder: Path, symbols: tuple[str, ...]) -> AllotterArtefact:
    """An artefact in ``folder``, learnt on a thousand days from FIRST on."""
    returns = made_returns(len(symbols))
    sessions = tuple(FIRST + timedelta(days=i) for i in range(len(returns)))
    return taught(Panel("made", symbols, sessions, returns, len(symbols)), recipe(), folder)
