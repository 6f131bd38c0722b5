"""Judges the network on real assets and days that training never saw, against simpler forecasts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import torch

from riskd.core.arrays import Floats
from riskd.core.johnson_su import JohnsonSU
from riskd.core.validation.compare import diebold_mariano
from riskd_models.baselines import ewma_normal, gjr_t
from riskd_models.features import history
from riskd_models.network import LstmJsu
from riskd_models.pool import Panel
from riskd_models.recipe import Recipe
from riskd_models.scores import Marginal, losses

SCORES = ("negative_log_score", "pinball", "fz0")


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The real assets of one panel after training: sessions, symbols, returns and each model's forecasts of them."""

    sessions: tuple[date, ...]
    symbols: tuple[str, ...]
    returns: Floats  # (sessions, symbols)
    forecasts: dict[str, Marginal]


@torch.no_grad()
def network_forecasts(panel: Panel, network: LstmJsu, recipe: Recipe, rows: slice) -> JohnsonSU:
    """The distribution of each real asset's return in ``rows``, from the returns before it; shapes (rows, market)."""
    returns = torch.from_numpy(panel.returns[:, : panel.market].copy())
    inputs, base = history(returns, recipe.scale, panel.market)
    params = network(inputs.transpose(0, 1))
    before = slice(rows.start - 1, rows.stop - 1)
    return JohnsonSU(base[rows].numpy(), *(p.T[before].double().numpy() for p in params))


def forecasts_of(panel: Panel, network: LstmJsu, recipe: Recipe) -> Judged:
    """All forecasts of one panel's real assets over the days after training."""
    rows = panel.between(recipe.pool.train_until, recipe.evaluation.last)
    returns = panel.returns[: rows.stop, : panel.market]
    found: dict[str, Marginal] = {
        recipe.name: network_forecasts(panel, network, recipe, rows),
        "ewma-normal": ewma_normal(returns, recipe.evaluation.ewma, rows.start),
        "gjr-t": gjr_t(returns, recipe.evaluation, rows.start),
    }
    return Judged(panel.sessions[rows], panel.series[: panel.market], returns[rows], found)


def first_seen(panels: tuple[Panel, ...]) -> Iterator[tuple[Panel, list[str]]]:
    """Each panel with the real assets that no earlier panel had, so that none is counted twice."""
    seen: set[str] = set()
    for panel in panels:
        fresh = [name for name in panel.series[: panel.market] if name not in seen]
        seen.update(fresh)
        if fresh:
            yield panel, fresh


def judgeable(panels: tuple[Panel, ...], recipe: Recipe) -> tuple[Panel, ...]:
    """The panels that have sessions after training and before evaluation ends."""
    ahead = {panel.name: panel.between(recipe.pool.train_until, recipe.evaluation.last) for panel in panels}
    return tuple(panel for panel in panels if ahead[panel.name].start < ahead[panel.name].stop)


def loss_tables(panels: tuple[Panel, ...], network: LstmJsu, recipe: Recipe) -> dict[str, dict[str, pd.DataFrame]]:
    """model -> score -> table (sessions, assets); NaN where an asset's prices end earlier."""
    parts: dict[str, dict[str, list[pd.DataFrame]]] = {}
    for panel, fresh in first_seen(panels):
        judged = forecasts_of(panel, network, recipe)
        for model, forecast in judged.forecasts.items():
            for score, values in losses(judged.returns, forecast, recipe.evaluation.level).items():
                table = pd.DataFrame(values, index=list(judged.sessions), columns=list(judged.symbols))[fresh]
                parts.setdefault(model, {}).setdefault(score, []).append(table)
    return {m: {s: pd.concat(tables, axis=1).sort_index() for s, tables in scores.items()} for m, scores in parts.items()}


def evaluate(panels: tuple[Panel, ...], network: LstmJsu, recipe: Recipe) -> dict[str, Any] | None:
    """Mean scores of every model and the network's Diebold-Mariano t against each, as JSON types; None without later sessions.

    The difference of a session is the mean over the assets that have a return; t below zero means the network is better.
    """
    ahead = judgeable(panels, recipe)
    if not ahead:
        return None
    tables = loss_tables(ahead, network, recipe)
    ours = tables[recipe.name]
    sample = ours["fz0"]
    return {
        "first": sample.index[0].isoformat(),
        "last": sample.index[-1].isoformat(),
        "sessions": len(sample),
        "assets": list(sample.columns),
        "observations": int(sample.notna().to_numpy().sum()),
        "level": recipe.evaluation.level,
        "means": {m: {s: mean_of(table) for s, table in scores.items()} for m, scores in tables.items()},
        "t_against": {
            m: {s: round(diebold_mariano((ours[s] - scores[s]).mean(axis=1).to_numpy()).t, 2) for s in SCORES}
            for m, scores in tables.items()
            if m != recipe.name
        },
    }


def mean_of(table: pd.DataFrame) -> float:
    """Mean over every session and asset with a return, to six digits."""
    return float(f"{np.nanmean(table.to_numpy()):.6g}")
