"""Grades of the prices that a session's returns are made of."""

import numpy as np
import pytest

from riskd.core.arrays import frozen
from riskd.core.grade import Grade, grade_closes, usable

pytestmark = pytest.mark.unit
GOOD = frozen([10.0, 20.0])


@pytest.mark.parametrize(("spanned", "grade"), [(1, Grade.A), (2, Grade.C), (9, Grade.C)])
def test_a_return_of_one_session_is_an_a(spanned: int, grade: Grade) -> None:
    """Longer returns are a C."""
    assert grade_closes(GOOD, GOOD, spanned) is grade


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0, -37.63])
def test_one_unusable_price_is_an_f(bad: float) -> None:
    """Today's or the one before, of any symbol; what is usable is told symbol by symbol."""
    hurt = frozen([10.0, bad])
    assert grade_closes(hurt, GOOD, 1) is Grade.F
    assert grade_closes(GOOD, hurt, 1) is Grade.F
    assert usable(hurt).tolist() == [True, False]


def test_a_small_price_is_a_price() -> None:
    """Back-adjusted prices of long ago are fractions of a cent; only zero and less are none."""
    assert grade_closes(frozen([1e-6, 0.5]), GOOD, 1) is Grade.A
