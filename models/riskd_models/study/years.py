"""One network a year, trained from scratch on the licensed pool up to each first of January."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import torch

from riskd_models.features import input_count
from riskd_models.network import LstmJsu
from riskd_models.pool import Panel, known_prices, load_pool
from riskd_models.recipe import Recipe
from riskd_models.study.kept import kept
from riskd_models.train import Series, balanced, descend, standardisation, training_series

FIRST_YEAR = 1993  # the pool begins in 1990, its warm-up ends in 1991


@cache
def whole_pool(recipe: Recipe) -> tuple[tuple[Panel, ...], list[Series]]:
    """Every panel, and every series up to its last session; the inputs look back only, so that a head of them is a history."""
    panels = load_pool(recipe)
    return panels, whole_series(panels, recipe)


def whole_series(panels: tuple[Panel, ...], recipe: Recipe) -> list[Series]:
    """Every series of the panels up to its last session."""
    later = recipe.model_copy(update={"pool": recipe.pool.model_copy(update={"train_until": date.max})})
    return training_series(panels, later)


def known_before(year: int, recipe: Recipe) -> list[Series]:
    """The training series without any session of ``year`` or later; those shorter than a window are left out."""
    return cut_before(year, *whole_pool(recipe), recipe)


def cut_before(year: int, panels: tuple[Panel, ...], series: list[Series], recipe: Recipe) -> list[Series]:
    """The heads of the panels' series that end before ``year``."""
    ends = [sum(1 for s in p.sessions if s.year < year) - recipe.pool.warm_up - 1 for p in panels for _ in p.series]
    return [
        Series(one.inputs[:end], one.target[:end]) for one, end in zip(series, ends, strict=True) if end > recipe.training.window
    ]


def last_year() -> int:
    """The year after the last licensed price: from then on there is nothing more to learn from."""
    return int(known_prices().index[-1].year) + 1


def network_of(year: int, recipe: Recipe, folder: Path) -> LstmJsu:
    """The network in force in ``year``, trained or, where ``folder`` has it, read."""
    year = min(year, last_year())
    return network_with(kept(folder / f"{year}-{recipe.seed}.npz", lambda: trained(year, recipe)), recipe)


def network_with(weights: Mapping[str, np.ndarray], recipe: Recipe) -> LstmJsu:
    """The network of these weights."""
    zero = torch.zeros(input_count(recipe.scale))
    network = LstmJsu(recipe.network, zero, zero)
    network.mean, network.deviation = (torch.from_numpy(weights[name]) for name in ("mean", "deviation"))
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return network.eval()


def trained(year: int, recipe: Recipe) -> dict[str, np.ndarray]:
    """The weights of a network trained on what was known at the turn of the year."""
    return trained_on(known_before(year, recipe), recipe)


def trained_on(series: list[Series], recipe: Recipe) -> dict[str, np.ndarray]:
    """The weights of a network trained from scratch on these series."""
    torch.manual_seed(recipe.seed)
    torch.use_deterministic_algorithms(True)
    mean, deviation = standardisation(series)
    network = LstmJsu(recipe.network, mean, deviation)
    _, network = descend(network, balanced(series, mean, recipe), recipe, lambda step, loss: None)
    return {name: value.numpy() for name, value in network.state_dict().items()}


def years_of(sessions: tuple[date, ...]) -> Iterator[tuple[int, slice]]:
    """Each year from FIRST_YEAR on with its rows of ``sessions``."""
    numbers = np.array([session.year for session in sessions])
    for year in range(max(FIRST_YEAR, int(numbers[0])), int(numbers[-1]) + 1):
        rows = np.flatnonzero(numbers == year)
        yield year, slice(int(rows[0]), int(rows[-1]) + 1)
