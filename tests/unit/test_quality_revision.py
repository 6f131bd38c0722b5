"""What a changed past is called, one shape of change after the other."""

from datetime import date, timedelta

import numpy as np
import pytest

from riskd.core.quality.revision import RevisionKind, classify

pytestmark = pytest.mark.unit

DAYS = [date(2026, 3, 2) + timedelta(days=i) for i in range(40)]
OLD = 100 + np.arange(40.0)


def named(new: np.ndarray, old: np.ndarray = OLD, field: str = "close") -> list[tuple[str, int, int, float]]:
    """(kind, row of the last session, rows, ratio)."""
    found = classify("X", field, "yahoo", DAYS[: len(old)], old, new)
    return [(r.kind.value, DAYS.index(r.last), r.rows, round(r.ratio, 5)) for r in found]


@pytest.mark.parametrize(
    ("factor", "kind"),
    [(0.1, "split"), (2.0, "split"), (0.995, "dividend"), (1.005, "dividend-withdrawn"), (0.9461, "spin-off")],
)
def test_everything_before_a_day(factor: float, kind: str) -> None:
    """The ratio of a re-adjustment names it."""
    new = OLD.copy()
    new[:30] *= factor
    assert named(new) == [(kind, 29, 30, factor)]


def test_the_whole_answer_is_a_readjustment() -> None:
    """The ex-date is the session that the answer brings."""
    assert named(OLD * 0.997) == [("dividend", 39, 40, 0.997)]


def test_last_digits_are_no_revision() -> None:
    """Within 1e-5 nothing is said."""
    assert named(OLD * (1 + 9e-6 * np.sin(OLD))) == []


def test_single_rows_are_corrections() -> None:
    """Two neighbours are two corrections, with their own values."""
    new = OLD.copy()
    new[[7, 8, 39]] *= [1.02, 1.02, 0.99]
    assert named(new) == [("correction", 7, 1, 1.02), ("correction", 8, 1, 1.02), ("correction", 39, 1, 0.99)]
    first = classify("X", "close", "yahoo", DAYS, OLD, new)[0]
    assert (first.old, first.new) == (107.0, pytest.approx(109.14))


def test_a_stretch_within_fits_no_corporate_action() -> None:
    """A beginning and an end: partial."""
    new = OLD.copy()
    new[20:26] *= 2
    assert named(new) == [("partial", 25, 6, 2.0)]


def test_two_happenings_lie_over_each_other() -> None:
    """A dividend before row 30 and a split before row 12 in one answer: each with its own ratio."""
    new = OLD.copy()
    new[:30] *= 0.995
    new[:12] *= 0.5
    assert named(new) == [("split", 11, 12, 0.5), ("dividend", 29, 30, 0.995)]


def test_a_correction_under_a_dividend() -> None:
    """Yesterday's live close is corrected in the answer that re-adjusts all before it."""
    new = OLD * 0.995
    new[-1] = OLD[-1] * 0.99
    assert named(new) == [("dividend", 38, 39, 0.995), ("correction", 39, 1, 0.99)]


def test_actions_come_and_go() -> None:
    """A dividend heard late, changed, taken back; NaN is none."""
    old, new = np.array([np.nan, 0.5, 0.24, 0.0]), np.array([0.3, 0.6, np.nan, 0.0])
    found = classify("X", "dividend", "yahoo", DAYS[:4], old, new)
    assert {r.kind for r in found} == {RevisionKind.ACTION}
    assert [(r.old, r.new) for r in found] == [(0.0, 0.3), (0.5, 0.6), (0.24, 0.0)]


def test_a_first_value_is_no_revision() -> None:
    """Where nothing was known, or nothing is said, there is nothing to compare."""
    old, new = OLD.copy(), OLD.copy()
    old[:20], new[30:] = np.nan, np.nan
    assert named(new, old) == []


def test_across_zero_there_is_no_ratio() -> None:
    """Oil below zero corrected to above: single corrections."""
    old = np.array([18.27, -37.63, 10.01])
    assert named(np.array([18.27, 1.0, 10.01]), old) == [("correction", 1, 1, -0.02657)]
