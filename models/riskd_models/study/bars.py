"""What the network of sixteen inputs is judged on: bars of two books, and panels of bars to learn from."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from riskd.core.arrays import Floats
from riskd.errors import ConfigError
from riskd_models.bars import Bars, licensed_bars, range_variance
from riskd_models.pool import Panel, bar_panel, portfolio_returns, portfolio_weights
from riskd_models.recipe import Recipe
from riskd_models.study.books import ADJUSTED, ETFS, Book, shared

BARRED = ("M", "L")  # books whose every asset has bars
LEARNT: Mapping[str, list[str]] = {
    "stocks": ["AAPL", "BAC", "CVX", "GE", "JNJ", "JPM", "KO", "MSFT", "PG", "WMT", "XOM"],
    "funds": ["SPY", "QQQ", "IWM", "EFA", "EEM", "TLT", "IEF", "LQD", "AGG"],
    "mixed": ["SPY", "EEM", "TLT", "GLD", "SLV", "USO", "DBC", "VNQ"],
}  # all assets of M, in earlier years; none of L
PRICES = ("open", "high", "low", "close")


def shared_bars(data: Path) -> Bars:
    """Every bar of the shared data that is adjusted for splits and dividends; a fund comes before the same symbol elsewhere."""
    funds, others = shared(data, ETFS), shared(data, ADJUSTED)
    factor = funds["adj_close"] / funds["close"]
    funds = funds.assign(**{name: funds[name] * factor for name in PRICES})
    tables = []
    for name in PRICES:
        one, other = (table.pivot(index="date", columns="ticker", values=name) for table in (funds, others))
        tables.append(one.join(other.drop(columns=one.columns, errors="ignore"), how="outer"))
    return Bars(*tables)


def book_ranges(book: Book, bars: Bars) -> Floats:
    """Range variances (sessions, assets) of a book's own sessions; raises ConfigError where one has no whole bar."""
    mine = bars.of(list(book.symbols))
    found = dict(zip((stamp.date() for stamp in mine.closes.index[1:]), range_variance(mine), strict=True))
    missing = [session for session in book.sessions if session not in found]
    if missing:
        raise ConfigError(f"{book.name}: no whole bar of every asset at {missing[0]}; this book has no ranges")
    return np.array([found[session] for session in book.sessions])


def learnt_panels(data: Path) -> tuple[Panel, ...]:
    """Panels of the shared data, each over the sessions that all its assets have."""
    bars = shared_bars(data)
    return tuple(bar_panel(name, bars.of(symbols)) for name, symbols in LEARNT.items())


def index_panels() -> tuple[Panel, ...]:
    """The two licensed indices."""
    return (bar_panel("indices", licensed_bars()),)


def with_portfolios(panels: tuple[Panel, ...], recipe: Recipe, count: int) -> tuple[Panel, ...]:
    """The same panels with ``count`` long-only and as many long/short portfolios beside their assets, and without ranges."""
    rng = np.random.default_rng(recipe.seed)
    found = []
    for panel in panels:
        weights = portfolio_weights(count, panel.market, recipe.pool.dirichlet, rng)
        names = (*panel.series, *(f"{panel.name}-{i + 1}" for i in range(len(weights))))
        returns = np.hstack([panel.returns, portfolio_returns(panel.returns, weights)])
        found.append(replace(panel, series=names, returns=returns, ranges=None))
    return tuple(found)
