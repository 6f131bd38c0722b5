"""The markets that portfolios are walked through: ten stocks in the small preset; in the full one funds of four classes too."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from riskd.core.arrays import Floats
from riskd.core.market import log_returns
from riskd_models.papers.preset import Preset
from riskd_models.pool import Panel, known_prices
from riskd_models.study.books import ADJUSTED, DATA, ETFS, MIXED, TEN, TWENTY, mixed


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Log returns of named assets, and the rows that are allocated: the years from ``first`` on."""

    name: str
    what: str
    panel: Panel
    first: int

    @property
    def years(self) -> Mapping[int, range]:
        """The rows of each allocated year."""
        years = [session.year for session in self.panel.sessions]
        return {
            year: range(years.index(year), len(years) - years[::-1].index(year))
            for year in sorted(set(years))
            if year >= self.first
        }

    @property
    def rows(self) -> range:
        """All allocated rows."""
        found = list(self.years.values())
        return range(found[0].start, found[-1].stop)

    @property
    def sessions(self) -> tuple[date, ...]:
        """The allocated sessions."""
        return self.panel.sessions[self.rows.start : self.rows.stop]

    def said(self) -> str:
        """Assets and sessions in a few words."""
        return f"{len(self.panel.series)} {self.what}, {self.sessions[0]} to {self.sessions[-1]}"


def markets(preset: Preset, data: Path = DATA) -> tuple[Market, ...]:
    """The preset's markets; funds only where the shared prices are at hand."""
    if not preset.full:
        return (market_of("stocks", "US stocks", known_prices()[TEN], 2020),)
    found = [market_of("stocks", "US stocks", known_prices()[TWENTY], 2000)]
    if all((data / name).is_file() for name in (ETFS, ADJUSTED)):
        found.insert(0, market_of("mixed", "funds and stocks of stocks, bonds, gold and oil", mixed(data)[MIXED], 2012))
    return tuple(found)


def market_of(name: str, what: str, closes: pd.DataFrame, first: int) -> Market:
    """The sessions on which every asset has a close; nothing is filled."""
    common = closes.dropna()
    sessions = tuple(stamp.date() for stamp in common.index[1:])
    panel = Panel(name, tuple(map(str, common.columns)), sessions, log_returns(common.to_numpy()), common.shape[1])
    return Market(name, what, panel, first)


def held_returns(log_returns: Floats, horizon: int) -> Floats:
    """Simple returns (sessions - horizon + 1, n) of buying before session t and holding for ``horizon`` sessions."""
    total = np.vstack([np.zeros(log_returns.shape[1]), np.cumsum(log_returns, axis=0)])
    return np.asarray(np.expm1(total[horizon:] - total[:-horizon]))
