"""The portfolios of a book: equal weights, random ones, long against short, and every asset by itself."""

from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats

RANDOM = 8  # Dirichlet(1) portfolios
SEED = 4


@dataclass(frozen=True, slots=True, eq=False)
class Portfolios:
    """Constant weights (portfolios, assets), rebalanced every session; the first rows are the assets themselves."""

    names: tuple[str, ...]
    groups: tuple[str, ...]
    weights: Floats

    def log_returns(self, simple: Floats) -> Floats:
        """log(1 + w'R) of simple returns (sessions, assets); shape (sessions, portfolios). Raises ValueError on a total loss."""
        growth = 1.0 + simple @ self.weights.T
        if (growth <= 0).any():
            name = self.names[int(np.argwhere(growth <= 0)[0][1])]
            raise ValueError(f"portfolio {name} lost all it had in one session; it has no log return")
        return np.log(growth)


def portfolios_of(symbols: tuple[str, ...]) -> Portfolios:
    """Single, equal, RANDOM Dirichlet(1) and long/short (alternating, each side adds up to one); the same ones every time."""
    count = len(symbols)
    equal = np.full((1, count), 1 / count)
    dirichlet = np.random.default_rng(SEED).dirichlet(np.ones(count), RANDOM)
    side = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    side /= np.where(side > 0, (side > 0).sum(), max((side < 0).sum(), 1))
    names = (*symbols, "equal", *(f"dirichlet-{i + 1}" for i in range(RANDOM)), "long-short")
    groups = (*("single",) * count, "equal", *("dirichlet",) * RANDOM, "long-short")
    return Portfolios(names, groups, np.vstack([np.eye(count), equal, dirichlet, side[None]]))
