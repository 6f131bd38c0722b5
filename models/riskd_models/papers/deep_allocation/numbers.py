"""Every number of the deep allocation's run, for the small preset and for the full one."""

from dataclasses import dataclass

from riskd_models.papers.preset import Preset


@dataclass(frozen=True, slots=True)
class Numbers:
    """One network is trained a year, for each of ``prices`` (of CVaR) and each of ``seeds``."""

    steps: int  # of Adam, each over all learnt rows
    prices: tuple[float, ...] = (0.1, 1.0)  # lambda: what one unit of CVaR costs in units of return
    seeds: tuple[int, ...] = (1,)
    hidden: tuple[int, ...] = (32, 16)
    learning_rate: float = 2e-3
    decay: float = 1e-4  # of the weights, by Adam
    validation: float = 0.2  # the newest share of the known rows, which only chooses the step
    horizon: int = 21  # sessions that a portfolio is held
    stride: int = 3  # sessions from one learnt row to the next, a divisor of the horizon: neighbours share all but one session
    level: float = 0.95
    cost: float = 0.001  # of what is traded, either way
    history: int = 1260  # newest rows that the rivals' scenarios are of
    aversion: float = 5.0  # of Markowitz, to variance


SMALL = Numbers(steps=200, prices=(0.1,), seeds=(1, 2))
FULL = Numbers(steps=500, seeds=(1, 2, 3))


def numbers_of(preset: Preset) -> Numbers:
    """The preset's numbers."""
    return preset.of(SMALL, FULL)
