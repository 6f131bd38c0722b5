"""The state of 500 assets survives any interruption to the last bit: written, read and taken on by a forecaster made anew."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from conftest import made_up_table, small_rules
from riskd.core.arrays import Floats
from riskd.core.forecaster import MarketState
from riskd.core.state import pack, unpack
from riskd.core.warm import warm_state
from riskd.forecast.artefact import load_artefact
from riskd.forecast.onnx_lstm import OnnxLstm

pytestmark = pytest.mark.integration
ARTEFACT = Path(__file__).resolve().parents[2] / "models" / "artefacts" / "lstm-jsu"
ASSETS, SESSIONS, INTERRUPTIONS = 500, 5000, 20
RULES = small_rules()
AROUND = warm_state(RULES, made_up_table(RULES.symbols, sessions=130))  # what else a state holds, here of no matter


def forecaster(threads: int = 1) -> OnnxLstm:
    """Read from disk and verified, as at every start of the daemon."""
    return OnnxLstm(load_artefact(ARTEFACT), threads=threads)


def daily_returns() -> Iterator[Floats]:
    """Heavy-tailed log returns (assets,) in calm and stormy times, one crash among them, without end."""
    random = np.random.default_rng(5)
    spread = random.uniform(0.004, 0.03, ASSETS)
    common = 0.0
    for session in count():
        common = 0.98 * common + 0.1 * random.standard_normal()
        shared, own = random.standard_t(4), random.standard_t(4, ASSETS)
        yield spread * np.exp(common) * (0.6 * shared + 0.8 * own) - 0.12 * (session == 2000)


def stored(market: MarketState) -> bytes:
    """The market inside a state, as the checkpoint keeps it."""
    return pack(replace(AROUND, market=market))


def advanced(interruptions: frozenset[int]) -> tuple[list[str], bytes]:
    """A digest of the forecast's scores of every session, and the last state's bytes.

    At an interruption everything is lost but the bytes, and another number of threads is at hand.
    """
    model, returns = forecaster(), daily_returns()
    market = model.start(np.array([next(returns) for _ in range(model.spin_up)]))
    digests = []
    for session in range(SESSIONS):
        if session in interruptions:
            content = stored(market)
            del model, market
            model, market = forecaster(threads=1 + session % 2), unpack(content).market
        row = next(returns)[None]
        digests.append(hashlib.sha256(model.forecast(market).score(row).tobytes()).hexdigest())
        market = model.advance(market, row)
    return digests, stored(market)


def test_interrupted_and_not_are_the_same_bytes() -> None:
    """500 assets over 5,000 sessions: with 20 interruptions every score and the last state are what they are with none."""
    chosen = np.random.default_rng(20).choice(np.arange(1, SESSIONS), INTERRUPTIONS, replace=False)
    interrupted, last = advanced(frozenset(chosen.tolist()))
    whole, wanted = advanced(frozenset())
    assert len(set(whole)) == SESSIONS
    assert interrupted == whole
    assert last == wanted
