"""The certified optimum on random instances, a third of them degenerate, beside HiGHS and Clarabel on the whole program."""

from dataclasses import replace

import numpy as np
import pytest

from allocation_judge import faults, judged
from riskd.core.allocation.answer import Allocation, Ending

pytestmark = pytest.mark.oracle


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
@pytest.mark.parametrize("seed", range(150))
def test_the_answer_is_the_referees(seed: int) -> None:
    """Objective within 1e-6 of both, nothing violated by more than 1e-8, no false verdict on feasibility, nothing raised."""
    assert judged(seed).faults == ()


@pytest.mark.parametrize(
    ("change", "distance", "off", "words"),
    [
        ({}, -0.1, (0.0, 0.0), []),
        ({}, 1e-6, (0.0, np.nan), ["false feasible, 1.0e-06 outside"]),
        ({"status": Ending.INFEASIBLE}, -0.1, (np.nan, np.nan), ["false infeasible, -1.0e-01 inside"]),
        ({"status": Ending.INFEASIBLE}, np.inf, (np.nan, np.nan), []),
        ({"status": Ending.BOUNDARY}, -1e-5, (np.nan, np.nan), ["called boundary -1.0e-05 away"]),
        ({"status": Ending.FAILED, "said": ("band: stopped",)}, -0.1, (np.nan, np.nan), ["failed: band: stopped"]),
        ({"violation": 2e-8}, -0.1, (0.0, 0.0), ["violation 2.0e-08"]),
        ({"violation": np.nan}, -0.1, (0.0, 0.0), ["violation nan"]),
        ({"gap": 2e-6}, -0.1, (0.0, 0.0), ["gap 2.0e-06"]),
        ({"gap": -2e-6}, -0.1, (0.0, 0.0), ["bound below value by 2.0e-06"]),
        ({}, -0.1, (-2e-6, 3e-6), ["objective -2.0e-06 from highs", "objective +3.0e-06 from clarabel"]),
    ],
)
def test_the_judge_sees_what_is_wrong(
    change: dict[str, object], distance: float, off: tuple[float, ...], words: list[str]
) -> None:
    """Each fault that an answer can have is named, and a right answer has none."""
    assert faults(replace(right(), **change), distance, off) == words


def right() -> Allocation:
    """An answer without fault."""
    nothing = np.zeros(1)
    return Allocation(
        Ending.OPTIMAL, nothing, 1.0, 0.0, 0.0, 0.0, nothing, None, nothing, 0.0, None, "band", rounds=1, passes=1.0, seconds={}
    )
