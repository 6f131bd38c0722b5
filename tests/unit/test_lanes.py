"""Rivals that run beside the champion: exactly what they would be as champion, and never at its cost."""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core.advance import corrected, extended
from riskd.core.arrays import Floats, frozen
from riskd.core.events import Outcome
from riskd.core.forecaster import MarketState
from riskd.core.glance import Glance
from riskd.core.quality.judged import Correction
from riskd.core.rules import Lane, Rules
from riskd.core.state import State, pack, unpack
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.errors import DataError, ModelError
from riskd.testing import EwmaForecaster

pytestmark = pytest.mark.unit
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=200)
QUICK = Lane("quick", EwmaForecaster(decay=0.8, identity="quick@test", warm_up=45, spin_up=35), "t-copula")
ALONE = Lane("alone", EwmaForecaster(decay=0.98, identity="alone@test", follows_books=False))
NAN = np.nan


@dataclass(frozen=True, slots=True)
class Brittle(EwmaForecaster):
    """Cannot take a market return beyond ``most``; ``sessions`` at once at most when it simulates."""

    identity: str = "brittle@test"
    most: float = 0.3
    sessions: int = 99

    def advance(self, state: MarketState, log_returns: Floats) -> MarketState:
        if state.paths == 1 and (np.abs(log_returns) > self.most).any():
            raise ModelError(f"{self.identity}: too much")
        return EwmaForecaster.advance(self, state, log_returns)

    def simulate(self, state: MarketState, scores: Floats) -> Floats:
        if len(scores) > self.sessions:
            raise ModelError(f"{self.identity}: too long")
        return EwmaForecaster.simulate(self, state, scores)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return small_rules(max_cvar=0.05, pool=180, paths=500, challengers=("historical",))


@pytest.fixture(scope="module")
def both(rules: Rules) -> Rules:
    return replace(rules, lanes=(QUICK, ALONE))


@pytest.fixture(scope="module")
def warm(both: Rules) -> State:
    return warm_state(both, TABLE)


def days(rules: Rules, state: State, moves: list[list[float]]) -> tuple[State, Outcome]:
    """The state after ``moves`` and what was said of the last one."""
    outcome = Outcome(state.session)
    for move in moves:
        state, outcome = step(rules, state, closed(state.session + timedelta(days=1), move))
    return state, outcome


def folded(rules: Rules, state: State, moves: list[list[float]]) -> State:
    """The state alone, without a figure."""
    for move in moves:
        state = extended(rules, state, state.session + timedelta(days=1), frozen(np.log1p(move)))
    return state


def moves_of(count: int, seed: int = 3) -> list[list[float]]:
    return np.random.default_rng(seed).normal(0, 0.01, (count, 3)).tolist()


def same_lanes(a: State, b: State) -> None:
    """Every lane bit for bit, and every anchor's."""
    pairs = [(x.market, y.market) for x, y in zip(a.lanes, b.lanes, strict=True)]
    for before, after in zip(a.anchors, b.anchors, strict=True):
        pairs += zip(before.lanes, after.lanes, strict=True)
    for x, y in pairs:
        assert x.arrays.keys() == y.arrays.keys()
        for name, array in x.arrays.items():
            np.testing.assert_array_equal(array, y.arrays[name])
    for one, other in zip(a.lanes, b.lanes, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)
        assert one.fault == other.fault


def rival_figures(outcome: Outcome, name: str) -> list[tuple[float, float]]:
    found = [next(r for r in f.challengers if r.name == name) for f in outcome.reports[0].figures]
    return [(r.var, r.cvar) for r in found]


@pytest.mark.parametrize("lane", [QUICK, ALONE], ids=lambda lane: lane.name)
def test_a_rival_is_what_it_would_be_as_champion(rules: Rules, both: Rules, warm: State, lane: Lane) -> None:
    """Market, scores, VaR and CVaR at every level and horizon, bit for bit, through missing prices too."""
    moves = moves_of(30)
    moves[7][1] = moves[8][1] = NAN
    champion = replace(rules, forecaster=lane.forecaster, scenarios=replace(rules.scenarios, model=lane.model))
    beside, told = days(both, warm, moves)
    alone, figures = days(champion, warm_state(champion, TABLE), moves)
    stream = beside.lanes[both.lanes.index(lane)]
    np.testing.assert_array_equal(stream.market.arrays["variance"], alone.market.arrays["variance"])
    np.testing.assert_array_equal(stream.scores, alone.scores)
    assert rival_figures(told, lane.name) == [(f.var, f.cvar) for f in figures.reports[0].figures]


def named(seen: Glance | None, state: State) -> Glance:
    """What was seen, under the name of the rules of ``state``."""
    assert seen is not None and state.glance is not None
    return replace(seen, basis=state.glance.basis)


