"""One rule of judgement after the other, on windows small enough to read."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from riskd.core.arrays import Floats
from riskd.core.quality.doubt import Rule
from riskd.core.quality.examine import examine, examine_history
from riskd.core.quality.judged import JudgedPrices
from riskd.core.quality.window import PriceWindow

pytestmark = pytest.mark.unit

NAMES, ROWS, BEFORE = 8, 30, 300


class Case:
    """Eight names at 1 % a session, thirty of them in the window and in use but for the newest; tests spoil what they mean to."""

    def __init__(self, names: int = NAMES, rows: int = ROWS, seed: int = 3) -> None:
        random = np.random.default_rng(seed)
        returns = 0.01 * random.standard_normal((BEFORE + rows, names))
        self.closes = (np.linspace(40, 180, names) * np.exp(np.cumsum(returns, axis=0)))[BEFORE:]
        self.before, self.used = returns[:BEFORE], returns[BEFORE:].copy()
        self.used[-1] = np.nan
        shape = self.closes.shape
        self.parts: dict[str, Any] = {
            "dividends": np.zeros(shape),
            "open": np.ones(shape, dtype=np.bool_),
            "approved": np.zeros(shape, dtype=np.bool_),
            "rejected": np.zeros(shape, dtype=np.bool_),
            "age": np.arange(rows)[::-1, None] + np.zeros(shape, dtype=np.int64),
            "second": np.full(shape, np.nan),
        }

    def window(self) -> PriceWindow:
        days = tuple(date(2026, 1, 1) + timedelta(days=i) for i in range(len(self.closes)))
        names = tuple(f"N{i}" for i in range(self.closes.shape[1]))
        return PriceWindow(names, days, self.closes, sources=("yahoo",) * len(names), **self.parts)

    def judged(self) -> JudgedPrices:
        return examine(self.window(), self.used, self.before)

    def next_session(self, factor: Floats | float = 1.003) -> "Case":
        """What is judged one session later, the verdicts on this one in use."""
        judged = self.judged()
        self.used[-1] = judged.returns
        days = list(self.window().sessions)
        for c in judged.corrections:
            self.used[days.index(c.session), int(c.symbol[1:])] = c.new
        self.closes = np.vstack([self.closes, self.closes[-1] * factor])
        self.used = np.vstack([self.used, np.full(self.used.shape[1], np.nan)])
        for name, part in self.parts.items():
            empty = {"open": True, "second": np.nan}.get(name, 0)
            grown = part + 1 if name == "age" else part
            self.parts[name] = np.vstack([grown, np.full(part.shape[1], empty, dtype=part.dtype)])
        return self


def rules(judged: JudgedPrices) -> list[tuple[str, Rule]]:
    return [(d.symbol, d.rule) for d in judged.doubts]


def test_ordinary_closes_are_used_as_they_are() -> None:
    """No doubt, no correction, and the return is the log change of the close."""
    case = Case()
    judged = case.judged()
    assert judged.doubts == judged.corrections == ()
    assert judged.returns == pytest.approx(np.log(case.closes[-1] / case.closes[-2]))
    assert np.isnan(judged.heard).all()


def test_the_newest_usable_closes_are_told() -> None:
    """The newest close of each; of one in quarantine, one that is missing and one that was rejected the one before."""
    case = Case()
    assert case.judged().closes.tolist() == case.closes[-1].tolist()
    usable = case.closes[-1].copy()
    usable[:3] = case.closes[-2, :3]
    case.closes[-1, 0] *= 3
    case.closes[-1, 1] = np.nan
    case.parts["rejected"][-1, 2] = True
    assert case.judged().closes.tolist() == usable.tolist()
    case.closes[:, 4] = np.nan
    assert np.isnan(case.judged().closes[4])


def test_a_dividend_is_part_of_the_return() -> None:
    """Total return: what was paid with the ex-date counts as price."""
    case = Case()
    case.parts["dividends"][-1, 2] = 0.5
    assert case.judged().returns[2] == pytest.approx(np.log((case.closes[-1, 2] + 0.5) / case.closes[-2, 2]))


def test_dividends_of_a_missed_session_are_owed() -> None:
    """A return that spans a missing close includes what was paid in between."""
    case = Case()
    case.closes[-2, 2], case.used[-2, 2], case.parts["dividends"][-2, 2] = np.nan, np.nan, 0.7
    assert case.judged().returns[2] == pytest.approx(np.log((case.closes[-1, 2] + 0.7) / case.closes[-3, 2]))


@pytest.mark.parametrize(
    ("value", "rule"),
    [(np.nan, Rule.MISSING), (0.0, Rule.NOT_POSITIVE), (-37.63, Rule.NOT_POSITIVE), (np.inf, Rule.NOT_POSITIVE)],
)
def test_what_is_no_price_makes_no_return(value: float, rule: Rule) -> None:
    """Missing, zero, negative and infinite closes are named with their value, not clipped, and not heard."""
    case = Case()
    case.closes[-1, 1] = value
    judged = case.judged()
    assert rules(judged) == [("N1", rule)]
    assert np.isnan([judged.returns[1], judged.heard[1]]).all()
    assert judged.doubts[0].value == value or np.isnan(value)


def test_a_closed_exchange_is_no_fault() -> None:
    """No session: said so, nothing missing; the next return spans it."""
    case = Case()
    case.closes[-1, 1], case.parts["open"][-1, 1] = np.nan, False
    assert rules(case.judged()) == [("N1", Rule.CLOSED)]


@pytest.mark.parametrize(
    ("factor", "rule"),
    [
        (0.5, Rule.SPLIT),
        (1 / 3, Rule.SPLIT),
        (10, Rule.SPLIT),
        (100, Rule.UNIT),
        (0.01, Rule.UNIT),
        (1e30, Rule.JUMP),
        (0.6, Rule.JUMP),
    ],
)
def test_a_newest_close_far_from_all_expectation_is_quarantined(factor: float, rule: Rule) -> None:
    """It is not used, its return is heard, and the others are not touched."""
    case = Case()
    case.closes[-1, 4] *= factor
    judged = case.judged()
    assert rules(judged) == [("N4", rule)]
    assert np.isnan(judged.returns[4])
    assert judged.heard[4] == pytest.approx(np.log(case.closes[-1, 4] / case.closes[-2, 4]))
    assert np.isfinite(np.delete(judged.returns, 4)).all()


def test_a_crash_of_all_is_no_fault() -> None:
    """Minus 25 % for every name at once is believed."""
    case = Case()
    case.closes[-1] *= 0.75
    assert case.judged().doubts == ()


def test_a_person_overrules_a_jump_but_not_a_negative_price() -> None:
    """An approved close is used; no approval makes a price of what is none."""
    case = Case()
    case.closes[-1, 4] *= 0.6
    case.closes[-1, 5] = -1.0
    case.parts["approved"][-1] = True
    judged = case.judged()
    assert rules(judged) == [("N5", Rule.NOT_POSITIVE)]
    assert judged.returns[4] == pytest.approx(np.log(case.closes[-1, 4] / case.closes[-2, 4]))


def test_a_rejected_close_is_taken_back() -> None:
    """A person's no makes a correction to NaN, and the next return starts from the close before."""
    case = Case()
    case.parts["rejected"][-2, 3] = True
    judged = case.judged()
    assert [(c.symbol, np.isnan(c.new)) for c in judged.corrections] == [("N3", True)]
    assert judged.returns[3] == pytest.approx(np.log(case.closes[-1, 3] / case.closes[-3, 3]))


