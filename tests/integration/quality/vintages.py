"""Downloads of real days, laid out as the windows that judgement sees: what was known after each, and for how long."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskd.core.quality.examine import examine, examine_history
from riskd.core.quality.judged import JudgedPrices
from riskd.core.quality.revision import Revision, classify
from riskd.core.quality.window import PriceWindow

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
ROWS = 61


def window_of(closes: Any, ages: Any = None, **parts: Any) -> PriceWindow:
    """A window of a frame of closes (dates x symbols); an absent close is a session that the exchange did not have."""
    values = closes.to_numpy(float)
    none = np.zeros(values.shape, dtype=np.bool_)
    given = {
        "dividends": np.zeros(values.shape),
        "open": ~np.isnan(values),
        "approved": none,
        "rejected": none,
        "age": np.arange(len(values))[::-1, None] + np.zeros(values.shape, dtype=int) if ages is None else ages.to_numpy(int),
        "second": np.full(values.shape, np.nan),
        **parts,
    }
    sessions = tuple(day.date() for day in closes.index)
    return PriceWindow(tuple(map(str, closes.columns)), sessions, values, sources=("yahoo",) * values.shape[1], **given)


@dataclass(slots=True)
class Replay:
    """The store, the returns in use and everything that was said, session after session."""

    closes: Any  # (dates, symbols) as known now
    heard: Any  # the number of the session with which each value standing now was first heard
    used: Any  # (dates, symbols) log returns in use
    revisions: list[Revision]
    judged: list[JudgedPrices]
    count: int = 0

    @classmethod
    def start(cls, first: Any) -> "Replay":
        """Warm up on the first answer."""
        heard = pd.DataFrame(0, index=first.index, columns=first.columns)
        used = pd.DataFrame(np.nan, index=first.index, columns=first.columns)
        used.iloc[1:] = examine_history(window_of(first))[0]
        return cls(first, heard, used, [], [])

    def hear(self, answer: Any) -> JudgedPrices:
        """Store one answer (dates x symbols), name what it changed, judge each session that it brings, oldest first."""
        self.count += 1
        days = self.closes.index.union(answer.index)
        known = self.closes.reindex(days)
        for symbol in answer:
            told = answer[symbol].dropna()
            old = known.loc[told.index, symbol].to_numpy()
            sessions = [day.date() for day in told.index]
            self.revisions += classify(str(symbol), "close", "yahoo", sessions, old, told.to_numpy())
        said = answer.reindex(days)
        changed = said.notna() & ~((said / known - 1).abs() <= 1e-7)
        fresh = [day for day in days if day not in self.closes.index]
        self.heard = self.heard.reindex(days).mask(changed, self.count)
        self.closes = known.mask(changed, said)
        self.used = self.used.reindex(days)
        for newest in fresh or [days[-1]]:
            self._judge(newest)
        return self.judged[-1]

    def _judge(self, newest: Any) -> None:
        closes = self.closes.loc[:newest].iloc[-ROWS:]
        ages = (self.count - self.heard.loc[closes.index]).fillna(0)
        before = self.used.loc[: closes.index[0]].iloc[:-1].to_numpy()
        judged = examine(window_of(closes, ages), self.used.loc[closes.index].to_numpy(), before)
        for correction in judged.corrections:
            self.used.loc[pd.Timestamp(correction.session), correction.symbol] = correction.new
        self.used.loc[newest] = judged.returns
        self.judged.append(judged)


def worst_days(count: int = 20) -> list[date]:
    """The worst sessions of the S&P 500 since 1990, worst first."""
    index = pd.read_csv(SHARED / "pypi_bundled" / "skfolio_sp500_index_1990_2022.csv.gz", index_col=0, parse_dates=True)
    return [day.date() for day in index.iloc[:, 0].pct_change().nsmallest(count).index]
