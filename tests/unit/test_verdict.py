"""The verdict and the crises: what they contain, and what they refuse."""

import math
from datetime import date, timedelta

import numpy as np
import pytest

from riskd.core.arrays import Floats
from riskd.core.validation.coverage import kupiec
from riskd.core.validation.crises import CRISES, crises
from riskd.core.validation.verdict import Verdict, verdict

pytestmark = pytest.mark.unit
LEVELS = (0.95, 0.99)


def forecasts(count: int = 400) -> tuple[Floats, Floats, Floats, Floats]:
    """Losses, VaR, CVaR and PIT of a normal loss, forecast rightly."""
    losses = np.random.default_rng(0).standard_normal(count)
    pit = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in losses])
    return losses, np.tile([1.644854, 2.326348], (count, 1)), np.tile([2.062713, 2.665214], (count, 1)), pit


def judged(count: int = 400) -> Verdict:
    """The verdict on right forecasts."""
    losses, var, cvar, pit = forecasts(count)
    return verdict(losses, LEVELS, var, cvar, pit)


def test_every_level_has_every_test() -> None:
    """The same tests, each named once, at each level; those of the PIT only where there is one."""
    names = {level: [test.name for test in tests] for level, tests in judged().tests.items()}
    assert list(names) == list(LEVELS)
    assert names[0.95] == names[0.99]
    assert len(set(names[0.95])) == len(names[0.95]) == 15
    losses, var, cvar, _ = forecasts()
    without = verdict(losses, LEVELS, var, cvar)
    assert len(without.tests[0.95]) == 12
    assert (without.density, without.divergence) == ((), None)


def test_levels_are_columns() -> None:
    """Each level is judged by its own column."""
    losses, var, cvar, _ = forecasts()
    found = judged()
    for k, level in enumerate(LEVELS):
        assert found.tests[level][0] == kupiec(losses, var[:, k], level)
        assert found.figures[level].share == np.mean(losses > var[:, k])


def test_twice_the_same() -> None:
    """Resampling is seeded: the same input gives the same verdict to the last bit, whatever was judged between."""
    first = repr(judged())
    judged(300)
    assert repr(judged()) == first


def test_a_cvar_below_zero_is_no_pass() -> None:
    """Where a CVaR is not above zero FZ0 is NaN and the shortfall tests are replaced by one that says so."""
    losses, var, cvar, pit = forecasts()
    cvar[3, 0] = 0.0
    found = verdict(losses, LEVELS, var, cvar, pit)
    assert math.isnan(found.figures[0.95].fz0)
    assert math.isfinite(found.figures[0.99].fz0)
    shortfall = [test for test in found.tests[0.95] if test.name == "shortfall"]
    assert len(shortfall) == 1
    assert "not above 0 on 1 days" in shortfall[0].note


def test_a_short_history_has_no_light() -> None:
    """With fewer days than the window there is no traffic light, and with enough there is one."""
    assert judged(100).figures[0.99].light is None
    assert judged(400).figures[0.99].light is not None


def test_missing_is_refused() -> None:
    """NaN, no days and columns that do not go with the levels are errors."""
    losses, var, cvar, pit = forecasts()
    with pytest.raises(ValueError, match="finite"):
        verdict(np.where(losses > 2, np.nan, losses), LEVELS, var, cvar, pit)
    with pytest.raises(ValueError, match="do not go with"):
        verdict(losses, (0.95,), var, cvar, pit)
    with pytest.raises(ValueError, match="do not go with"):
        verdict(losses[:0], LEVELS, var[:0], cvar[:0])


def test_crises_of_a_sample() -> None:
    """A sample from 2008 to 2011 has part of two crises, ends included, and the others are left out."""
    sessions = [date(2008, 12, 30) + timedelta(days=k) for k in range(1000)]
    parts = crises(sessions)
    assert list(parts) == ["financial crisis 2007-2009", "euro debt 2011"]
    inside = [s for s, there in zip(sessions, parts["financial crisis 2007-2009"], strict=True) if there]
    assert (inside[0], inside[-1]) == (sessions[0], date(2009, 6, 30))
    assert [s for s, there in zip(sessions, parts["euro debt 2011"], strict=True) if there][0] == date(2011, 7, 1)


def test_crises_do_not_overlap() -> None:
    """They follow one another."""
    assert all(a.first < a.last < b.first for a, b in zip(CRISES, CRISES[1:], strict=False))
