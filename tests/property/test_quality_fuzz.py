"""Whatever a source says, judgement ends with returns that are finite or honestly absent."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskd.core.quality.doubt import QUARANTINED
from riskd.core.quality.examine import examine, examine_history
from riskd.core.quality.revision import classify
from riskd.core.quality.window import PriceWindow

pytestmark = pytest.mark.property

ODD = np.array([np.nan, np.inf, -np.inf, 0.0, -37.63, 1e30, 1e-30, 5e-324, 1.7e308, 123.47, 0.01])


def fuzzed(seed: int, rows: int, names: int, share: float) -> tuple[PriceWindow, np.ndarray, np.ndarray]:
    """A window, the returns in use and those before, spoilt in a ``share`` of all places."""
    random = np.random.default_rng(seed)

    def spoil(values: np.ndarray, by: np.ndarray) -> np.ndarray:
        return np.where(random.random(values.shape) < share, random.choice(by, values.shape), values)

    shape = (rows, names)
    returns = 10.0 ** random.uniform(-4, -1) * random.standard_t(3, (rows + 40, names))
    closes = spoil(100 * np.exp(np.cumsum(returns, axis=0))[40:], ODD)
    repeated = random.random(shape) < share / 2
    closes[1:] = np.where(repeated[1:], closes[:-1], closes[1:])
    used = spoil(returns[40:], np.array([np.nan, 0.0, 3.0]))
    used[-1] = np.where(random.random(names) < 0.5, np.nan, used[-1])
    window = PriceWindow(
        tuple(f"N{i}" for i in range(names)),
        tuple(date(2026, 1, 1) + timedelta(days=i) for i in range(rows)),
        closes,
        spoil(np.zeros(shape), np.array([0.5, -1.0, np.nan, 1e300, np.inf])),
        random.random(shape) > share / 3,
        random.random(shape) < share / 3,
        random.random(shape) < share / 3,
        random.integers(0, rows + 5, shape),
        spoil(np.full(shape, np.nan), ODD),
        ("yahoo",) * names,
    )
    return window, used, spoil(returns[:40], np.array([np.nan, 0.0]))


@settings(max_examples=1500, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 20), st.integers(1, 9), st.sampled_from([0.02, 0.1, 0.4, 0.9]))
def test_no_window_breaks_judgement(seed: int, rows: int, names: int, share: float) -> None:
    """No exception, no infinity; a quarantined newest close is never used and a used one never doubted."""
    window, used, before = fuzzed(seed, rows, names, share)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        judged = examine(window, used, before)
        returns, _ = examine_history(window)
    assert not np.isinf(judged.returns).any()
    assert not np.isinf(judged.heard).any()
    assert not np.isinf(returns).any()
    assert not any(np.isinf(c.new) for c in judged.corrections)
    newest = {window.symbols.index(d.symbol) for d in judged.doubts if d.session == window.sessions[-1]}
    assert np.isnan(judged.returns[list(newest)]).all()
    assert not (np.isfinite(judged.heard) & np.isfinite(judged.returns)).any()
    assert {d.symbol for d in judged.doubts if d.rule in QUARANTINED} <= set(window.symbols)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 60), st.sampled_from([0.1, 0.5]))
def test_no_change_breaks_its_naming(seed: int, rows: int, share: float) -> None:
    """Revisions of spoilt values: rows in order and within the answer, and none where nothing changed."""
    random = np.random.default_rng(seed)
    days = [date(2026, 1, 1) + timedelta(days=i) for i in range(rows)]
    old = np.where(random.random(rows) < share, random.choice(ODD, rows), 100.0 + np.arange(rows))
    new = np.where(random.random(rows) < share, random.choice(ODD, rows), old)
    for revision in classify("X", "close", "yahoo", days, old, new):
        assert days[0] <= revision.first <= revision.last <= days[-1]
    assert classify("X", "close", "yahoo", days, old, old) == ()
