"""Bootstrap of blocks of past sessions: what followed what is kept inside a block, and with it volatility that lasts.

The stationary bootstrap of Politis and Romano (1994, JASA 89): a path goes on to the next past session with probability
1 - 1/BLOCK and jumps to any session otherwise; after the newest session comes the oldest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats

# Mean block in sessions: what the rule of Politis and White (2004, Econometric Reviews 23) gives for absolute returns of 20 US
# stocks, the median of five spans of 1,500 sessions from 1990 to 2022 (22 to 68).
BLOCK = 25


@dataclass(frozen=True, slots=True, eq=False)
class BlockBootstrap:
    """``scores`` (sessions, assets): the pool, oldest first or turned round a ring."""

    scores: Floats

    def draw(self, random: np.random.Generator, sessions: int, paths: int) -> Floats:
        """Runs of past sessions' scores; two random numbers for every session of every path, used or not."""
        return self.scores[block_rows(random, sessions, paths, len(self.scores))]

    def exact(self) -> Floats:
        """The pool: one session is every row, equally likely."""
        return self.scores


def block_rows(random: np.random.Generator, sessions: int, paths: int, pool: int, block: float = BLOCK) -> NDArray[np.intp]:
    """Rows of a pool, runs of geometric length with mean ``block``; shape (sessions, paths)."""
    jumps = random.random((sessions, paths)) < 1 / block
    rows = (random.random((sessions, paths)) * pool).astype(np.intp)  # where a block would start
    for day in range(1, sessions):
        rows[day] = np.where(jumps[day], rows[day], (rows[day - 1] + 1) % pool)
    return rows


def fit_block_bootstrap(scores: Floats, turn: int = 0) -> BlockBootstrap:
    """The pool itself is the fit; rolled by ``turn``, so that a session keeps its row while others come and go."""
    return BlockBootstrap(np.roll(scores, turn % len(scores), axis=0))