def test_the_champion_does_not_notice(rules: Rules, both: Rules, warm: State) -> None:
    """With rivals and without: the same market, scores, limits and figures but for the challengers, who are two more."""
    beside, told = days(both, warm, moves_of(20))
    alone, expected = days(rules, warm_state(rules, TABLE), moves_of(20))
    bare = replace(beside, basis=alone.basis, lanes=(), anchors=tuple(replace(a, lanes=()) for a in beside.anchors))
    bare = replace(bare, glance=named(beside.glance, alone), eve=replace(beside.eve, glance=named(beside.eve.glance, alone)))
    assert pack(bare) == pack(alone)
    (found,), (wanted,) = told.reports, expected.reports
    assert found.limits == wanted.limits
    for f, g in zip(found.figures, wanted.figures, strict=True):
        assert [r.name for r in f.challengers[-2:]] == ["quick", "alone"]
        assert replace(f, challengers=f.challengers[:-2]) == g
        assert all(math.isfinite(r.var) and 0 < r.var < r.cvar for r in f.challengers)


@pytest.mark.parametrize("ago", [1, 2, 15, 40, 75])
def test_a_corrected_return_is_as_if_every_rival_had_known_it(both: Rules, warm: State, ago: int) -> None:
    """A return that was wrong by a factor of ninety: nothing of it is left in any lane."""
    true = moves_of(80)
    wrong = [list(move) for move in true]
    wrong[-ago][1] = -0.9
    right, hurt = folded(both, warm, true), folded(both, warm, wrong)
    change = Correction(right.recent[-ago], "BBB", float(np.log1p(-0.9)), float(np.log1p(true[-ago][1])))
    assert not np.array_equal(hurt.lanes[0].scores, right.lanes[0].scores)
    same_lanes(corrected(both, hurt, (change,)), right)


def test_interruption_changes_no_lane(both: Rules, warm: State) -> None:
    """Written and read between any two sessions, the same bytes at the end; and packing is reversible."""
    through, interrupted = warm, warm
    for move in moves_of(10):
        through, a = days(both, through, [move])
        interrupted, b = days(both, unpack(pack(interrupted)), [move])
        assert a == b
    assert pack(through) == pack(interrupted)
    same_lanes(unpack(pack(through)), through)


def test_a_rival_that_cannot_take_a_session_loses_that_session(rules: Rules) -> None:
    """It has no figure and a note says why; the champion's are as without it; the next session it is back; a correction heals."""
    brittle = replace(rules, lanes=(Lane("brittle", Brittle()), ALONE))
    warm = warm_state(brittle, TABLE)
    crash = [0.0, -0.4, 0.0]
    hurt, told = days(brittle, warm, [crash])
    _, expected = days(rules, warm_state(rules, TABLE), [crash])
    assert [(f.var, f.cvar, f.cvar_error) for f in told.reports[0].figures] == [
        (f.var, f.cvar, f.cvar_error) for f in expected.reports[0].figures
    ]
    assert told.reports[0].limits == expected.reports[0].limits
    assert np.isnan(rival_figures(told, "brittle")).all()
    assert np.isfinite(rival_figures(told, "alone")).all()
    assert "challenger brittle has no figures: brittle@test: too much" in told.reports[0].notes
    assert hurt.lanes[0].market is warm.lanes[0].market
    assert np.isnan(hurt.lanes[0].scores[-1]).all()
    after, back = days(brittle, unpack(pack(hurt)), [[0.01, 0.0, 0.0]])
    assert np.isfinite(rival_figures(back, "brittle")).all()
    assert not [note for note in back.reports[0].notes if "brittle" in note]
    change = Correction(hurt.session, "BBB", float(np.log1p(-0.4)), 0.0)
    same_lanes(corrected(brittle, after, (change,)), days(brittle, warm, [[0.0] * 3, [0.01, 0.0, 0.0]])[0])


def test_a_rival_that_cannot_simulate_has_no_figures(rules: Rules) -> None:
    """It is told so and the champion's figures stand; its market and scores go on."""
    brittle = replace(rules, lanes=(Lane("brittle", Brittle(sessions=4)),))
    state, told = days(brittle, warm_state(brittle, TABLE), moves_of(1))
    assert np.isnan(rival_figures(told, "brittle")).all()
    assert all(math.isfinite(f.cvar) and math.isfinite(f.challenger_cvar) for f in told.reports[0].figures)
    assert "challenger brittle has no figures: brittle@test: too long" in told.reports[0].notes
    assert (state.lanes[0].fault, np.isfinite(state.lanes[0].scores).all()) == ("", True)


def test_a_rival_that_took_too_few_sessions_has_no_figures(both: Rules, warm: State) -> None:
    """Back after a long silence it waits until its pool is as large as the champion's must be."""
    least, scores = both.scenarios.least_pool, warm.lanes[1].scores.copy()
    scores[: -least + 2] = NAN
    silent = replace(warm, lanes=(warm.lanes[0], replace(warm.lanes[1], scores=frozen(scores))))
    state, told = days(both, silent, moves_of(1))
    assert np.isnan(rival_figures(told, "alone")).all()
    reason = f"it took {least - 1} of the newest sessions, {least} are needed"
    assert f"challenger alone has no figures: {reason}" in told.reports[0].notes
    assert np.isfinite(rival_figures(days(both, state, moves_of(1))[1], "alone")).all()


