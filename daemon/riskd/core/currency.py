"""Returns in a portfolio's own currency: the exchange rate is a risk factor like any other."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats, frozen
from riskd.errors import ConfigError

NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class CurrencyView:
    """How a portfolio in one base currency sees the returns of n symbols, exchange rates among them.

    ``rate`` (n,): the column of the rate between a symbol's currency and the base, :data:`NONE` where they are the same.
    ``sign`` (n,): +1 where the rate counts base for one of the symbol's currency, -1 the other way round.
    ``tradeable`` (n,): False for rates that are there for their own sake only.
    """

    rate: NDArray[np.int64]
    sign: Floats
    tradeable: NDArray[np.bool_]

    def log_returns(self, r: Floats) -> Floats:
        """Log returns (..., n) in the base currency: r + sign * r_rate; NaN where the rate's is.

        The same array, not copied, if nothing is foreign.
        """
        columns = np.flatnonzero(self.rate != NONE)
        if not len(columns):
            return r
        seen = np.array(r, dtype=np.float64)
        seen[..., columns] += self.sign[columns] * r[..., self.rate[columns]]
        return seen

    def simple(self, R: Floats) -> Floats:
        """Simple returns (..., n) in the base currency: (1 + R)(1 + R_rate)^sign - 1; NaN where the rate's is, as above."""
        columns = np.flatnonzero(self.rate != NONE)
        if not len(columns):
            return R
        seen = np.array(R, dtype=np.float64)
        growth = 1 + R[..., self.rate[columns]]  # (..., foreign)
        inverse = self.sign[columns] < 0
        growth[..., inverse] = 1 / growth[..., inverse]
        seen[..., columns] = (1 + R[..., columns]) * growth - 1
        return seen

    def prices(self, closes: Floats) -> Floats:
        """Closes (n,) in quote currencies as prices in the base currency, by the newest closes of the rates; NaN where one is."""
        columns = np.flatnonzero(self.rate != NONE)
        seen = np.array(closes, dtype=np.float64)
        seen[columns] *= closes[self.rate[columns]] ** self.sign[columns]
        return seen


def currency_view(
    symbols: Sequence[str],
    currencies: Sequence[str],
    base: str,
    rates: Mapping[tuple[str, str], tuple[str, int]],
    tradeable: Collection[str],
) -> CurrencyView:
    """``currencies`` (n,) of ``symbols``; ``rates``: (from, to) -> its symbol and sign. What is not tradeable is left as it is.

    Raises ConfigError for a tradeable symbol without a rate to ``base``: a missing rate is never 1.
    """
    column = {symbol: i for i, symbol in enumerate(symbols)}
    rate, sign = np.full(len(symbols), NONE), np.ones(len(symbols))
    for i, (symbol, currency) in enumerate(zip(symbols, currencies, strict=True)):
        if currency == base or symbol not in tradeable:
            continue
        name, direction = rates.get((currency, base), ("", 0))
        if name not in column:
            raise ConfigError(f"{symbol} is priced in {currency} and there is no rate to {base}; add [rates] {currency}{base}")
        rate[i], sign[i] = column[name], direction
    bought = np.array([s in tradeable for s in symbols], dtype=np.bool_)
    rate.flags.writeable = bought.flags.writeable = False
    return CurrencyView(rate, frozen(sign), bought)
