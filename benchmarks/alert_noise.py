"""How many alerts a year the life of a limit makes on the demo's books from 1991 to 2022, beside a naive threshold.

    python benchmarks/alert_noise.py [--share 0.9] [--soon 10]

Both see the same estimates: each book's CVaR of one session by filtered historical simulation, its residuals those of an
exponentially weighted variance (lambda 0.94) over the 1500 sessions before. That is not the demo's network, which learnt from a
part of these years; it moves faster, so there is more to cross. The naive rule fires whenever CVaR is at or above the limit and
clears whenever it is not. riskd's own judge and news decide when it fires, clears, escalates and reminds; nobody acknowledges.
Limits: the demo's, and one at the ``--share`` quantile of each book's own CVaR, which is crossed all the time. A false clear is
followed by another breach within ``--soon`` sessions. The error of the computation is that of 20,000 paths.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from riskd.app.kit import portfolio_of
from riskd.core.arrays import Floats
from riskd.core.events import AlertKind
from riskd.core.limits import Basis, Standing, judge
from riskd.core.news import Moment, told
from riskd.core.portfolio import Limit
from riskd.core.rules import AlertRules
from riskd.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
PRICES = ROOT / "examples" / "prices" / "us-stocks-1990-2022.csv.gz"
DECAY, WINDOW, SPIN_UP, PATHS, YEAR = 0.94, 1500, 250, 20_000, 252


@dataclass(frozen=True)
class Series:
    """Of one book: CVaR of the session after each, and the standard error that drawing it would have."""

    name: str
    limit: Limit
    sessions: tuple[str, ...]
    cvar: Floats
    error: Floats


@dataclass(frozen=True)
class Counted:
    """What one rule said: breaches opened, all messages, and how many of its clears were followed by a breach soon."""

    opened: int
    messages: int
    clears: int
    false: int

    def row(self, years: float) -> str:
        return f"{self.opened / years:8.2f} {self.messages / years:10.2f} {self.clears:7} {self.false:6}"


def series() -> Iterator[Series]:
    """The demo's books at their first limit over one session."""
    settings = load_settings(ROOT / "config" / "demo.toml")
    table = pd.read_csv(PRICES, index_col=0)
    moves = table.loc[:, list(settings.symbols)].pct_change().to_numpy(float)[1:]
    sessions = tuple(str(s) for s in table.index[1:])
    for book in settings.portfolios:
        portfolio = portfolio_of(book, settings)
        limit = next(m for m in portfolio.limits if m.horizon == 1)
        returns = moves @ portfolio.weights
        cvar, error = estimates(returns, limit.level)
        yield Series(book.name, limit, sessions[SPIN_UP:], cvar, error)


def estimates(returns: Floats, level: float) -> tuple[Floats, Floats]:
    """CVaR after each session from the spin-up on, and its error with so many paths; both (sessions,)."""
    start = float(np.mean(returns[:SPIN_UP] ** 2))
    later, _ = lfilter([1 - DECAY], [1, -DECAY], returns**2, zi=[DECAY * start])
    sigma = np.sqrt(np.concatenate([[start], later]))
    residuals = returns / sigma[:-1]
    found = [_tail(residuals[max(0, t - WINDOW) : t], level) for t in range(SPIN_UP, len(returns))]
    tail = np.array(found) * sigma[SPIN_UP + 1 :, None]
    return tail[:, 0], tail[:, 1]


def _tail(residuals: Floats, level: float) -> tuple[float, float]:
    worst = np.sort(-residuals)[-max(1, round((1 - level) * len(residuals))) :]
    value, edge = float(worst.mean()), float(worst[0])
    spread = float(worst.var()) + level * (value - edge) ** 2
    return value, float(np.sqrt(spread / ((1 - level) * PATHS)))


def naive(seen: Series, soon: int) -> Counted:
    """Fires at or above the limit, clears below it."""
    over = seen.cvar >= seen.limit.max_cvar
    turns = np.diff(over.astype(int), prepend=0)
    opened, clears = np.flatnonzero(turns > 0), np.flatnonzero(turns < 0)
    return Counted(len(opened), len(opened) + len(clears), len(clears), _false(opened.tolist(), clears.tolist(), soon))


def lived(seen: Series, soon: int, alerts: AlertRules) -> Counted:
    """The same figures through riskd's judge and news."""
    standing, kinds = Standing(), Counter[AlertKind]()
    opened, clears = list[int](), list[int]()
    basis = Basis("fhs", "none", "held", seen.limit)
    for row, (session, cvar, error) in enumerate(zip(seen.sessions, seen.cvar, seen.error, strict=True)):
        standing = judge(seen.limit, standing, float(cvar), float(error), True, session, None, basis)
        standing, news = told(seen.limit, standing, Moment(session), alerts.escalate_after)
        kinds += Counter(item.kind for item in news)
        opened += [row for item in news if item.kind is AlertKind.BREACH_OPENED]
        clears += [row for item in news if item.kind is AlertKind.BREACH_CLOSED]
    return Counted(len(opened), kinds.total(), len(clears), _false(opened, clears, soon))


def _false(opened: list[int], clears: list[int], soon: int) -> int:
    return sum(any(clear < row <= clear + soon for row in opened) for clear in clears)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.9, help="the quantile of a book's own CVaR that is its second limit")
    parser.add_argument("--soon", type=int, default=10, help="sessions after a clear within which a breach makes it a false one")
    wanted = parser.parse_args()
    print(f"{'book':8} {'limit':>7} {'rule':12} {'opened/y':>8} {'messages/y':>10} {'clears':>7} {'false':>6}")
    quiet = AlertRules(escalate_after=10**9)
    for seen in series():
        years = len(seen.sessions) / YEAR
        tight = replace(seen, limit=replace(seen.limit, max_cvar=float(np.quantile(seen.cvar, wanted.share))))
        for case in (seen, tight):
            name = f"{case.name:8} {case.limit.max_cvar:7.2%}"
            print(f"{name} {'naive':12} {naive(case, wanted.soon).row(years)}")
            print(f"{name} {'riskd':12} {lived(case, wanted.soon, AlertRules()).row(years)}")
            print(f"{name} {'acknowledged':12} {lived(case, wanted.soon, quiet).row(years)}")
    print(f"{len(seen.sessions)} sessions, {seen.sessions[0]} to {seen.sessions[-1]}; acknowledged: riskd without its reminders")


if __name__ == "__main__":
    main()
