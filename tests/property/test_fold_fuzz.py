"""Random days with everything that prices do: missing, doubted, late, restated, decided on, exchanges shut, restarts."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
import pytest

from conftest import made_up_table, small_rules
from riskd.core.advance import KEPT
from riskd.core.arrays import Floats, frozen
from riskd.core.canonical import canonical_json
from riskd.core.events import AlertKind, Event, FeedTurned, Outcome, PricesChanged, SessionClosed, SessionVoid
from riskd.core.forecaster import MarketState
from riskd.core.grade import Grade
from riskd.core.limits import LimitState, Standing
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.judged import Correction, JudgedPrices
from riskd.core.report import Status
from riskd.core.rules import Rules
from riskd.core.state import State, pack, unpack
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.store.event_text import read_event, write_event
from riskd.testing import EwmaForecaster, NormalForecast

pytestmark = pytest.mark.property
SYMBOLS = ("AAA", "BBB", "CCC")
RULES = replace(small_rules(np.array([0.6, 0.36, 0.04]), max_cvar=0.03, paths=300, horizons=(1,), levels=(0.95,)))
WARM = warm_state(RULES, made_up_table(SYMBOLS, sessions=130))
DAY = timedelta(days=1)
WITHOUT = (Rule.MISSING, Rule.CLOSED, Rule.JUMP, Rule.UNIT, Rule.REJECTED, Rule.RESTATED)


@dataclass
class Days:
    """A fold fed with what chance makes; every event and every text of an outcome is kept."""

    random: np.random.Generator
    rules: Rules = RULES
    state: State = WARM
    lines: list[tuple[Event, str, bytes]] = field(default_factory=list)

    def take(self, event: Event) -> Outcome:
        before = self.state
        self.state, outcome = step(self.rules, before, event)
        self.lines.append((event, canonical_json(outcome), pack(self.state)))
        hold(before, self.state, outcome)
        for due in outcome.follow_ups:
            self.take(due)
        if self.random.random() < 0.2:
            self.state = unpack(pack(self.state))
        return outcome

    def day(self) -> None:
        """A session, or what is told between two."""
        chance = self.random.random()
        if chance < 0.65:
            self.take(self.session())
        elif chance < 0.9 and self.state.session in self.state.recent:
            self.take(self.changed())
        elif chance < 0.95:
            self.take(SessionVoid(self.state.session + DAY, "no exchange had a price"))
        else:
            at = f"2026-01-01T00:00:{len(self.lines):06d}+00:00"
            self.take(FeedTurned(self.state.session, "yahoo", "failing", "three times", at))

    def session(self) -> SessionClosed:
        session = self.state.session + DAY
        scale = 0.06 if self.random.random() < 0.1 else 0.008
        returns, heard, doubts = self.judged(self.random.normal(-scale / 4, scale, 3), session)
        past = self.corrections(self.state.recent[-KEPT:])
        return SessionClosed(session, JudgedPrices(returns, heard, doubts, past))

    def changed(self) -> PricesChanged:
        """The newest session again: some of its closes are known by now, others no longer used."""
        session, used = self.state.session, self.state.log_returns[-1]
        now = np.where(np.isfinite(used), used, self.random.normal(0, 0.01, 3))
        returns, heard, doubts = self.judged(now, session)
        differs = [i for i in range(3) if not (returns[i] == used[i] or np.isnan(returns[i]) and np.isnan(used[i]))]
        newest = tuple(Correction(session, SYMBOLS[i], float(used[i]), float(returns[i])) for i in differs)
        past = self.corrections(self.state.recent[-KEPT:-1])
        return PricesChanged(session, JudgedPrices(returns, heard, doubts, past + newest))

    def judged(self, returns: Floats, session: object) -> tuple[Floats, Floats, tuple[Doubt, ...]]:
        heard, doubts, returns = np.full(3, np.nan), [], returns.copy()
        for i in np.flatnonzero(self.random.random(3) < 0.15).tolist():
            rule = WITHOUT[int(self.random.integers(len(WITHOUT)))]
            returns[i] = np.nan
            doubts.append(Doubt(SYMBOLS[i], session, rule, 12.0, "by chance"))  # type: ignore[arg-type]
            if doubts[-1].quarantined:
                heard[i] = self.random.choice([-9.0, -0.7, -0.1, 0.1, 0.7, 9.0, 600.0])
        return frozen(returns), frozen(heard), tuple(doubts)

    def corrections(self, sessions: tuple[object, ...]) -> tuple[Correction, ...]:
        """Some of the past is now known otherwise, or no longer used."""
        if self.random.random() > 0.3:
            return ()
        rows = sorted(self.random.choice(len(sessions), 2, replace=False).tolist())
        known = self.state.log_returns[-len(self.state.recent) :]
        found = []
        for row in rows:
            i = int(self.random.integers(3))
            old = known[self.state.recent.index(sessions[row]), i]  # type: ignore[arg-type]
            new = np.nan if self.random.random() < 0.3 else float(self.random.normal(0, 0.02))
            found.append(Correction(sessions[row], SYMBOLS[i], float(old), new))  # type: ignore[arg-type]
        return tuple(found)


def hold(before: State, after: State, outcome: Outcome) -> None:
    """What is true of every step."""
    known = np.isfinite(after.log_returns[-len(after.scores) :])
    for array in (*after.market.arrays.values(), after.scores[:, :3][known], after.scores[known.any(axis=1), 3:], after.fits[3:]):
        assert np.isfinite(array).all()
    for report in outcome.reports:
        blind = report.grade in (Grade.D, Grade.F)
        for limit in report.limits:
            was = before.standings.get((report.portfolio, limit.name), Standing())
            standing = after.standings[report.portfolio, limit.name]
            if blind:
                assert standing.state in (LimitState.FIRING, LimitState.CANNOT_JUDGE)
                assert standing.episode or not was.episode
        if report.status is Status.OK:
            assert report.grade is Grade.A
            assert report.figures and all(np.isfinite([f.var, f.cvar, f.challenger_cvar]).all() for f in report.figures)
            assert all(m.state is LimitState.CLEAR and m.cvar is not None and m.cvar < m.max_cvar for m in report.limits)
        if blind:
            assert report.status not in (Status.OK, Status.WARN)
            assert not [a for a in outcome.alerts if a.kind is AlertKind.BREACH_CLOSED and a.portfolio == report.portfolio]


class Blind(NormalForecast):
    """Has no score for a return beyond 4.5 %."""

    def score(self, log_returns: Floats) -> Floats:
        return np.where(np.abs(log_returns) > 0.045, np.inf, super().score(log_returns))


class Unscorable(EwmaForecaster):
    def forecast(self, state: MarketState) -> NormalForecast:
        return Blind(super().forecast(state).sigma)


@pytest.mark.parametrize("forecaster", [EwmaForecaster(), Unscorable()], ids=["model", "failing-model"])
@pytest.mark.parametrize("seed", range(15))
def test_any_sequence_of_days(seed: int, forecaster: EwmaForecaster) -> None:
    """40 events: no exception, no green without proof, nothing cleared in the dark, and the same bytes when replayed as text."""
    rules = replace(RULES, forecaster=forecaster)
    days = Days(np.random.default_rng(seed), rules)
    for _ in range(40):
        days.day()
    state = WARM
    for event, said, packed in days.lines:
        state, outcome = step(rules, state, read_event(write_event(event)))
        assert canonical_json(outcome) == said
        assert pack(state) == packed


def test_the_fuzz_meets_what_it_is_for() -> None:
    """Over the seeds: every grade, every limit state, every kind of alert of data, and a green report."""
    outcomes = []
    for seed in range(20):
        days = Days(np.random.default_rng(seed))
        while len(days.lines) < 40:
            days.day()
        outcomes += [said for _, said, _ in days.lines]
    text = "\n".join(outcomes)
    for word in (*(f'"grade":"{g.value}"' for g in Grade), *(f'"{s.value}"' for s in LimitState), '"status":"OK"'):
        assert word in text, word
    for kind in (AlertKind.DATA_SUSPECT, AlertKind.DATA_CLEARED, AlertKind.BREACH_CLOSED, AlertKind.JUDGEMENT_LOST):
        assert f'"{kind.value}"' in text, kind


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_lateness_ends_in_one_market(seed: int) -> None:
    """30 sessions of which a fifth of the returns come later, in any order: bit for bit as if all had been there."""
    random = np.random.default_rng(seed)
    true = random.normal(0, 0.01, (30, 3))
    late = random.random(true.shape) < 0.2
    due = {(row, i): int(random.integers(row, 30)) for row, i in zip(*map(list, np.nonzero(late)), strict=True)}
    whole, gaps = WARM, WARM
    nothing = frozen(np.full(3, np.nan))
    for row in range(30):
        session = whole.session + DAY
        come = [place for place, at in due.items() if at == row and place[0] < row]
        past = tuple(Correction(WARM.session + (r + 1) * DAY, SYMBOLS[i], np.nan, float(true[r, i])) for r, i in come)
        told = np.where(late[row], np.nan, true[row])
        whole, _ = step(RULES, whole, SessionClosed(session, JudgedPrices(frozen(true[row]), nothing, ())))
        gaps, _ = step(RULES, gaps, SessionClosed(session, JudgedPrices(frozen(told), nothing, (), past)))
    last = tuple(
        Correction(WARM.session + (r + 1) * DAY, SYMBOLS[i], np.nan, float(true[r, i])) for (r, i), at in due.items() if at == r
    )
    shuffled = tuple(last[i] for i in random.permutation(len(last)))
    gaps, _ = step(RULES, gaps, PricesChanged(gaps.session, JudgedPrices(frozen(true[-1]), nothing, (), shuffled)))
    for name, array in whole.market.arrays.items():
        np.testing.assert_array_equal(array, gaps.market.arrays[name])
    np.testing.assert_array_equal(whole.scores, gaps.scores)
    np.testing.assert_array_equal(whole.log_returns, gaps.log_returns)
    assert (whole.out, whole.rows) == (gaps.out, gaps.rows)
