"""tmp"""
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class CurrencyView:
    rate: NDArray[np.int64]
    sign: Floats
    def log_returns(self, r: Floats) -> Floats:
        return np.asarray(np.where(self.rate >= 0, r + self.sign * r[..., self.rate], r))
    def simple(self, r: Floats) -> Floats:
        return np.asarray(np.where(self.rate >= 0, (1 + r) * (1 + r[..., self.rate]) ** self.sign - 1, r))
