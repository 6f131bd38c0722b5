"""What a challenger is told: prices, portfolios and the GARCH parameters in force; and the seam itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from riskd.core.arrays import Floats
from riskd.core.garch import Gjr, gjr_of
from riskd.core.portfolio import Portfolio


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """``log_returns`` (T, symbols) and ``books`` (T, portfolios) log returns, complete and oldest first; ``fits`` (symbols +
    portfolios, 7) as :meth:`riskd.core.garch.Gjr.row`; ``turn`` counts the sessions ever folded."""

    log_returns: Floats
    books: Floats
    fits: Floats
    portfolios: tuple[Portfolio, ...]
    turn: int = 0

    def gjr(self, portfolio: int) -> Gjr:
        """The parameters of a portfolio's own history."""
        return gjr_of(self.fits[self.log_returns.shape[1] + portfolio])


class Challenger(Protocol):
    """An estimator of every portfolio's losses."""

    def __call__(self, past: Past, horizons: tuple[int, ...]) -> Mapping[int, Floats]:
        """Losses (M, portfolios) per horizon, fractions of value, loss positive; NaN where the history is too short."""
        ...
