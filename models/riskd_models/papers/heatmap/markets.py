"""The prices that heat maps are made of: panels of stocks, bonds, commodities and currencies with portfolios of each class."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from riskd.core.arrays import Floats
from riskd.core.market import log_returns
from riskd_models.pool import known_prices, portfolio_returns
from riskd_models.study.books import ADJUSTED, ETFS, INDICES, TWENTY, shared

CURRENCIES = "futures_fx_ohlc/ohlc.parquet"
CLASSES = ("stocks", "bonds", "commodities", "currencies")
FUNDS: Mapping[str, str] = {
    **dict.fromkeys(("SPY", "EEM"), "stocks"),
    **dict.fromkeys(("TLT", "IEF", "LQD", "AGG", "SHY"), "bonds"),
    **dict.fromkeys(("GLD", "SLV", "USO", "DBC"), "commodities"),
}
PAIRS = ("EURUSD=X", "GBPUSD=X", "JPY=X")
BAD_TICK, BACK = 0.025, 0.015  # a close that far from both its neighbours, which are that close to each other
PORTFOLIOS = 3  # of each class: equal weights, then Dirichlet(1)


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Log returns (sessions, series) of assets, the first ``assets`` columns, and of portfolios of them; a class for each."""

    name: str
    sessions: tuple[date, ...]
    series: tuple[str, ...]
    classes: tuple[str, ...]
    returns: Floats
    assets: int

    @property
    def share(self) -> Floats:
        """Each series' weight in the market that the heat maps see."""
        return np.where(np.arange(len(self.series)) < self.assets, 1 / self.assets, 0.0)


def market_of(name: str, closes: pd.DataFrame, classes: Mapping[str, str]) -> Market:
    """The sessions on which every symbol of ``classes`` has a close, with portfolios of each class of two assets or more."""
    common = closes[list(classes)].dropna()
    sessions = tuple(stamp.date() for stamp in common.index[1:])
    return with_portfolios(name, sessions, classes, log_returns(common.to_numpy(np.float64)))


def with_portfolios(name: str, sessions: tuple[date, ...], classes: Mapping[str, str], returns: Floats, seed: int = 0) -> Market:
    """Log returns (sessions, assets) of the symbols of ``classes``, and of PORTFOLIOS of each class of two assets or more."""
    random, names, found, kinds = np.random.default_rng(seed), list(classes), [returns], list(classes.values())
    for kind in dict.fromkeys(classes.values()):
        mine = [i for i, own in enumerate(classes.values()) if own == kind]
        if len(mine) > 1:
            weights = np.vstack([np.full(len(mine), 1 / len(mine)), random.dirichlet(np.ones(len(mine)), PORTFOLIOS - 1)])
            found.append(portfolio_returns(returns[:, mine], weights))
            names += [f"{kind} of {name} {i + 1}" for i in range(PORTFOLIOS)]
            kinds += [kind] * PORTFOLIOS
    return Market(name, sessions, tuple(names), tuple(kinds), np.hstack(found), len(classes))


def licensed_markets(stocks: int = len(TWENTY)) -> tuple[Market, ...]:
    """Twenty US stocks 1990 to 2022, and two indices with crude oil 1999 to 2018: what packages ship with a licence."""
    prices = known_prices()
    indices = dict(zip(INDICES, ("stocks", "stocks", "commodities"), strict=True))
    return (
        market_of("twenty", prices, dict.fromkeys(TWENTY[:stocks], "stocks")),
        market_of("indices", prices, indices),
    )


def shared_markets(data: Path) -> tuple[Market, ...]:
    """Funds of four classes from 2006 and three currencies from 2003, from the shared data; ConfigError where it is absent."""
    funds = shared(data, ETFS).pivot(index="date", columns="ticker", values="adj_close")
    others = shared(data, ADJUSTED).pivot(index="date", columns="ticker", values="close")
    pairs = shared(data, CURRENCIES).pivot(index="date", columns="ticker", values="close")[list(PAIRS)].dropna()
    return (
        market_of("funds", funds.join(others[["SLV", "USO"]], how="inner"), FUNDS),
        market_of("currencies", without_bad_ticks(pairs), dict.fromkeys(PAIRS, "currencies")),
    )


def without_bad_ticks(closes: pd.DataFrame) -> pd.DataFrame:
    """Without the sessions on which a close jumps away and is back at the next one: the data themselves say that it is wrong.

    Nothing is filled: the session is left out for all. It takes the next close to know, so this is for studies, not for a daemon.
    """
    log = closes.apply(np.log)
    before, after = log.diff(), log.shift(-1) - log
    away = ((before.abs() > BAD_TICK) & (after.abs() > BAD_TICK) & ((before + after).abs() < BACK)).any(axis=1)
    return closes[~away]
