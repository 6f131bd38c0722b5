"""Does it help to see a day's high and low: networks of sixteen inputs against twelve, learnt from the same panels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.validation.compare import diebold_mariano
from riskd.core.validation.scores import fz0
from riskd_models.network import LstmJsu
from riskd_models.pool import Panel, load_pool
from riskd_models.recipe import Ranges, Recipe
from riskd_models.study.bars import book_ranges, index_panels, learnt_panels, shared_bars, with_portfolios
from riskd_models.study.forecasts import Study
from riskd_models.study.kept import Arrays, kept
from riskd_models.study.quantified import LEVELS, read_off
from riskd_models.study.single import Average, Forecast, LstmForecast
from riskd_models.study.stream import Stream, streamed
from riskd_models.study.years import cut_before, network_with, trained_on, whole_series
from riskd_models.train import Series

FAMILIES = ("shared-ranges", "shared-closes", "shared-portfolios", "licensed-ranges", "indices-ranges", "indices-closes")
PORTFOLIOS = 10  # beside every panel of ``shared-portfolios``, and as many long/short
JUDGED = (0.95, 0.975, 0.99)


@dataclass(eq=False)
class Family:
    """Networks that differ in their inputs or in what they learn from; one a year, kept in ``folder``."""

    name: str
    recipe: Recipe
    panels: tuple[Panel, ...]
    folder: Path

    @cached_property
    def series(self) -> list[Series]:
        return whole_series(self.panels, self.recipe)

    @property
    def last(self) -> int:
        """The year after its panels' last session."""
        return max(panel.sessions[-1].year for panel in self.panels) + 1

    def network(self, year: int) -> LstmJsu:
        """The network in force in ``year``, learnt from the sessions before it."""
        year = min(year, self.last)
        path = self.folder / f"{self.name}-{year}-{self.recipe.seed}.npz"
        known = kept(path, lambda: trained_on(cut_before(year, self.panels, self.series, self.recipe), self.recipe))
        return network_with(known, self.recipe)


def family(name: str, recipe: Recipe, data: Path, folder: Path) -> Family:
    """One of FAMILIES: where it learns, then what it sees. ``recipe`` is the one with ranges."""
    place, seen = name.split("-")
    places: dict[str, Callable[[], tuple[Panel, ...]]] = {
        "shared": partial(learnt_panels, data),
        "licensed": partial(load_pool, recipe),
        "indices": index_panels,
    }
    panels = places[place]()
    if seen == "portfolios":
        panels = with_portfolios(panels, recipe, PORTFOLIOS)
    ranges: Ranges | None = recipe.scale.ranges if seen == "ranges" else None
    return Family(name, recipe.model_copy(update={"scale": recipe.scale.model_copy(update={"ranges": ranges})}), panels, folder)


@dataclass(eq=False)
class RangeStudy:
    """One book with bars: single assets, forecast by every family and by GJR-FHS. ``study`` is the plain study of the book."""

    study: Study
    recipe: Recipe  # with ranges
    data: Path

    @cached_property
    def ranges(self) -> Floats:
        return book_ranges(self.study.book, shared_bars(self.data))

    def family(self, name: str) -> Family:
        return family(name, self.recipe, self.data, self.study.folder.parent / "range-networks")

    def stream(self, name: str) -> Stream:
        """A family's forecast of every asset, day by day."""
        book, mine = self.study.book, self.family(name)
        seen = self.ranges if mine.recipe.scale.ranges else None
        path = self.study.folder / f"ranges-stream-{name}.npz"
        arrays = kept(path, lambda: streamed(book.returns, book.sessions, len(book.symbols), mine.recipe, mine.network, seen))
        return Stream(arrays, self.recipe.pool.warm_up)  # type: ignore[arg-type]

    @cached_property
    def gjr(self) -> Forecast:
        return Singles(self.study.gjr, self.study.assets)

    def forecasts(self) -> dict[str, Forecast]:
        """Every family alone and averaged with GJR-FHS, and what the daemon has: the network of licensed closes."""
        networks: dict[str, Forecast] = {name: LstmForecast(self.stream(name)) for name in FAMILIES}
        networks["licensed"] = Singles(LstmForecast(self.study.stream), self.study.assets)
        averages = {f"{name}+gjr": Average(((0.5, one), (0.5, self.gjr))) for name, one in networks.items()}
        return networks | averages | {"gjr-fhs": self.gjr}

    def judged(self) -> Mapping[str, Arrays]:
        """Every forecast's var and cvar (sessions, assets, levels) and crps (sessions, assets)."""
        return {name: kept(self.place(name), lambda one=one: self.walked(one)) for name, one in self.forecasts().items()}  # type: ignore[misc]

    def place(self, name: str) -> Path:
        return self.study.folder / f"ranges-forecast-{name}.npz"

    def walked(self, forecast: Forecast) -> Arrays:
        book = self.study.book
        days = range(book.first, len(book.sessions))
        read = [read_off(forecast.ordered(day), book.simple[day]) for day in days]
        return {field: np.array([getattr(one, field) for one in read]) for field in ("var", "cvar", "crps")}


class Singles:
    """The single assets of a forecast of portfolios, which come first."""

    def __init__(self, forecast: Forecast, assets: int) -> None:
        self.forecast, self.assets = forecast, assets

    def ordered(self, day: int) -> Floats:
        return self.forecast.ordered(day)[: self.assets]


def losses_of(study: RangeStudy, read: Arrays, level: float) -> Floats:
    """FZ0 of every session and asset at a level."""
    place = LEVELS.index(level)
    realised = -study.study.book.simple[study.study.book.first :]
    var, cvar = (np.asarray(read[name][:, :, place], dtype=np.float64) for name in ("var", "cvar"))
    return fz0(realised, var, cvar, level)


def compared(study: RangeStudy, judged: Mapping[str, Arrays], one: str, other: str, level: float) -> float:
    """Diebold-Mariano t of FZ0, mean over the assets; below zero: ``one`` is ahead."""
    difference = losses_of(study, judged[one], level) - losses_of(study, judged[other], level)
    return diebold_mariano(difference.mean(axis=1)).t
