"""The returns that the network learns from and is judged on: only prices that a package ships with a licence."""

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cache

import arch.data.nasdaq
import arch.data.wti
import numpy as np
import pandas as pd
from skfolio.datasets import load_sp500_dataset, load_sp500_index

from riskd.core.arrays import Floats
from riskd.core.market import log_returns
from riskd.errors import ConfigError
from riskd_models import recipe
from riskd_models.bars import LICENSED, Bars, licensed_bars, range_variance


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Log returns of assets that share their market inputs, then of pseudo-assets made of them.

    ``returns`` has shape (sessions, series); the first ``market`` columns are real assets and make up the market inputs.
    """

    name: str
    series: tuple[str, ...]
    sessions: tuple[date, ...]
    returns: Floats
    market: int
    ranges: Floats | None = None  # range variances (sessions, market) where every series has opens, highs and lows

    def between(self, first: date, last: date) -> slice:
        """The rows of the sessions after ``first`` up to and including ``last``."""
        after = sum(1 for s in self.sessions if s <= first)
        return slice(after, sum(1 for s in self.sessions if s <= last))


@cache
def known_prices() -> pd.DataFrame:
    """Every series by session; NaN where a series has no close. skfolio is BSD-3; arch (NASDAQ, WTI from FRED) is NCSA."""
    nasdaq = arch.data.nasdaq.load()["Adj Close"].rename("NASDAQ")
    crude = arch.data.wti.load()["DCOILWTICO"].rename("WTI")
    prices: pd.DataFrame = load_sp500_dataset().join([load_sp500_index(), nasdaq, crude], how="outer")
    return prices.sort_index()


def portfolio_weights(count: int, assets: int, dirichlet: float, rng: np.random.Generator) -> Floats:
    """``count`` long-only rows that sum to one, then ``count`` long/short rows; shape (2 count, assets)."""
    long_only = rng.dirichlet(np.full(assets, dirichlet), count)
    return np.vstack([long_only, rng.standard_normal((count, assets)) / assets])


def portfolio_returns(returns: Floats, weights: Floats) -> Floats:
    """Log returns of portfolios rebalanced daily: log(1 + w'(e^r - 1)); shape (sessions, portfolios).

    Raises ValueError where a portfolio loses everything, for then it has no log return.
    """
    growth = 1.0 + np.expm1(returns) @ weights.T
    if (growth <= 0).any():
        raise ValueError("a random portfolio lost more than all it had; take another seed or fewer assets at a time")
    return np.log(growth)


def load_panel(panel: recipe.Panel, dirichlet: float, rng: np.random.Generator) -> Panel:
    """A panel over the sessions on which all its assets have a close; nothing is filled."""
    closes = known_prices()[list(panel.symbols)].dropna()
    returns = log_returns(closes.to_numpy())
    weights = portfolio_weights(panel.portfolios, len(panel.symbols), dirichlet, rng)
    names = (*panel.symbols, *(f"{panel.name}-{i + 1}" for i in range(len(weights))))
    sessions = tuple(stamp.date() for stamp in closes.index[1:])
    return Panel(panel.name, names, sessions, np.hstack([returns, portfolio_returns(returns, weights)]), len(panel.symbols))


def bar_panel(name: str, bars: Bars) -> Panel:
    """A panel of assets alone with their range variances; a portfolio has no high of its own."""
    sessions, symbols = tuple(stamp.date() for stamp in bars.closes.index[1:]), tuple(map(str, bars.closes.columns))
    return Panel(name, symbols, sessions, log_returns(bars.closes.to_numpy()), len(symbols), range_variance(bars))


def load_bar_panel(panel: recipe.Panel) -> Panel:
    """The panel over the sessions on which all its assets have a whole bar; raises ConfigError where a symbol has none."""
    for symbol in panel.symbols:
        if symbol not in LICENSED:
            raise ConfigError(f"panel {panel.name}: {symbol} has no licensed highs and lows; name {' or '.join(LICENSED)}")
    return bar_panel(panel.name, licensed_bars().of(list(panel.symbols)))


def load_pool(wanted: recipe.Recipe) -> tuple[Panel, ...]:
    """All panels of a recipe, with every session that is known; the same seed gives the same portfolios."""
    rng = np.random.default_rng(wanted.seed)
    return tuple(
        load_bar_panel(panel) if panel.bars else load_panel(panel, wanted.pool.dirichlet, rng) for panel in wanted.pool.panels
    )


def data_digest(panels: tuple[Panel, ...], until: date) -> str:
    """SHA-256 of the real assets' returns, and ranges, that training sees, rounded so that it holds on every machine."""
    total = hashlib.sha256()
    for panel in panels:
        rows = panel.between(date.min, until)
        total.update(repr((panel.name, panel.series[: panel.market])).encode())
        total.update(np.rint(panel.returns[rows, : panel.market] * 1e9).astype("<i8").tobytes())
        if panel.ranges is not None:
            total.update(np.rint(panel.ranges[rows] * 1e12).astype("<i8").tobytes())
    return total.hexdigest()
