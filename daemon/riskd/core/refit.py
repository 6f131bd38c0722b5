"""When the GARCH parameters are fitted again: every column by its own turn, from the newest returns alone."""

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.core.books import with_books
from riskd.core.garch import fit_gjr
from riskd.core.proxy import complete
from riskd.core.rules import Rules

EVERY = 63  # sessions between two fits of a column
WINDOW = 2000  # newest returns that a fit sees
PARAMETERS = 7


def unfitted(rules: Rules) -> Floats:
    """No parameters yet: (columns, 7) of NaN."""
    return frozen(np.full((len(rules.symbols) + len(rules.portfolios), PARAMETERS), np.nan))


def refitted(rules: Rules, fits: Floats, rows: int, log_returns: Floats) -> Floats:
    """``fits`` after ``rows`` returns, those columns fitted again whose turn it is; ``log_returns`` (T, symbols) end there.

    A fit depends on its window alone, never on the fit before, so a state that was warmed up and one that was folded agree.
    """
    wanted = range(0 if rules.assets_fitted else len(rules.symbols), len(fits))
    due = [c for c in wanted if c % EVERY == rows % EVERY or np.isnan(fits[c, 0])]
    if not due:
        return fits
    after = np.array(fits)
    past = with_books(rules.portfolios, complete(log_returns[-WINDOW:]))
    for column in due:
        known = past[np.isfinite(past[:, column]), column]
        after[column] = fit_gjr(known, leverage=column >= len(rules.symbols)).row()
    return frozen(after)
