"""The first state: history is folded session by session, so that every score in the pool is out of sample."""

from collections.abc import Callable, Mapping

import numpy as np

from riskd.core.advance import KEPT, SPACING, SPARE, anchored, moved, ordinals, scored, window
from riskd.core.arrays import Floats, frozen
from riskd.core.books import with_books
from riskd.core.forecaster import MarketState
from riskd.core.limits import Standing
from riskd.core.market import ReturnTable
from riskd.core.proxy import proxied
from riskd.core.quality.doubt import Doubt
from riskd.core.refit import EVERY, refitted, unfitted
from riskd.core.rules import Rules
from riskd.core.state import Anchor, LimitKey, State, Stream
from riskd.core.vintage import vintage
from riskd.errors import DataError, ModelError

Progress = Callable[[int, int], None]  # done, of how many
REACH = KEPT + 2 * SPACING  # newest sessions in which every anchor in reach lies


def warm_state(
    rules: Rules,
    table: ReturnTable,
    standings: Mapping[LimitKey, Standing] | None = None,
    progress: Progress = lambda done, total: None,
    doubts: tuple[Doubt, ...] = (),
    sources: tuple[str, ...] = (),
    told: int = 0,
) -> State:
    """The state after the last session of ``table``; open episodes in ``standings`` are taken over.

    Raises DataError when the table has fewer sessions than the forecaster and the score pool need, ModelError
    when the forecaster scores a return as not finite; a rival that does is out of the race.
    """
    if len(table) < rules.warm_up:
        raise DataError(
            f"{len(table)} common sessions of returns for {len(table.symbols)} symbols, the model needs {rules.warm_up}: "
            "give longer history or drop the symbol that starts last"
        )
    champion, lanes, anchors, fits = _folded(rules, table, progress)
    return State(
        basis=rules.basis,
        session=table.sessions[-1],
        rows=len(table),
        recent=table.sessions[-min(KEPT, len(champion.scores)) :],
        anchors=anchors,
        market=champion.market,
        scores=champion.scores,
        log_returns=frozen(table.log_returns[-window(rules) - SPARE :]),
        fits=fits,
        days=ordinals(table.sessions[-len(champion.scores) :]),
        vintage=vintage("", table.sessions[-1], table.log_returns[-rules.scenarios.pool :]),
        told=told,
        sources=sources,
        out=_out(table),
        doubts=doubts,
        standings=dict(standings or {}),
        lanes=lanes,
    )


def _folded(
    rules: Rules, table: ReturnTable, progress: Progress
) -> tuple[Stream, tuple[Stream, ...], tuple[Anchor, ...], Floats]:
    """The champion after the table, every rival, the anchors on the way, and the newest fits."""
    runs, spin_ups = 1 + len(rules.lanes), [own.forecaster.spin_up for own in (rules, *rules.in_lanes)]
    champion, markets = _followed(rules, table, _share(progress, 0, runs))
    rivals = [_lane(own, table, _share(progress, i, runs)) for i, own in enumerate(rules.in_lanes, start=1)]
    fits = _fitted(rules, table.log_returns)
    anchors: tuple[Anchor, ...] = ()
    for row in range(max(len(table) - REACH, *spin_ups), len(table)):
        anchors = anchored(anchors, Anchor(row, markets[row], fits[row], tuple(own[row] for _, own in rivals)))
    return champion, tuple(stream for stream, _ in rivals), anchors, fits[len(table)]


def _followed(rules: Rules, table: ReturnTable, progress: Progress) -> tuple[Stream, dict[int, MarketState]]:
    """The market after the table and the scores since the forecaster may be trusted; the markets before the newest rows."""
    returns, spin_up = table.log_returns, rules.forecaster.spin_up
    keep = window(rules)
    first = with_books(rules.books, proxied(returns[:spin_up]))
    market = rules.forecaster.start(np.where(np.isfinite(first), first, 0.0), len(rules.symbols))
    scores: list[Floats] = []
    markets = {}
    for row, r in enumerate(returns[spin_up:], start=spin_up):
        past = returns[max(0, row - keep) : row]
        if row >= rules.forecaster.warm_up:
            scores.append(scored(rules, market, r, past, table.sessions[row]))
        if row >= len(returns) - REACH:
            markets[row] = market
        market = moved(rules, market, r, past)
        progress(row + 1, len(returns))
    return Stream(market, frozen(np.asarray(scores[-rules.scenarios.pool - SPARE :]))), markets


def _lane(rules: Rules, table: ReturnTable, progress: Progress) -> tuple[Stream, dict[int, MarketState]]:
    """The same of a rival; where its model fails, the reason, and markets without arrays."""
    try:
        return _followed(rules, table, progress)
    except ModelError as error:
        nothing, columns = MarketState({}), len(rules.symbols) + len(rules.books)
        return Stream(nothing, frozen(np.empty((0, columns))), str(error)), dict.fromkeys(range(len(table)), nothing)


def _share(progress: Progress, run: int, runs: int) -> Progress:
    """``progress`` of one of several runs, told of all of them."""
    return lambda done, total: progress(run * total + done, runs * total)


def _fitted(rules: Rules, returns: Floats) -> dict[int, Floats]:
    """GARCH parameters in force after each of the newest counts of returns, the last of which is all of them."""
    keep, fits = window(rules), unfitted(rules)
    found = {}
    for row in range(max(rules.forecaster.spin_up, len(returns) - REACH - EVERY), len(returns)):
        found[row] = fits
        fits = refitted(rules, fits, row + 1, returns[max(0, row + 1 - keep) : row + 1])
    return found | {len(returns): fits}


def _out(table: ReturnTable) -> dict[str, int]:
    """For how many sessions each symbol has had no return, where it has none at the end."""
    known = np.isfinite(table.log_returns)
    ago = np.where(known.any(axis=0), known[::-1].argmax(axis=0), len(table))
    return {symbol: int(n) for symbol, n in zip(table.symbols, ago, strict=True) if n}
