"""Grades of the prices that a portfolio's figures are made of."""

import numpy as np
import pytest

from riskd.core.grade import Grade, symbol_grade, trust

pytestmark = pytest.mark.unit
NONE = np.zeros(4, dtype=np.bool_)


def grade(weights: list[float], out: list[int], bridged: list[bool] | None = None) -> tuple[Grade, float]:
    found = trust(np.array(weights), np.array(out), NONE if bridged is None else np.array(bridged))
    return found.grade, round(found.coverage, 12)


@pytest.mark.parametrize(
    ("share", "letter"),
    [
        (0.001, Grade.B),
        (0.01, Grade.B),
        (0.0101, Grade.C),
        (0.05, Grade.C),
        (0.0501, Grade.D),
        (0.10, Grade.D),
        (0.25, Grade.D),
        (0.2501, Grade.F),
        (0.5, Grade.F),
        (1.0, Grade.F),
    ],
)
def test_the_share_of_weight_without_a_price_is_the_grade(share: float, letter: Grade) -> None:
    """The table, exactly; it is the weight that counts, not the number of names, and a short is as good as a long."""
    rest = (1 - share) / 2
    assert grade([rest, -rest, share, 0.0], [0, 0, 1, 1]) == (letter, round(1 - share, 12))


def test_everything_fresh_is_an_a() -> None:
    """What is not held cannot hurt; nothing held is nothing to doubt."""
    assert grade([0.5, 0.5, 0.0, 0.0], [0, 0, 3, 1]) == (Grade.A, 1.0)
    assert grade([0.0] * 4, [1] * 4) == (Grade.A, 1.0)


def test_cash_does_not_dilute() -> None:
    """A tenth of the value that is all there is held: without its price everything is in the dark."""
    assert grade([0.1, 0.0, 0.0, 0.0], [1, 0, 0, 0]) == (Grade.F, 0.0)


def test_longer_than_a_session_is_a_d_at_best() -> None:
    """Even one per cent of weight, if its price is missing for the second session; half of it is still an F."""
    assert grade([0.99, 0.01, 0.0, 0.0], [0, 2, 0, 0])[0] is Grade.D
    assert grade([0.5, 0.5, 0.0, 0.0], [0, 2, 0, 0])[0] is Grade.F


def test_a_bridged_return_is_a_b() -> None:
    """Fresh today, missing yesterday: only if it is held."""
    assert grade([0.5, 0.5, 0.0, 0.0], [0] * 4, [True, False, False, False])[0] is Grade.B
    assert grade([0.5, 0.5, 0.0, 0.0], [0] * 4, [False, False, True, False])[0] is Grade.A


def test_a_symbol_has_a_grade_of_its_own() -> None:
    """Fresh, fresh after a gap, not usable today, not usable for longer."""
    found = [symbol_grade(0), symbol_grade(0, bridged=True), symbol_grade(1), symbol_grade(2, bridged=True)]
    assert found == [Grade.A, Grade.B, Grade.C, Grade.D]