def test_a_rival_that_fails_in_the_warm_up_is_out(rules: Rules) -> None:
    """The champion warms up, folds and is corrected as without it; every report says what the rival died of."""
    brittle = replace(rules, lanes=(Lane("brittle", Brittle(most=1e-6)), QUICK))
    state, told = days(brittle, warm_state(brittle, TABLE), moves_of(20))
    alone, _ = days(rules, warm_state(rules, TABLE), moves_of(20))
    assert "challenger brittle has no figures: brittle@test: too much" in told.reports[0].notes
    assert np.isfinite(rival_figures(told, "quick")).all()
    column = state.log_returns[-5, 0]
    again = corrected(brittle, unpack(pack(state)), (Correction(state.recent[-5], "AAA", column, column),))
    assert pack(again) == pack(state)
    np.testing.assert_array_equal(again.scores, alone.scores)
    assert (again.lanes[0].market.arrays, again.lanes[0].fault) == ({}, "brittle@test: too much")


def test_a_champion_that_fails_takes_no_rival_with_it(rules: Rules) -> None:
    """A session that the champion cannot take is lost to all; the next one has figures of both."""
    odd = replace(rules, forecaster=Brittle(), lanes=(QUICK,))
    warm = warm_state(odd, TABLE)
    state, told = days(odd, warm, [[0.0, -0.4, 0.0]])
    assert (told.reports[0].figures, state.lanes) == ((), warm.lanes)
    _, told = days(odd, state, moves_of(1))
    assert np.isfinite(rival_figures(told, "quick")).all()


def test_what_the_hashes_know_of_rivals(rules: Rules, both: Rules) -> None:
    """Another forecaster in a lane needs another warm-up; another name, scenario model or count only another identity."""
    other = replace(rules, lanes=(replace(QUICK, forecaster=EwmaForecaster(identity="other@test")), ALONE))
    renamed = replace(rules, lanes=(replace(QUICK, name="swift"), ALONE))
    drawn = replace(rules, lanes=(replace(QUICK, model="block-bootstrap"), ALONE))
    fewer = replace(rules, lanes=(replace(QUICK, paths=300), ALONE))
    assert len({r.basis for r in (rules, both, other)}) == 3
    assert {r.basis for r in (both, renamed, drawn, fewer)} == {both.basis}
    every = (rules, both, other, renamed, drawn, fewer)
    assert len({r.identity for r in every}) == len(every)
    assert {r.seed("A") for r in every} == {rules.seed("A")}


def test_the_slowest_decides_how_much_history_is_needed(rules: Rules) -> None:
    """The warm-up is that of the rival if its is longer, and too short a history is refused."""
    slow = replace(rules, lanes=(Lane("slow", EwmaForecaster(identity="slow@test", warm_up=150)),))
    assert (rules.warm_up, slow.warm_up) == (90, 210)
    with pytest.raises(DataError, match="needs 210"):
        warm_state(slow, TABLE)


def test_a_lane_has_its_own_smaller_bank(rules: Rules) -> None:
    """The fewer of its own paths and the champion's, the champion's horizons and levels, and no lane within a lane."""
    wide = replace(rules, lanes=(QUICK, replace(ALONE, paths=300)), scenarios=replace(rules.scenarios, paths=20_000))
    narrow = replace(wide, scenarios=replace(rules.scenarios, paths=1000))
    assert [own.scenarios.paths for own in wide.in_lanes + narrow.in_lanes] == [4000, 300, 1000, 300]
    (own, _) = wide.in_lanes
    assert (own.scenarios.model, own.lanes) == ("t-copula", ())
    assert (own.scenarios.horizons, own.scenarios.levels) == (wide.scenarios.horizons, wide.scenarios.levels)


def test_the_progress_counts_every_system(both: Rules) -> None:
    """It never goes back, and ends when the last rival is warm."""
    told: list[tuple[int, int]] = []
    warm_state(both, TABLE, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert {total for _, total in told} == {3 * len(TABLE)}
    assert told[-1] == (3 * len(TABLE), 3 * len(TABLE))


def test_a_rival_is_read_on_the_portfolio_in_hand(both: Rules, warm: State) -> None:
    """Twice the position is twice its loss, where it knows no portfolio of its own."""
    _, told = days(both, warm, moves_of(1))
    book = both.portfolios[0]
    double = replace(both, portfolios=(replace(book, weights=frozen(2 * book.weights)),))
    _, twice = days(double, warm_state(double, TABLE), moves_of(1))
    np.testing.assert_allclose(rival_figures(twice, "alone"), 2 * np.array(rival_figures(told, "alone")), rtol=1e-9)
