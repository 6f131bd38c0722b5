"""What a return or score probably was where none is known: what the others did, at the rate it usually follows them."""

import numpy as np

from riskd.core.arrays import Floats, frozen

LEAST = 60  # rows that a rate is learnt from; with fewer the stand-in is zero


def proxied(rows: Floats) -> Floats:
    """``rows`` (sessions, symbols) with every NaN replaced by s_i beta_i m_t; the same array if there is none.

    s_i is a column's root mean square, m_t the mean of the known x_it = rows_it / s_i of a session, and
    beta_i = sum m_t x_it / sum m_t^2 over the sessions in which column i is known. A session without any known value gives zeros.
    It understates what the missing name did on its own, so it stands in and is never published as a price.
    """
    known = np.isfinite(rows)
    if known.all():
        return rows
    values = np.where(known, rows, 0.0)
    counts = known.sum(axis=0)
    scale = np.sqrt((values**2).sum(axis=0) / np.maximum(counts, 1)) + 1e-12  # (symbols,)
    x = values / scale
    common = x.sum(axis=1) / np.maximum(known.sum(axis=1), 1)  # (sessions,)
    together = (known * common[:, None] ** 2).sum(axis=0)
    beta = np.where(counts >= LEAST, (common @ x) / np.maximum(together, 1e-12), 0.0)
    return np.where(known, rows, common[:, None] * (beta * scale))


def complete(rows: Floats) -> Floats:
    """``rows`` without the sessions in which nothing is known, and proxied elsewhere; the same array if it is whole."""
    some = np.isfinite(rows).any(axis=1)
    return proxied(rows if some.all() else frozen(rows[some]))


def stand_in(past: Floats, r: Floats) -> Floats:
    """``r`` (symbols,) with NaN proxied as the newest session of ``past`` (sessions, symbols) would be."""
    if np.isfinite(r).all():
        return r
    return np.asarray(proxied(np.vstack([past[-250:], r]))[-1])
