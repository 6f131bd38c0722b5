"""Every number of the generator's walk-forward, for the small preset and for the full one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from riskd_models.papers.preset import Preset


@dataclass(frozen=True, slots=True)
class Numbers:
    """``changed`` are keys of the shipped recipes with other values: the full preset's networks read 30 sessions with 32 hidden
    units instead of 60 with 64, sizes that the paper leaves open, and are trained in seconds; the small one's in one.
    """

    paths: int  # that weights are chosen on
    unseen: int  # further paths that they are verified on
    changed: Mapping[str, int] = field(default_factory=dict)
    horizon: int = 21  # sessions held, and from one decision to the next: none overlap
    level: float = 0.95
    limits: tuple[float, ...] = tuple(np.arange(1, 13) / 100)  # of CVaR
    past: int = 1500  # newest sessions that history's scenarios are of
    turns: int = 3  # years from one training to the next
    seed: int = 7


SMALL = Numbers(
    paths=300,
    unseen=300,
    changed={"window": 10, "hidden": 8, "steps": 100, "spin_up": 10, "warm_up": 110},
    limits=(0.02, 0.04, 0.06, 0.08, 0.1, 0.12),
)
FULL = Numbers(paths=1000, unseen=1000, changed={"window": 30, "hidden": 32})


def numbers_of(preset: Preset) -> Numbers:
    """The preset's numbers."""
    return preset.of(SMALL, FULL)
