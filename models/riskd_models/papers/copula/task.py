"""What a rival is asked: the losses of some portfolios on some rows of a market, from the rows before each; and its walk."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from riskd.core.arrays import Floats
from riskd_models.papers.copula.numbers import Numbers
from riskd_models.papers.work import Arrays, Told, silent
from riskd_models.study.quantified import LEVELS, read_off
from riskd_models.study.single import Forecast
from riskd_models.study.systems import Block

FIELDS = ("var", "cvar", "pit", "crps")


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Log returns (sessions, assets) of ``symbols``, constant weights (portfolios, assets), and the sizes of everything.

    ``block.known`` are the rows that may be learnt from, the newest fifth of which only chooses; ``block.rows`` are forecast.
    """

    symbols: tuple[str, ...]
    returns: Floats
    weights: Floats
    block: Block
    numbers: Numbers
    folder: Path  # of the networks that are trained
    device: str = "cpu"
    told: Told = silent

    @property
    def rows(self) -> range:
        return self.block.rows

    @property
    def learnt(self) -> range:
        """The rows that weights and scalers are fitted on."""
        known = self.block.known
        return range(known.start, known.stop - round(len(known) * self.numbers.validation))

    @property
    def realised(self) -> Floats:
        """Simple returns of the portfolios (sessions, portfolios); they hold their weights from session to session."""
        return np.asarray(np.expm1(self.returns) @ self.weights.T)

    def losses(self) -> Floats:
        """Realised losses of the forecast rows (rows, portfolios)."""
        return -self.realised[self.rows.start : self.rows.stop]


def walked(name: str, forecast: Forecast, task: Task) -> Arrays:
    """Reads a forecast on every row: var and cvar (rows, portfolios, levels), pit of the loss and crps (rows, portfolios)."""
    count, realised = len(task.weights), task.realised
    found = {key: np.empty((len(task.rows), count, len(LEVELS))) for key in FIELDS[:2]}
    found |= {key: np.empty((len(task.rows), count)) for key in FIELDS[2:]}
    for place, day in enumerate(task.rows):
        read = read_off(forecast.ordered(day), realised[day])
        for key, values in found.items():
            values[place] = getattr(read, key)
        task.told(f"{name}: forecasts", (place + 1) / len(task.rows))
    return found


def joined(parts: Sequence[Arrays]) -> Arrays:
    """Readings of consecutive blocks as one."""
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def windows_before(rows: Iterable[int], length: int) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    """The places (rows, length) of the steps before each row, the oldest first."""
    return np.array(list(rows))[:, None] + np.arange(-length, 0)
