"""Small window networks, trained in a second or two, and the simulated markets that they learn."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.forecaster import MarketState
from riskd.forecast.window import WindowForecaster
from riskd.forecast.window_card import load_window
from riskd_models.pool import Panel
from riskd_models.window_export import export_window
from riskd_models.window_recipe import WindowRecipe, read_window_recipe
from riskd_models.window_train import train_window

RECIPES = Path(__file__).resolve().parents[1] / "models" / "recipes"


def small(name: str, **changes: Any) -> WindowRecipe:
    """A shipped recipe with a tiny network, few steps, and other values of the keys named in ``changes``."""
    quick = {"window": 8, "hidden": 8, "steps": 40, "spin_up": 60, "warm_up": 80, "golden_windows": 5} | changes
    whole = read_window_recipe(RECIPES / f"{name}.toml").model_dump()
    for section in (part for part in whole.values() if isinstance(part, dict)):
        section.update({key: value for key, value in quick.items() if key in section})
    return WindowRecipe.model_validate(whole)


def panel_of(returns: Floats) -> Panel:
    """Log returns (sessions, assets) of assets A, B, C, ..."""
    sessions = tuple(date(2000, 1, 1) + timedelta(days=i) for i in range(len(returns)))
    return Panel("simulated", tuple("ABCDEFGHIJ"[: returns.shape[1]]), sessions, returns, returns.shape[1])


def trained_forecaster(recipe: WindowRecipe, returns: Floats, folder: Path) -> WindowForecaster:
    """Trained, written and loaded back."""
    panel = panel_of(returns)
    export_window(train_window(panel, recipe), panel, recipe, folder)
    return WindowForecaster(load_window(folder))


def correlated(sessions: int, assets: int, dof: float, seed: int) -> tuple[Floats, Floats]:
    """Student-t vectors of variance one that share their chi-square, and their correlation matrix, which is no equal one."""
    random, place = np.random.default_rng(seed), np.arange(assets)
    correlation = 0.2 + 0.5 * np.exp(-np.abs(place[:, None] - place) / 2)
    np.fill_diagonal(correlation, 1.0)
    normal = random.standard_normal((sessions, assets)) @ np.linalg.cholesky(correlation).T
    return normal * np.sqrt((dof - 2) / random.chisquare(dof, (sessions, 1))), correlation


def driven(shocks: Floats, level: float, reaction: float, memory: float) -> Floats:
    """Log returns of a GARCH(1,1), 1 % a day where the variance is one; squares count at most nine."""
    variance, found = np.ones(shocks.shape[1]), []
    for shock in shocks:
        found.append(np.sqrt(variance) * shock)
        variance = level + reaction * np.minimum(found[-1] ** 2, 9.0) + memory * variance
    return 0.01 * np.array(found)


def folded(forecaster: WindowForecaster, returns: Floats) -> tuple[MarketState, Floats]:
    """The state after all rows, and every score past the warm-up."""
    state, scores = forecaster.start(returns[: forecaster.spin_up]), []
    for row, r in enumerate(returns[forecaster.spin_up :], start=forecaster.spin_up):
        if row >= forecaster.warm_up:
            scores.append(forecaster.forecast(state).score(r[None])[0])
        state = forecaster.advance(state, r[None])
    return state, np.array(scores)
