"""The prices that the paper's systems are tried on: ten named assets of four classes where they are at hand, else ten stocks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from riskd.core.market import log_returns
from riskd_models.papers.preset import Preset
from riskd_models.pool import Panel, known_prices
from riskd_models.study.books import ADJUSTED, DATA, ETFS, MIXED, TEN, TWENTY, mixed
from riskd_models.study.systems import Block

FIRST, LAST = date(2013, 1, 1), date(2023, 12, 31)  # the paper's years
LEARNT = 0.8  # of the sessions, the older ones
TURNS = (2012, 2017, 2020)  # years at whose turn the walk-forward trains again
MORE = ["AGG", "DBC", "EFA", "HYG", "IEF", "IWM", "SHY", "VNQ", "SLV", "XLE", "XLU", "KO", "MSFT", "WMT"]
FEWEST = 2 * 500  # sessions known before a first forecast
SMALL = 252  # sessions that the small preset forecasts


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Prices of named assets as log returns, and the blocks of each plan: trained on what is known, forecast on the rows."""

    what: str
    panel: Panel
    plans: Mapping[str, tuple[Block, ...]]

    def sessions(self, plan: str) -> tuple[date, ...]:
        """The forecast sessions."""
        blocks = self.plans[plan]
        return self.panel.sessions[blocks[0].rows.start : blocks[-1].rows.stop]


def closes_of(preset: Preset, wide: bool, data: Path = DATA) -> tuple[str, pd.DataFrame]:
    """What is there, in words, and its closes; ``wide`` for the assets that subsets are taken of.

    The small preset, and a machine without the shared prices, take stocks that a package ships.
    """
    if preset.full and all((data / name).is_file() for name in (ETFS, ADJUSTED)):
        symbols = [*MIXED, *MORE] if wide else MIXED
        return "stocks, bonds, gold and oil", mixed(data)[symbols]
    return "US stocks", known_prices()[TWENTY if wide else TEN]


def market(preset: Preset, wide: bool = False, data: Path = DATA) -> Market:
    """The split of the paper's years, its first year in the small preset, and where the prices are longer a walk-forward."""
    what, closes = closes_of(preset, wide, data)
    closes = closes.dropna()
    sessions = tuple(stamp.date() for stamp in closes.index[1:])
    panel = Panel(what, tuple(map(str, closes.columns)), sessions, log_returns(closes.to_numpy()), closes.shape[1])
    block = split(sessions)
    once = block if preset.full else Block(block.known, block.rows[:SMALL])
    return Market(what, panel, {"split": (once,), "forward": forward(sessions)})


def split(sessions: tuple[date, ...]) -> Block:
    """The older LEARNT of the sessions from FIRST to LAST, then the rest of them."""
    inside = [row for row, session in enumerate(sessions) if FIRST <= session <= LAST]
    cut = inside[0] + round(LEARNT * len(inside))
    return Block(range(inside[0], cut), range(cut, inside[-1] + 1))


def forward(sessions: tuple[date, ...]) -> tuple[Block, ...]:
    """From each of TURNS to the next: trained on all sessions before; a turn with fewer than FEWEST before it is left out."""
    years = np.array([session.year for session in sessions])
    cuts = [int(np.searchsorted(years, turn)) for turn in TURNS]
    cuts = [cut for cut in cuts if FEWEST <= cut < len(sessions)]
    return tuple(Block(range(cut), range(cut, stop)) for cut, stop in zip(cuts, [*cuts[1:], len(sessions)], strict=True))