def test_the_next_close_confirms_a_jump() -> None:
    """Minus 40 % that stays becomes a correction of the day before."""
    case = Case()
    case.closes[-1, 4] *= 0.6
    judged = case.next_session().judged()
    assert rules(judged) == []
    assert [(c.symbol, np.isnan(c.old)) for c in judged.corrections] == [("N4", True)]
    assert judged.returns[4] == pytest.approx(np.log(1.003))


@pytest.mark.parametrize(("factor", "next_factor"), [(1.5, 1 / 1.5), (1.5, 1.0), (0.5, 1.003), (100.0, 1.003)])
def test_a_tick_a_stuck_tick_a_split_and_a_unit_are_not_confirmed(factor: float, next_factor: float) -> None:
    """What reverts, what does not move, and what errors do by nature stays out."""
    case = Case()
    case.closes[-1, 4] *= factor
    step = np.full(NAMES, 1.003)
    step[4] = next_factor
    judged = case.next_session(step).judged()
    assert not judged.corrections
    assert "N4" in {d.symbol for d in judged.doubts}


def test_a_second_source_confirms_a_jump_at_once() -> None:
    """The same move elsewhere: used the same day."""
    case = Case()
    case.closes[-1, 4] *= 0.6
    case.parts["second"][-2:, 4] = 10 * case.closes[-2:, 4]
    assert case.judged().doubts == ()


