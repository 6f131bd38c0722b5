"""Read-only float arrays, the only kind that values inside core carry."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


def frozen(values: ArrayLike) -> Floats:
    """Return ``values`` as a read-only float64 array (a copy unless it already is one)."""
    array = np.asarray(values, dtype=np.float64)
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


def none_known() -> Floats:
    """No values at all: nobody asked, or nothing was ever known."""
    return frozen([])
