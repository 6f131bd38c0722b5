"""The figures of ``benchmarks/data_faults.py`` on fewer dates: what must be seen is seen, and what is clean is left alone."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]
SLOW = {"frozen, 3 sessions", "frozen for good"}  # a name that often repeats its close is given longer


@pytest.fixture(scope="module")
def faults() -> Any:
    """The benchmark's own module."""
    spec = importlib.util.spec_from_file_location("data_faults", ROOT / "benchmarks" / "data_faults.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_fault_of_a_price_is_seen_the_same_day(faults: Any) -> None:
    """Each kind in every name on two dates: 100 %, at once."""
    missed = {}
    for kind, waits in faults.corpus(faults.corpus_closes(), 2).items():
        if kind not in SLOW and set(waits) != {0}:
            missed[kind] = waits
    assert missed == {}


def test_a_frozen_name_is_seen_within_three_sessions(faults: Any) -> None:
    """More than 85 % of all, the median within three; the rest are names that often repeat their close."""
    waits = faults.corpus(faults.corpus_closes(), 2)["frozen for good"]
    assert np.mean([w is not None and w <= 2 for w in waits]) > 0.85
    assert np.mean([w is not None for w in waits]) > 0.95


def test_every_fault_of_dates_is_seen(faults: Any) -> None:
    """Stale, shifted, weekend, unsorted and duplicated frames: all of them."""
    dates = [day.date() for day in faults.corpus_closes().index]
    assert set(faults.frames(dates).values()) == {1.0}


def test_the_clean_etfs_raise_no_alarm(faults: Any, shared: Path) -> None:
    """At most one in 10,000 name-days on its own day, and none for good, over 30 years."""
    for name in ("14 ETFs", "14 ETFs, not adjusted"):
        closes = faults.clean_sets()[name]
        live, lasting = faults.alarms(closes)
        assert 1e4 * len(live) / closes.notna().to_numpy().sum() <= 1
        assert lasting == []
