"""The crises that a forecast is looked at in by itself, since an average over decades hides them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Crisis:
    """A named span of calendar days, both ends inside."""

    name: str
    first: date
    last: date

    def part(self, sessions: Sequence[date]) -> NDArray[np.bool_]:
        """Which of ``sessions`` (T,) lie in the crisis."""
        return np.array([self.first <= session <= self.last for session in sessions], dtype=bool)


CRISES = (
    Crisis("technology bust 2000-2002", date(2000, 1, 1), date(2002, 12, 31)),
    Crisis("financial crisis 2007-2009", date(2007, 7, 1), date(2009, 6, 30)),
    Crisis("euro debt 2011", date(2011, 7, 1), date(2011, 12, 31)),
    Crisis("pandemic 2020", date(2020, 2, 15), date(2020, 6, 30)),
    Crisis("rate shock 2022", date(2022, 1, 1), date(2022, 12, 31)),
)


def crises(sessions: Sequence[date]) -> Mapping[str, NDArray[np.bool_]]:
    """Each crisis that ``sessions`` (T,) have a day in, with which of them lie in it."""
    parts = {crisis.name: crisis.part(sessions) for crisis in CRISES}
    return {name: inside for name, inside in parts.items() if inside.any()}
