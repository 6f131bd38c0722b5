"""Which instances are raced: markets, sizes, levels and constraints, from a minute's worth to an hour's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import allocation_instances as instances
from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats

MARKETS: dict[str, Callable[[int, int, int], Floats]] = {
    "multivariate t": instances.student,
    "real bootstrap": instances.real,
    "option-like": instances.options,
}
SEED = 7
SHARE, NARROW = 0.8, 0.92  # of equal weights' CVaR; the second where the first is out of few or capped assets' reach
BOOKS: dict[str, Callable[[Floats, float, float], Problem]] = {
    "long only": instances.book,
    "3 % cap": partial(instances.book, cap=0.03),
    "5 % cap": partial(instances.book, cap=0.05),
    "sectors": lambda *asked: instances.with_sectors(instances.book(*asked)),
    "turnover": lambda *asked: instances.with_turnover(instances.book(*asked)),
    "long-short": partial(instances.book, floor=-0.1, cap=0.3),
    "least CVaR": lambda *asked: instances.without_limit(instances.book(*asked)),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One instance; its scenarios come by :meth:`returns`, in bytes 8 n M."""

    market: str
    assets: int
    scenarios: int
    level: float = 0.95
    book: str = "long only"

    @property
    def name(self) -> str:
        """In words."""
        return f"{self.market}, {self.book}, {self.level}, n={self.assets}, M={self.scenarios:.0e}".replace("e+0", "e")

    @property
    def matrix(self) -> tuple[str, int, int]:
        """What decides the scenarios."""
        return self.market, self.assets, self.scenarios

    @property
    def bytes(self) -> int:
        """Of the scenario matrix."""
        return 8 * self.assets * self.scenarios

    def returns(self) -> Floats:
        """Scenarios (M, n)."""
        return MARKETS[self.market](self.assets, self.scenarios, SEED)

    def problem(self, returns: Floats) -> Problem:
        """The problem over them."""
        narrow = self.assets <= 20 or (self.book == "3 % cap" and self.assets <= 50)
        return BOOKS[self.book](returns, self.level, NARROW if narrow else SHARE)

    def larger(self, other: "Case") -> bool:
        """Whether this is the other case with at least its scenarios: what took too long there takes too long here."""
        return self.scenarios >= other.scenarios and replace(self, scenarios=other.scenarios) == other


def quick() -> Iterator[Case]:
    """A minute or two with the fast peers."""
    for assets, scenarios in ((10, 1_000), (50, 10_000), (200, 10_000), (50, 100_000), (200, 100_000)):
        yield Case("multivariate t", assets, scenarios)
    for book in ("3 % cap", "turnover", "sectors", "long-short"):
        yield Case("multivariate t", 50, 10_000, book=book)
    yield Case("real bootstrap", 20, 10_000)
    yield Case("option-like", 200, 10_000, book="5 % cap")


def full() -> Iterator[Case]:
    """Two markets, four numbers of assets and of scenarios, two levels; every constraint at three sizes."""
    for assets in (10, 50, 200, 500):
        for scenarios in (1_000, 10_000, 100_000, 1_000_000):
            yield Case("multivariate t", assets, scenarios)
    for assets in (50, 200):
        for scenarios in (10_000, 100_000):
            yield Case("multivariate t", assets, scenarios, 0.99)
    for assets in (10, 20, 50, 200):
        for scenarios in (1_000, 10_000, 100_000):
            yield Case("real bootstrap", assets, scenarios)
    for assets, scenarios in ((50, 10_000), (200, 10_000), (50, 100_000)):
        for book in ("3 % cap", "turnover", "sectors", "long-short", "least CVaR"):
            yield Case("multivariate t", assets, scenarios, book=book)
    for book in ("3 % cap", "turnover", "long-short"):
        yield Case("real bootstrap", 50, 10_000, book=book)
    for assets, scenarios in ((50, 10_000), (200, 10_000), (200, 100_000)):
        yield Case("option-like", assets, scenarios, book="5 % cap")


PRESETS = {"quick": quick, "full": full}
