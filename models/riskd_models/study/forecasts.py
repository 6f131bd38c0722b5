"""Every forecast of the study by name, over one book."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from riskd.core.arrays import Floats
from riskd_models.recipe import Recipe
from riskd_models.study.books import Book
from riskd_models.study.joint import Anchored, Combined, GarchCopula, Historical, JointForecast, Recoloured, ScoreBootstrap
from riskd_models.study.kept import kept
from riskd_models.study.portfolios import Portfolios, portfolios_of
from riskd_models.study.single import (
    Average,
    EwmaBootstrap,
    EwmaStudent,
    Forecast,
    GjrForecast,
    LstmForecast,
    gjr_fits,
)
from riskd_models.study.stream import Stream, load_stream

CHAMPION, BASELINE = "riskd", "gjr-fhs"


def silent(_: int) -> None:
    """Hears that a year is done and does nothing."""


@dataclass(eq=False)
class Study:
    """A book, its portfolios, and what several forecasts share: the network's stream and the GJR fits, kept in ``folder``."""

    book: Book
    recipe: Recipe
    folder: Path  # of this book
    networks: Path
    told: Callable[[int], None] = silent

    @cached_property
    def portfolios(self) -> Portfolios:
        return portfolios_of(self.book.symbols)

    @cached_property
    def returns(self) -> Floats:
        """Log returns (sessions, portfolios)."""
        return self.portfolios.log_returns(self.book.simple)

    @property
    def assets(self) -> int:
        return len(self.book.symbols)

    @cached_property
    def stream(self) -> Stream:
        folders = (self.networks, self.folder)
        return load_stream(self.returns, self.book.sessions, self.assets, self.recipe, folders, self.told)

    @cached_property
    def gjr(self) -> GjrForecast:
        fits = kept(self.folder / "gjr.npz", lambda: gjr_fits(self.returns, self.book.first))
        return GjrForecast(fits, self.book.first, self.stream.first)

    @property
    def champion(self) -> Average:
        """Half the network's forecast of the portfolio, half GJR-FHS."""
        return Average(((0.5, LstmForecast(self.stream)), (0.5, self.gjr)))

    @property
    def threefold(self) -> Average:
        """The champion with three tenths of the network's half read off the joint bootstrap; weights chosen on book B."""
        joint = Combined(ScoreBootstrap(self.stream, self.assets), self.portfolios.weights)
        return Average(((0.5, self.gjr), (0.35, LstmForecast(self.stream)), (0.15, joint)))

    @property
    def recoloured(self) -> Recoloured:
        return Recoloured(self.stream, self.assets)

    def anchored(self) -> Anchored:
        """Along the equal-weight portfolio, which comes first after the assets."""
        return Anchored(self.recoloured, self.portfolios.weights[self.assets], self.champion, self.assets)


SINGLE: Mapping[str, Callable[[Study], Forecast]] = {
    "lstm": lambda study: LstmForecast(study.stream),
    "gjr-fhs": lambda study: study.gjr,
    "riskd": lambda study: study.champion,
    "riskd-joint": lambda study: study.threefold,
    "ewma-t": lambda study: EwmaStudent(study.returns, study.stream.first, study.book.first),
    "ewma-fhs": lambda study: EwmaBootstrap(study.returns, study.stream.first),
}
JOINT: Mapping[str, Callable[[Study], JointForecast]] = {
    "historical": lambda study: Historical(study.book.simple),
    "garch-t-copula": lambda study: GarchCopula(study.book.returns, study.book.first),
    "joint-bootstrap": lambda study: ScoreBootstrap(study.stream, study.assets),
    "joint-recoloured": lambda study: study.recoloured,
    "joint-anchored": lambda study: study.anchored(),
}
NAMES = (*SINGLE, *JOINT)


def forecast_of(study: Study, name: str) -> Forecast:
    """The forecast of every portfolio by that name."""
    return SINGLE[name](study) if name in SINGLE else Combined(JOINT[name](study), study.portfolios.weights)
