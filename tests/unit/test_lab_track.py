"""The laboratory's input says what is wrong with it in one line."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from riskd.lab.track import Laboratory, Quantified, Track

pytestmark = pytest.mark.unit

DAYS = tuple(date(2020, 1, 1) + timedelta(days=i) for i in range(4))


def quantified(**changes: Any) -> Quantified:
    return Quantified(**{"var": np.full((4, 2), 0.01), "cvar": np.full((4, 2), 0.02), **changes})


def track(forecast: Quantified | None = None, **changes: Any) -> Track:
    forecasts = {"a": forecast or quantified(), "b": quantified()}
    fields = {"portfolio": "p", "group": "equal", "horizon": 1, "sessions": DAYS, "losses": np.zeros(4), "forecasts": forecasts}
    return Track(**{**fields, **changes})


def laboratory(*tracks: Track, **changes: Any) -> Laboratory:
    fields = {"title": "t", "levels": (0.95, 0.99), "tracks": tracks, "champion": "a", "baseline": "b", "energy": None}
    return Laboratory(**{**fields, "provenance": {}, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"group": "other"}, "portfolio 'p' over 1 session: group 'other' is none of given, equal"),
        ({"horizon": 0}, "horizon 0"),
        ({"sessions": DAYS[::-1]}, "sessions do not rise"),
        ({"losses": np.zeros(3)}, r"losses has shape \(3,\), expected \(4,\)"),
        ({"losses": np.array([0, 0, np.inf, 0])}, "losses is infinite at row 2"),
    ],
)
def test_a_wrong_track_is_refused(changes: dict[str, Any], message: str) -> None:
    """Group, horizon, order, shape and infinity are named with the portfolio."""
    with pytest.raises(ValueError, match=message):
        track(**changes)


@pytest.mark.parametrize(
    ("tracks", "changes", "message"),
    [
        ([], {}, "nothing to judge"),
        ([track()], {"levels": (0.99, 0.95)}, "not rising"),
        ([track()], {"levels": (95.0, 99.0)}, "not rising"),
        ([track(), track()], {}, "'p' of group equal over 1 sessions is there twice"),
        ([track()], {"champion": "z"}, "no forecast of 'z'"),
        ([track(quantified(var=np.zeros((4, 3))))], {}, r"var of a has shape \(4, 3\), expected \(4, 2\)"),
        ([track(quantified(pit=np.zeros(3)))], {}, "pit of a has shape"),
        ([track(quantified(pit=np.array([0.5, 1.5, 0, 1])))], {}, "pit of a leaves 0..1"),
        ([track(quantified(cvar=np.full((4, 2), np.inf)))], {}, "cvar of a is infinite at row 0"),
        ([track()], {"energy": {"a": np.zeros(4), "b": np.zeros(3)}}, "energy score of b has shape"),
    ],
)
def test_a_wrong_laboratory_is_refused(tracks: list[Track], changes: dict[str, Any], message: str) -> None:
    """What does not fit together is named with portfolio and model."""
    with pytest.raises(ValueError, match=message):
        laboratory(*tracks, **changes)


def test_a_row_is_usable_with_a_loss_and_every_figure() -> None:
    """A NaN in the loss, in any level's VaR or in any CVaR takes the session out, for the models asked for only."""
    var, cvar = np.full((4, 2), 0.01), np.full((4, 2), 0.02)
    var[1, 1], cvar[2, 0] = np.nan, np.nan
    judged = track(quantified(var=var, cvar=cvar), losses=np.array([np.nan, 0, 0, 0]))
    assert judged.usable("b").tolist() == [False, True, True, True]
    assert judged.usable("a", "b").tolist() == [False, False, False, True]
