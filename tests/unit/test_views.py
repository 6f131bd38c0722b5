"""The two views of a portfolio's own history, by hand, and what had been forecast of a session."""

from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import numpy as np
import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core.advance import window
from riskd.core.arrays import frozen
from riskd.core.books import book_returns
from riskd.core.challengers.gjr_fhs import gjr_samples
from riskd.core.portfolio import Portfolio
from riskd.core.rules import Rules
from riskd.core.state import State
from riskd.core.step import bank_of, step
from riskd.core.views import book_forecasts, forecast_before, past_of
from riskd.core.warm import warm_state

pytestmark = pytest.mark.unit
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=400)


@pytest.fixture(scope="module")
def rules() -> Rules:
    """Two portfolios of which the second is long against short."""
    rules = small_rules()
    return replace(rules, portfolios=(*rules.portfolios, Portfolio("apart", frozen([0.6, -0.4, 0.0]), 0.8, ())))


@pytest.fixture(scope="module")
def state(rules: Rules) -> State:
    return warm_state(rules, TABLE)


def test_one_session_by_hand(rules: Rules, state: State) -> None:
    """The network's view: today's volatility times every score; the GARCH's: its residuals; averaged in order."""
    found = book_forecasts(rules, state, past_of(rules, state), 1, (1,))
    assert list(found) == ["book", "apart"]
    for i, name in enumerate(found):
        sigma = np.sqrt(float(state.market.arrays["variance"][0, 3 + i]))
        network = -np.expm1(sigma * state.scores[:, 3 + i])
        history = book_returns(rules.portfolios, TABLE.log_returns)[:, i]
        steady = gjr_samples(past_of(rules, state).gjr(i), history, (1,), state.rows)[1].losses
        assert [len(s.losses) for s in found[name].samples[1]] == [len(network), len(steady)] == [369, 399]
        grid, middles = ((np.arange(count) + 0.5) / count for count in (399, 369))
        wanted = (np.interp(grid, middles, np.sort(network)) + np.sort(steady)) / 2
        np.testing.assert_allclose(found[name].losses[1], wanted, rtol=1e-9, atol=1e-12)


def test_longer_paths_remember_their_rows(rules: Rules, state: State) -> None:
    """Five sessions of the network's view, path by path from the rows it says it drew: the EWMA recursion gives the loss."""
    sample = book_forecasts(rules, state, past_of(rules, state), 7, (5,))["book"].samples[5][0]
    pool = np.roll(state.scores, state.rows, axis=0)[:, 3]
    for path in (0, 600, 999):
        variance, total = np.float32(state.market.arrays["variance"][0, 3]), 0.0
        for row in sample.rows[path]:
            r = np.sqrt(float(variance)) * pool[row]
            total += r
            variance = np.float32(0.94 * variance + 0.06 * r * r)
        assert sample.losses[path] == pytest.approx(-np.expm1(total), rel=1e-5)
    assert sample.drawn and sample.rows.shape == (1000, 5)


@pytest.mark.parametrize("sessions", [400, 381], ids=["same-fits", "fitted-again"])
def test_what_had_been_forecast_is_what_was_told(rules: Rules, sessions: int) -> None:
    """The session after, the forecast for it is found again bit for bit, and it is the one the eve's bank was anchored to."""
    state = warm_state(rules, made_up_table(("AAA", "BBB", "CCC"), sessions=sessions))
    eve = bank_of(rules, state).books
    after, _ = step(rules, state, closed(state.session + timedelta(days=1), -0.02))
    assert (after.fits[3] != state.fits[3]).any() == (sessions == 381)  # 6 * 63 + 3 returns: the turn of column 3
    found = forecast_before(rules, after)
    for name in ("book", "apart"):
        np.testing.assert_array_equal(found[name].losses[1], eve[name].losses[1])


def test_a_full_memory_still_knows_what_the_eve_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pool and returns are full: session after session, with gaps in the oldest rows, the eve's forecast is found bit for bit."""
    for module in ("advance", "refit"):
        monkeypatch.setattr(import_module(f"riskd.core.{module}"), "WINDOW", 40)
    rules = small_rules(pool=200)
    known = TABLE.log_returns.copy()
    known[-200, 0] = known[-160:-158, 1] = np.nan
    state = warm_state(rules, replace(TABLE, log_returns=known))
    assert (len(state.scores), len(state.log_returns), window(rules)) == (201, 201, 200)
    for move in (-0.02, 0.01, 0.0):
        eve = bank_of(rules, state).books["book"]
        state, _ = step(rules, state, closed(state.session + timedelta(days=1), move))
        found = forecast_before(rules, state)["book"]
        for mine, told in zip(found.samples[1], eve.samples[1], strict=True):
            np.testing.assert_array_equal(mine.losses, told.losses)
        np.testing.assert_array_equal(found.losses[1], eve.losses[1])
        assert (len(state.scores), len(state.log_returns), found.samples[1][0].pool) == (201, 201, 200)


def test_without_books_there_is_nothing(rules: Rules, state: State) -> None:
    """A forecaster that follows no portfolio, or a past of one session: no forecast of a portfolio, and none made up."""
    assert forecast_before(rules, replace(state, anchors=())) == {}
    assert forecast_before(rules, replace(state, scores=state.scores[:1])) == {}
    few = replace(state, scores=state.scores[-59:])
    assert book_forecasts(rules, few, past_of(rules, state), 1, (1,)) == {}
