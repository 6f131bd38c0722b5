"""A running hash of the prices that figures rest on."""

import hashlib
from collections.abc import Iterable
from datetime import date

from riskd.core.arrays import Floats
from riskd.core.canonical import digest
from riskd.core.quality.judged import Correction


def vintage(before: str, session: date, returns: Floats, corrections: Iterable[Correction] = ()) -> str:
    """Hash of the vintage ``before``, the returns that came with ``session`` and what was corrected."""
    changed = [[c.session, c.symbol, c.new] for c in corrections]
    rounded = hashlib.sha256(returns.round(9).tobytes()).hexdigest()  # numpy differs in the last digits between machines
    return digest([before, session, rounded, changed], 16)