def test_four_equal_closes_are_taken_back() -> None:
    """The newest and the zero returns before it; the first of the run stays."""
    case = Case()
    case.closes[-4:, 6] = case.closes[-4, 6]
    case.used[-3:-1, 6] = 0.0
    judged = case.judged()
    assert rules(judged) == [("N6", Rule.FROZEN)] * 3
    assert [(c.old, np.isnan(c.new)) for c in judged.corrections] == [(0.0, True)] * 2
    assert np.isnan(judged.returns[6])


def test_a_name_that_often_repeats_may() -> None:
    """Four equal closes mean nothing where every third return is zero."""
    case = Case()
    case.before[::3, 6] = 0.0
    case.closes[-4:, 6] = case.closes[-4, 6]
    case.used[-3:-1, 6] = 0.0
    assert case.judged().doubts == ()


def test_a_frozen_run_stays_refused_when_its_beginning_leaves_the_window() -> None:
    """Two rows of it are left: not taken in as late zero returns."""
    case = Case()
    case.closes[:3, 6] = case.closes[0, 6]
    case.used[:3, 6] = np.nan
    case.used[3, 6] = np.log(case.closes[3, 6] / case.closes[2, 6])
    judged = case.judged()
    assert judged.corrections == ()


def test_a_market_that_does_not_move_is_yesterdays_bar() -> None:
    """Five of eight names without any move: refused; the three that moved are used."""
    case = Case()
    case.closes[-1, :5] = case.closes[-2, :5]
    judged = case.judged()
    assert rules(judged) == [(f"N{i}", Rule.UNCHANGED) for i in range(5)]
    assert np.isfinite(judged.returns[5:]).all()


def test_one_price_for_three_names_is_test_data() -> None:
    """2017-07-03: everything at $123.47; the name that was near it is refused as well."""
    case = Case()
    near = int(np.argmin(np.abs(case.closes[-2] - 123.47)))
    chosen = sorted({0, 1, near})
    case.closes[-1, chosen] = 123.47
    assert rules(case.judged()) == [(f"N{i}", Rule.SAME_PRICE) for i in chosen]


def test_a_late_price_corrects_its_row_and_the_one_that_spanned_it() -> None:
    """The sum over the column stays the change of the close."""
    case = Case()
    case.used[-4, 2], case.used[-3, 2] = np.nan, case.used[-4, 2] + case.used[-3, 2]
    judged = case.judged()
    assert [np.isnan(c.old) for c in judged.corrections] == [True, False]
    total = case.used[1:-1, 2].copy()
    total[-3], total[-2] = (c.new for c in judged.corrections)
    assert total.sum() == pytest.approx(np.log(case.closes[-2, 2] / case.closes[0, 2]))


def test_a_return_survives_a_source_that_does_not_know_its_close() -> None:
    """After a change of source a hole in its past takes nothing out of use."""
    case = Case()
    case.closes[-5, 2] = np.nan
    assert case.judged().corrections == ()


def test_a_dividend_readjustment_becomes_one_correction() -> None:
    """All closes before a day lower by 0.7 %: that day's return rises by it."""
    case = Case()
    case.closes[:-6, 2] *= 0.993
    case.parts["age"][:-6, 2] = 0
    judged = case.judged()
    assert [(c.session.day, round(c.new - c.old, 5)) for c in judged.corrections] == [(25, round(-np.log(0.993), 5))]


