"""The two views of every portfolio's own history, from what the fold remembers: the network's and GJR-GARCH's."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from riskd.core.advance import window
from riskd.core.arrays import Floats
from riskd.core.book_forecast import BookForecast, Sample, book_forecast
from riskd.core.books import book_returns
from riskd.core.challengers.gjr_fhs import gjr_samples, loss
from riskd.core.challengers.past import Past
from riskd.core.proxy import complete
from riskd.core.rules import Rules
from riskd.core.scenarios.bank import simulated
from riskd.core.scenarios.filtered_bootstrap import rows_of
from riskd.core.state import State

PATHS = 10_000  # of every portfolio's own history beyond one session


def past_of(rules: Rules, state: State) -> Past:
    """What the challengers are told."""
    returns = complete(state.log_returns[-window(rules) :])
    return Past(returns, book_returns(rules.portfolios, returns), state.fits, rules.portfolios, state.rows)


def pool_of(rules: Rules, state: State) -> Floats:
    """The newest scores (sessions, symbols + portfolios), those that the figures of the session rest on."""
    return state.scores[-rules.scenarios.pool :]


class Rows:
    """Draws whole rows of a pool and remembers which; one object is one simulation."""

    def __init__(self, pool: Floats) -> None:
        self._pool = pool
        self.drawn: list[NDArray[np.intp]] = []

    def draw(self, random: np.random.Generator, sessions: int, paths: int) -> Floats:
        rows = rows_of(random, sessions, paths, len(self._pool))
        self.drawn.append(rows)
        return self._pool[rows]

    def exact(self) -> Floats:
        return self._pool


def book_forecasts(rules: Rules, state: State, past: Past, seed: int, horizons: tuple[int, ...]) -> dict[str, BookForecast]:
    """The forecast of every portfolio; empty where the forecaster takes no portfolio for an asset."""
    if not rules.books:
        return {}
    symbols = len(rules.symbols)
    net = _network_samples(rules, state, seed, horizons)
    found = {}
    for i, portfolio in enumerate(rules.books):
        steady = gjr_samples(past.gjr(i), past.books[:, i], horizons, past.turn, seed)
        views = {h: [s for s in (net[symbols + i][h], steady[h]) if np.isfinite(s.losses).all()] for h in horizons}
        if np.isfinite(pool_of(rules, state)[:, symbols + i]).sum() >= rules.scenarios.least_pool and all(views.values()):
            found[portfolio.name] = book_forecast(views)
    return found


def _network_samples(rules: Rules, state: State, seed: int, horizons: tuple[int, ...]) -> dict[int, dict[int, Sample]]:
    """column -> horizon -> the network's sample of that portfolio."""
    symbols, columns = len(rules.symbols), state.scores.shape[1]
    pool = np.roll(complete(pool_of(rules, state)), state.rows, axis=0)
    found: dict[int, dict[int, Sample]] = {c: {} for c in range(symbols, columns)}
    if 1 in horizons:
        r = rules.forecaster.forecast(state.market).from_score(pool)
        for c in found:
            found[c][1] = Sample(loss(r[:, c]), np.arange(len(pool))[:, None], len(pool), drawn=False)
    longer = tuple(h for h in horizons if h > 1)
    if longer:
        sampler = Rows(pool)
        paths = min(PATHS, rules.scenarios.paths)
        totals = simulated(rules.forecaster, state.market, sampler, paths, longer, seed + 1)
        rows = np.concatenate(sampler.drawn, axis=1)  # (sessions, paths)
        for c in found:
            found[c] |= {h: Sample(loss(totals[h][:, c]), rows[:h].T, len(pool), drawn=True) for h in longer}
    return found


def forecast_before(rules: Rules, state: State) -> dict[str, BookForecast]:
    """What was forecast of every portfolio for the newest session, from the prices before it as they are known now."""
    if len(state.scores) < 2 or not state.anchors:
        return {}
    anchor = state.anchors[-1]
    eve = replace(
        state,
        market=anchor.market,
        fits=anchor.fits,
        rows=anchor.row,
        scores=state.scores[:-1],
        log_returns=state.log_returns[:-1],
    )
    return book_forecasts(rules, eve, past_of(rules, eve), 0, (1,))
