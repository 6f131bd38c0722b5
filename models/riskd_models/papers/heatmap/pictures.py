"""Samples of the heat-map study: what was seen up to a session, and how volatile the ten sessions after it turned out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.forecast.heat_features import FEATURES, FLOOR, LOOKBACK, RETURNS, SESSIONS, features, rolled
from riskd_models.papers.heatmap.markets import Market

AHEAD = 10  # sessions whose volatility is forecast
REGIMES = ("bull", "bear", "volatile")
UNKNOWN = -1  # too little past to tell the regime
STORMY, TREND, LEAST = 0.8, 200, 500  # quantile of past volatility, sessions of the trend, sessions before a regime is told
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """A row a picture: ``seen`` (n, SESSIONS, FEATURES) up to ``session``, ``target`` the log volatility from then to ``until``.

    Sessions are ordinals of dates; ``series`` and ``regime`` are places in ``names`` and REGIMES; ``following`` is the log
    return of the session after.
    """

    seen: Floats
    target: Floats
    following: Floats
    session: Ints
    until: Ints
    series: Ints
    regime: Ints
    names: tuple[str, ...]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.target)

    def at(self, rows: NDArray[np.bool_] | Ints) -> Self:
        """Some of them."""
        picked = {name: getattr(self, name)[rows] for name in COLUMNS}
        return type(self)(**picked, names=self.names, classes=self.classes)

    def of_class(self, kind: str) -> NDArray[np.bool_]:
        """Which rows are of series of one class, (n,)."""
        return np.array([name == kind for name in self.classes])[self.series]

    def between(self, first: date, last: date) -> NDArray[np.bool_]:
        """Which rows were made from ``first`` on and before ``last``, (n,)."""
        return (self.session >= first.toordinal()) & (self.session < last.toordinal())

    def with_target(self, target: Floats, until: Ints) -> Self:
        """The same pictures with another target (n,), known at ``until``."""
        return replace(self, target=target, until=until)

    def newest(self, feature: str) -> Floats:
        """A feature at the last session of each picture, (n,)."""
        return self.seen[:, -1, FEATURES.index(feature)]


COLUMNS = ("seen", "target", "following", "session", "until", "series", "regime")


def pictures_of(market: Market, every: int, first: int = 0) -> Pictures:
    """A picture of every series at every ``every``-th session; with AHEAD or more the ten sessions after them do not overlap."""
    shown = features(market.returns.T, market.share)  # (series, sessions - LOOKBACK + 1, FEATURES)
    origins = np.arange(RETURNS - 1 + first, len(market.returns) - AHEAD, every)
    back = origins[:, None] - (LOOKBACK - 1) + np.arange(1 - SESSIONS, 1)  # (origins, SESSIONS)
    count, ordinals = len(market.series), np.array([session.toordinal() for session in market.sessions])
    return Pictures(
        seen=shown[:, back].transpose(1, 0, 2, 3).reshape(-1, SESSIONS, len(FEATURES)),
        target=log_volatility_ahead(market.returns)[origins].ravel(),
        following=market.returns[origins + 1].ravel(),
        session=np.repeat(ordinals[origins], count),
        until=np.repeat(ordinals[origins + AHEAD], count),
        series=np.tile(np.arange(count), len(origins)),
        regime=np.repeat(regimes(market)[origins], count),
        names=market.series,
        classes=market.classes,
    )


def log_volatility_ahead(returns: Floats) -> Floats:
    """Of each session, log of the root mean square of the AHEAD returns after it; (sessions, series), NaN at the end."""
    sums = rolled((returns**2).T, AHEAD).T
    ahead = np.full_like(returns, np.nan)
    ahead[:-AHEAD] = np.log(sums[AHEAD:] / AHEAD + FLOOR**2) / 2
    return ahead


def regimes(market: Market) -> Ints:
    """Of each session, told from the past alone: volatile, else bear below the mean of TREND sessions, else bull; (sessions,).

    Volatile: the volatility of the assets' mean over 22 sessions is above the STORMY quantile of what it ever was before.
    """
    mean = market.returns[:, : market.assets].mean(axis=1)
    level, trend = np.cumsum(mean), rolled(np.cumsum(mean), TREND) / TREND
    volatility = np.sqrt(rolled(mean**2, LOOKBACK))
    found = np.full(len(mean), UNKNOWN)
    for t in range(LEAST, len(mean)):
        stormy = volatility[t] > np.quantile(volatility[LOOKBACK - 1 : t], STORMY)
        found[t] = REGIMES.index("volatile" if stormy else "bear" if level[t] < trend[t] else "bull")
    return found


def joined(parts: Sequence[Pictures]) -> Pictures:
    """The pictures of several markets; a series keeps its name and class."""
    offsets = np.cumsum([0, *(len(part.names) for part in parts[:-1])])
    columns = _columns(parts)
    columns["series"] = np.concatenate([part.series + offset for part, offset in zip(parts, offsets, strict=True)])
    names, classes = (tuple(x for part in parts for x in getattr(part, name)) for name in ("names", "classes"))
    return Pictures(**columns, names=names, classes=classes)


def stacked(parts: Sequence[Pictures]) -> Pictures:
    """Pictures of the same series, one part after the other."""
    return Pictures(**_columns(parts), names=parts[0].names, classes=parts[0].classes)


def _columns(parts: Sequence[Pictures]) -> dict[str, Any]:
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