@pytest.mark.parametrize(("age", "rule"), [(0, [("N2", Rule.WITHDRAWN)]), (4, [("N2", Rule.WITHDRAWN)]), (5, [])])
def test_a_withdrawn_dividend_is_believed_after_five_sessions(age: int, rule: list[Any]) -> None:
    """Until then the return in use stands and the doubt says so."""
    case = Case()
    case.closes[:-6, 2] *= 1.007
    case.parts["age"][:-6, 2] = age
    judged = case.judged()
    assert rules(judged) == rule
    assert len(judged.corrections) == (age >= 5)


def test_a_split_of_part_of_the_past_holds_the_column() -> None:
    """Rows 10 to 19 divided by ten, and the newest whole: no correction, and the past that is in use stands."""
    case = Case()
    case.closes[10:20, 2] /= 10
    judged = case.judged()
    assert set(rules(judged)) == {("N2", Rule.RESTATED)}
    assert judged.corrections == ()
    assert np.isfinite(judged.returns[2])


def test_a_split_up_to_yesterday_makes_today_suspect() -> None:
    """The newest return would cross the seam."""
    case = Case()
    case.closes[10:-1, 2] /= 10
    judged = case.judged()
    assert ("N2", Rule.SPLIT) in rules(judged)
    assert judged.corrections == ()
    assert np.isnan(judged.returns[2])


def test_a_believed_move_is_never_judged_again() -> None:
    """A jump in use stays in use, whatever the scale before it looks like now."""
    case = Case()
    case.closes[15:, 4] *= 0.6
    case.used[15, 4] += np.log(0.6)
    judged = case.judged()
    assert judged.doubts == judged.corrections == ()


def test_a_bad_first_row_corrects_nothing() -> None:
    """When a refused tick becomes the window's first row, the return after it is not judged by it."""
    case = Case()
    case.closes[0, 4] *= 1.08
    judged = case.judged()
    assert judged.doubts == judged.corrections == ()


def test_a_name_with_nothing_in_use_joins_with_its_past() -> None:
    """A whole column that was never in use comes in as late prices."""
    case = Case()
    case.used[:, 7], case.before[:, 7] = np.nan, np.nan
    judged = case.judged()
    assert len(judged.corrections) == ROWS - 2
    assert np.isfinite(judged.returns[7])


def test_history_goes_on_from_a_new_level() -> None:
    """An unapplied split masks its one return; a bad tick masks itself; nothing else is lost."""
    case = Case(rows=300)
    case.closes[100:, 2] /= 5
    case.closes[200, 3] *= 1.4
    returns, doubts = examine_history(case.window())
    assert [(d.symbol, d.rule) for d in doubts] == [("N2", Rule.SPLIT), ("N3", Rule.JUMP)]
    assert np.argwhere(np.isnan(returns)).tolist() == [[99, 2], [199, 3]]
    assert returns[100:, 2] == pytest.approx(np.diff(np.log(case.closes[100:, 2])))


@pytest.mark.parametrize("factor", [0.5, 2.0, 1.5, 0.75])
def test_a_history_loses_no_move_that_may_be_true(factor: float) -> None:
    """Halved, doubled, half as much again, a quarter less: all are used; the first two look like a split, and that is noted."""
    case = Case(rows=300)
    case.closes[100:, 2] *= factor
    returns, doubts = examine_history(case.window())
    assert np.isfinite(returns).all()
    assert {d.rule for d in doubts} <= {Rule.UNUSUAL}
    assert bool(doubts) == (factor in (0.5, 2.0))


@pytest.mark.parametrize("factor", [1.5, 1.25, 0.75])
def test_a_move_by_a_fraction_waits_for_the_next_close_alone(factor: float) -> None:
    """No reverse split has a fraction and nobody splits five for four: doubted on its day, believed on the next."""
    case = Case()
    case.closes[-1, 2] *= factor
    (doubt,) = case.judged().doubts
    assert doubt.rule is Rule.JUMP
