"""Numbers as a report writes them: fractions to a millionth, so that a difference between two reports is a difference."""

import math
from typing import Any

from riskd.core.canonical import plain

PLACES = 6


def settled(value: object) -> Any:
    """``value`` as JSON types; floats keep six places, money two (:func:`money`), NaN and infinity become null."""
    return _rounded(plain(value))


def money(fraction: float | None, value: float) -> float | None:
    """A fraction of ``value`` in its currency, to the cent."""
    return None if fraction is None or not math.isfinite(fraction) else round(fraction * value, 2) + 0.0


def difference(now: float | None, before: float | None) -> float | None:
    """How much more it is than before; None where one of them is not known."""
    return None if now is None or before is None else now - before


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return round(value, PLACES) + 0.0 if isinstance(value, float) else value
