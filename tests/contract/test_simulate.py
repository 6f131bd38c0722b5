"""Whole horizons at once: the same bytes however they are cut up, and what single sessions give."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from riskd.core.arrays import Floats
from riskd.core.forecaster import MarketState, stepwise
from riskd.errors import ModelError
from riskd.forecast import onnx_lstm
from riskd.forecast.artefact import Artefact, load_artefact
from riskd.forecast.onnx_lstm import BLOCK, OnnxLstm

pytestmark = pytest.mark.contract

ROOT = Path(__file__).resolve().parents[2]
STOCKS = ["AAPL", "BAC", "JNJ", "XOM", "RRC"]


@pytest.fixture(scope="module")
def artefact() -> Artefact:
    """The committed model."""
    return load_artefact(ROOT / "models" / "artefacts" / "lstm-jsu")


@pytest.fixture(scope="module")
def forecaster(artefact: Artefact) -> OnnxLstm:
    """On the processor, one thread."""
    return OnnxLstm(artefact)


@pytest.fixture(scope="module")
def history() -> Floats:
    """Real log returns of five stocks through 2008 and of an equal book of them; shape (sessions, 6)."""
    prices = pd.read_csv(ROOT / "examples" / "prices" / "us-stocks-1990-2022.csv.gz", index_col="date")
    returns = np.diff(np.log(prices.loc["2007":"2008", STOCKS].to_numpy()), axis=0)
    return np.hstack([returns, np.log1p(np.expm1(returns).mean(axis=1, keepdims=True))])


@pytest.fixture(scope="module")
def market(forecaster: OnnxLstm, history: Floats) -> MarketState:
    """The five stocks and the book at the end of 2008."""
    state = forecaster.start(history[: forecaster.spin_up], market=5)
    for row in history[forecaster.spin_up :]:
        state = forecaster.advance(state, row[None])
    return state


def drawn(*shape: int) -> Floats:
    """Normal scores."""
    return np.random.default_rng(4).standard_normal(shape)


def test_a_horizon_is_its_sessions(forecaster: OnnxLstm, market: MarketState) -> None:
    """Twenty-one sessions agree with forecast and advance taken in turns, to 1e-5 of each session's largest return."""
    scores = drawn(21, 100, 6)
    found, expected = forecaster.simulate(market, scores), stepwise(forecaster, market, scores)
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, rtol=1e-5, atol=1e-5 * np.abs(other).max())


def test_the_first_session_is_the_forecast(forecaster: OnnxLstm, market: MarketState) -> None:
    """One session ahead nothing but the forecast of the state itself is drawn from, to float32's precision."""
    scores = drawn(1, 64, 6)
    expected = forecaster.forecast(market).from_score(scores[0])
    assert_allclose(forecaster.simulate(market, scores)[0], expected, rtol=2e-6, atol=1e-6 * np.abs(expected).max())


def test_a_path_remembers(forecaster: OnnxLstm, market: MarketState) -> None:
    """Paths that part on the first session have other returns on the second although their scores are the same."""
    scores = drawn(2, 2, 6)
    scores[0, 1] = -4.0
    scores[1, 1] = scores[1, 0]
    calm, crash = forecaster.simulate(market, scores)[1]
    assert (np.abs(crash / calm - 1) > 0.05).all()


@pytest.mark.parametrize("paths", [1, BLOCK - 1, BLOCK, 701])
def test_the_number_of_paths_does_not_matter(forecaster: OnnxLstm, market: MarketState, paths: int) -> None:
    """The first paths of many have the bytes that they have without the others."""
    scores = drawn(4, 1500, 6)
    alone = forecaster.simulate(market, scores[:, :paths])
    assert forecaster.simulate(market, scores)[:, :paths].tobytes() == alone.tobytes()


def test_the_place_of_a_path_does_not_matter(forecaster: OnnxLstm, market: MarketState) -> None:
    """Shuffled over tiles, every path keeps its bytes."""
    scores = drawn(4, 1500, 6)
    order = np.random.default_rng(9).permutation(1500)
    shuffled = forecaster.simulate(market, scores[:, order])
    assert forecaster.simulate(market, scores)[:, order].tobytes() == shuffled.tobytes()


@pytest.mark.parametrize("rows", [1, 1000, 100_000])
def test_tiles_do_not_matter(forecaster: OnnxLstm, market: MarketState, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles of one block, of some, or one tile for all give the same bytes."""
    scores = drawn(4, 999, 6)
    usual = forecaster.simulate(market, scores)
    monkeypatch.setitem(onnx_lstm.TILE_ROWS, "cpu", rows)
    assert forecaster.simulate(market, scores).tobytes() == usual.tobytes()


def test_threads_do_not_matter(artefact: Artefact, forecaster: OnnxLstm, market: MarketState) -> None:
    """Two threads give the bytes of one."""
    scores = drawn(4, 2000, 6)
    assert OnnxLstm(artefact, threads=2).simulate(market, scores).tobytes() == forecaster.simulate(market, scores).tobytes()


def test_a_book_leaves_the_assets_alone(forecaster: OnnxLstm, market: MarketState, history: Floats) -> None:
    """Without the book's column the five stocks have the same bytes on every session and path."""
    state = forecaster.start(history[: forecaster.spin_up, :5])
    for row in history[forecaster.spin_up :, :5]:
        state = forecaster.advance(state, row[None])
    scores = drawn(5, 300, 6)
    assert np.array_equal(forecaster.simulate(market, scores)[:, :, :5], forecaster.simulate(state, scores[:, :, :5]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e4])
def test_what_is_not_finite_is_refused(forecaster: OnnxLstm, market: MarketState, bad: float) -> None:
    """A score that is not finite, or so large that its return is not, is neither clipped nor passed on."""
    scores = drawn(3, 40, 6)
    scores[1, 7, 2] = bad
    with pytest.raises(ModelError, match="not finite"):
        forecaster.simulate(market, scores)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.tiled(2), r"state V1: expected float32 \(1, 6\), found float32 \(2, 6\)"),
        (
            lambda state: MarketState({k: v[:, :5] for k, v in state.arrays.items()}),
            r"expected float32 \(1, 6\), found float32 \(1, 5\)",
        ),
        (lambda state: MarketState({k: v for k, v in state.arrays.items() if k != "mu"}), "state mu: .* found nothing"),
    ],
)
def test_another_state_is_refused(
    forecaster: OnnxLstm, market: MarketState, change: Callable[[MarketState], MarketState], message: str
) -> None:
    """Only one real path of as many columns as the scores have will do."""
    with pytest.raises(ModelError, match=message):
        forecaster.simulate(change(market), drawn(2, 16, 6))


def test_scores_of_one_session_need_their_axis(forecaster: OnnxLstm, market: MarketState) -> None:
    """Two axes are not guessed to be one session."""
    with pytest.raises(ModelError, match=r"scores have shape \(16, 6\), expected \(sessions, paths, columns\)"):
        forecaster.simulate(market, drawn(16, 6))
