"""What every user of the forecaster relies on: same bytes, no look ahead, and a clear word instead of a wrong number."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from riskd.core.arrays import Floats, Floats32
from riskd.core.forecaster import MarketState
from riskd.errors import ModelError
from riskd.forecast.artefact import Artefact, load_artefact
from riskd.forecast.contract import MARKET
from riskd.forecast.onnx_lstm import BLOCK, TILE_ROWS, OnnxLstm

pytestmark = pytest.mark.contract

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def artefact() -> Artefact:
    """The committed model."""
    return load_artefact(ROOT / "models" / "artefacts" / "lstm-jsu")


@pytest.fixture(scope="module")
def forecaster(artefact: Artefact) -> OnnxLstm:
    """On the processor, one thread."""
    return OnnxLstm(artefact)


@pytest.fixture(scope="module")
def returns() -> Floats:
    """Real log returns of five stocks over 2007-2009; shape (sessions, 5)."""
    prices = pd.read_csv(ROOT / "examples" / "prices" / "us-stocks-1990-2022.csv.gz", index_col="date")
    return np.diff(np.log(prices.loc["2007":"2009", ["AAPL", "BAC", "JNJ", "XOM", "RRC"]].to_numpy()), axis=0)


def folded(forecaster: OnnxLstm, returns: Floats) -> MarketState:
    """The state after all rows."""
    state = forecaster.start(returns[: forecaster.spin_up])
    for row in returns[forecaster.spin_up :]:
        state = forecaster.advance(state, row[None])
    return state


@pytest.fixture(scope="module")
def warm(forecaster: OnnxLstm, returns: Floats) -> MarketState:
    """The state after the warm-up."""
    return folded(forecaster, returns[: forecaster.warm_up])


def simulated(forecaster: OnnxLstm, warm: MarketState, paths: int, seed: int = 3) -> tuple[MarketState, Floats]:
    """Paths that have parted from each other: their state after three sessions, and the returns of a fourth."""
    rng = np.random.default_rng(seed)
    state = warm.tiled(paths)
    for _ in range(3):
        state = forecaster.advance(state, forecaster.forecast(state).from_score(rng.standard_normal((paths, 5))))
    return state, forecaster.forecast(state).from_score(rng.standard_normal((paths, 5)))


def assert_same_bytes(one: Mapping[str, Floats32], other: Mapping[str, Floats32]) -> None:
    """Equal to the last bit, signs of zero included."""
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].tobytes() == other[name].tobytes(), name


def test_every_array_has_paths_then_assets(warm: MarketState) -> None:
    """Axis 0 is the path and axis 1 the asset or 1, so that MarketState.tiled holds for all of them."""
    assert {len(array) for array in warm.arrays.values()} == {1}
    assert {array.shape[1] for array in warm.arrays.values()} == {1, 5}
    assert all(array.dtype == np.float32 and array.shape[0] == 1 for array in warm.arrays.values())


def test_memory_is_explicit(warm: MarketState) -> None:
    """h and c are arrays of the state and have moved away from zero."""
    assert warm.arrays["h"].shape == warm.arrays["c"].shape == (1, 5, 32)
    assert np.abs(warm.arrays["h"]).max() > 0.01


def test_a_state_is_read_only(warm: MarketState) -> None:
    """Nobody can change the past of a market by accident."""
    with pytest.raises(ValueError, match="read-only"):
        warm.arrays["G"][0, 0] = 1.0


def test_memory_matters(forecaster: OnnxLstm, warm: MarketState) -> None:
    """Forgetting h and c changes the next forecast, so a restart that loses them would be noticed."""
    forgetful = MarketState({**warm.arrays, "h": np.zeros_like(warm.arrays["h"]), "c": np.zeros_like(warm.arrays["c"])})
    today = np.full((1, 5), 0.01)
    kept, lost = (forecaster.forecast(forecaster.advance(s, today)).quantile(0.05) for s in (warm, forgetful))
    assert np.abs(kept / lost - 1).max() > 1e-3


def test_a_later_return_leaves_earlier_states_alone(forecaster: OnnxLstm, returns: Floats) -> None:
    """Changing the return of one session changes no state before it, and changes the state after it."""
    changed = returns[:100].copy()
    changed[90] *= -3
    assert_same_bytes(folded(forecaster, returns[:90]).arrays, folded(forecaster, changed[:90]).arrays)
    assert not np.array_equal(folded(forecaster, returns[:91]).arrays["G"], folded(forecaster, changed[:91]).arrays["G"])


def test_interrupted_is_uninterrupted(artefact: Artefact, returns: Floats, tmp_path: Path) -> None:
    """A state that went to disk and a new process's forecaster continue with the very same bytes."""
    whole = folded(OnnxLstm(artefact), returns[:160])
    half = folded(OnnxLstm(artefact), returns[:100])
    np.savez(tmp_path / "state.npz", **half.arrays)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as saved:
        state = MarketState({name: saved[name] for name in saved.files})
    again = OnnxLstm(artefact)
    for row in returns[100:160]:
        state = again.advance(state, row[None])
    assert_same_bytes(whole.arrays, state.arrays)


@pytest.mark.parametrize("paths", [2, BLOCK, 37, TILE_ROWS["cpu"] // 5 + 3])
def test_tiled_paths_are_the_single_path(forecaster: OnnxLstm, warm: MarketState, returns: Floats, paths: int) -> None:
    """The same market repeated gives, on every path, the bytes of the single path."""
    row = returns[forecaster.warm_up][None]
    alone = forecaster.advance(warm, row)
    assert_same_bytes(alone.tiled(paths).arrays, forecaster.advance(warm.tiled(paths), np.repeat(row, paths, axis=0)).arrays)


def test_the_place_of_a_path_does_not_matter(forecaster: OnnxLstm, warm: MarketState) -> None:
    """Shuffled over tiles, every path keeps its bytes; alone, too."""
    paths = 2 * (TILE_ROWS["cpu"] // 5) + 7
    state, row = simulated(forecaster, warm, paths)
    after = forecaster.advance(state, row)
    order = np.random.default_rng(9).permutation(paths)
    shuffled = forecaster.advance(MarketState({k: v[order] for k, v in state.arrays.items()}), row[order])
    assert_same_bytes({k: v[order] for k, v in after.arrays.items()}, shuffled.arrays)
    alone = forecaster.advance(MarketState({k: v[-1:] for k, v in state.arrays.items()}), row[-1:])
    assert_same_bytes({k: v[-1:] for k, v in after.arrays.items()}, alone.arrays)


def test_threads_do_not_matter(artefact: Artefact, forecaster: OnnxLstm, warm: MarketState) -> None:
    """Two threads give the bytes of one."""
    state, row = simulated(forecaster, warm, 2000)
    assert_same_bytes(forecaster.advance(state, row).arrays, OnnxLstm(artefact, threads=2).advance(state, row).arrays)


@pytest.mark.parametrize("paths", [BLOCK, BLOCK + 3])
def test_the_memory_order_of_returns_does_not_matter(forecaster: OnnxLstm, warm: MarketState, paths: int) -> None:
    """Returns laid out by column are the same returns."""
    state, row = simulated(forecaster, warm, paths)
    by_column = forecaster.advance(state, np.asfortranarray(row))
    assert_same_bytes(forecaster.advance(state, row).arrays, by_column.arrays)


@pytest.mark.parametrize("assets", [1, 2, 5])
def test_any_number_of_assets(forecaster: OnnxLstm, returns: Floats, assets: int) -> None:
    """One asset or several: the forecast is finite, its 5 % quantile a loss and its mean beyond that a larger one."""
    forecast = forecaster.forecast(folded(forecaster, returns[:120, :assets]))
    quantile, beyond = forecast.quantile(0.05), forecast.lower_mean(0.05)
    assert quantile.shape == (1, assets)
    assert (beyond < quantile).all() and (quantile < 0).all()


def test_a_crash_widens_the_forecast(forecaster: OnnxLstm, warm: MarketState) -> None:
    """A fall of five daily deviations raises tomorrow's VaR of that asset more than a calm day does."""
    deviation = forecaster.forecast(warm).scale
    calm, fell = (forecaster.forecast(forecaster.advance(warm, k * deviation)).quantile(0.05) for k in (-0.1, -5.0))
    assert (fell < 1.2 * calm).all()


def test_score_and_from_score_are_inverse(forecaster: OnnxLstm, warm: MarketState) -> None:
    """On the forecasts that the network really gives."""
    scores = np.random.default_rng(5).standard_normal((1, 5))
    forecast = forecaster.forecast(warm)
    assert_allclose(forecast.score(forecast.from_score(scores)), scores, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_return_that_is_not_finite_is_refused(forecaster: OnnxLstm, warm: MarketState, bad: float) -> None:
    """The message names asset and row; no state comes back."""
    row = np.zeros((1, 5))
    row[0, 3] = bad
    with pytest.raises(ModelError, match=r"asset 3 in row 0"):
        forecaster.advance(warm, row)


def with_books(returns: Floats) -> Floats:
    """The five stocks and three portfolios of them, one short; shape (sessions, 8)."""
    weights = np.array([[0.2] * 5, [0.5, 0.5, 0, 0, 0], [1, -1, 0.5, -0.5, 0]])
    return np.hstack([returns, np.log1p(np.expm1(returns) @ weights.T)])


@pytest.fixture(scope="module")
def booked(forecaster: OnnxLstm, returns: Floats) -> MarketState:
    """The state of stocks and books after the warm-up; five columns make the market."""
    history = with_books(returns[: forecaster.warm_up])
    state = forecaster.start(history[: forecaster.spin_up], market=5)
    for row in history[forecaster.spin_up :]:
        state = forecaster.advance(state, row[None])
    return state


def test_books_leave_the_market_alone(forecaster: OnnxLstm, warm: MarketState, booked: MarketState) -> None:
    """After a warm-up beside three books the stocks have the very bytes that they have without; so has what they share."""
    for name, array in warm.arrays.items():
        beside = booked.arrays[name]
        if name != "share":
            assert (beside if name in MARKET else beside[:, :5]).tobytes() == array.tobytes(), name


def test_books_leave_simulated_markets_alone(forecaster: OnnxLstm, warm: MarketState, booked: MarketState) -> None:
    """On a thousand different paths, too, whatever the books do."""
    rng = np.random.default_rng(8)
    alone, beside = warm.tiled(1001), booked.tiled(1001)
    for _ in range(3):
        r, books = 0.02 * rng.standard_normal((1001, 5)), 0.3 * rng.standard_normal((1001, 3))
        alone, beside = forecaster.advance(alone, r), forecaster.advance(beside, np.hstack([r, books]))
    for name in ("G", "h", "delta"):
        assert np.array_equal(alone.arrays[name], beside.arrays[name][:, :5]), name
    assert np.array_equal(alone.arrays["Gm"], beside.arrays["Gm"])


def test_a_book_sees_the_market(forecaster: OnnxLstm, booked: MarketState) -> None:
    """A book's forecast changes when the market's return does and its own does not."""
    calm, crash = np.zeros((1, 8)), np.zeros((1, 8))
    crash[:, :5] = -0.1
    found = [forecaster.forecast(forecaster.advance(booked, r)).quantile(0.05)[0, 5:] for r in (calm, crash)]
    assert (np.abs(found[1] / found[0] - 1) > 1e-3).all()


def test_shares_are_carried(forecaster: OnnxLstm, booked: MarketState) -> None:
    """A fifth for each stock and nothing for a book, before a step and after it."""
    after = forecaster.advance(booked, np.zeros((1, 8)))
    for state in (booked, after):
        assert_array_equal(state.arrays["share"], np.array([[0.2] * 5 + [0.0] * 3], np.float32))


@pytest.mark.parametrize("market", [0, -1, 6])
def test_a_market_of_other_columns_is_refused(forecaster: OnnxLstm, returns: Floats, market: int) -> None:
    """At least one column and at most all of them make up the market."""
    with pytest.raises(ModelError, match=f"{market} of 5 columns cannot make up the market; give from 1 to 5"):
        forecaster.start(returns[:60], market)


@pytest.mark.parametrize("name", ["h", "c", "V3", "G", "Gm", "m2"])
def test_a_state_that_is_not_finite_is_refused(forecaster: OnnxLstm, warm: MarketState, name: str) -> None:
    """NaN anywhere in the state ends in an error, never in a figure: clips inside the graph cannot hide it."""
    broken = warm.arrays[name].copy()
    broken.flat[0] = np.nan
    with pytest.raises(ModelError, match="not finite"):
        forecaster.advance(MarketState({**warm.arrays, name: broken}), np.full((1, 5), 0.01))


def test_a_state_of_another_universe_is_refused(forecaster: OnnxLstm, warm: MarketState) -> None:
    """Five assets remembered, four returned: the error names the array and both shapes."""
    with pytest.raises(ModelError, match=r"state V1: expected float32 \(1, 4\), found float32 \(1, 5\)"):
        forecaster.advance(warm, np.zeros((1, 4)))


def test_returns_without_a_path_axis_are_refused(forecaster: OnnxLstm, warm: MarketState) -> None:
    """A plain vector is not guessed to be one path."""
    with pytest.raises(ModelError, match=r"shape \(5,\), expected \(paths, assets\)"):
        forecaster.advance(warm, np.zeros(5))


def test_a_state_that_lacks_memory_is_refused(forecaster: OnnxLstm, warm: MarketState) -> None:
    """A state without h is of another model."""
    with pytest.raises(ModelError, match="state h: expected float32"):
        forecaster.advance(MarketState({k: v for k, v in warm.arrays.items() if k != "h"}), np.zeros((1, 5)))


@pytest.mark.parametrize("rows", [0, 59, 61])
def test_a_start_takes_exactly_its_rows(forecaster: OnnxLstm, returns: Floats, rows: int) -> None:
    """Sixty rows start a state, one more or less does not."""
    with pytest.raises(ModelError, match="starts from 60 rows"):
        forecaster.start(returns[:rows])


def test_constant_prices_do_not_break_it(forecaster: OnnxLstm, returns: Floats) -> None:
    """An asset that never moves, as a suspended one, gives finite forecasts near zero and leaves the others their own."""
    frozen = returns[:200].copy()
    frozen[:, 2] = 0.0
    quantile = forecaster.forecast(folded(forecaster, frozen)).quantile(0.05)[0]
    assert -1e-4 < quantile[2] < 0
    assert (quantile[[0, 1, 3, 4]] < -0.005).all()


def test_cuda_that_is_not_there_is_an_error(artefact: Artefact) -> None:
    """No silent run on the processor; the message says what there is and what to write instead."""
    if "CUDAExecutionProvider" in pytest.importorskip("onnxruntime").get_available_providers():
        pytest.skip("this machine has the CUDA provider")
    with pytest.raises(ModelError, match=r'provider "cuda" is not there .*set provider = "cpu"'):
        OnnxLstm(artefact, "cuda")


def test_auto_says_where_it_runs(artefact: Artefact, caplog: pytest.LogCaptureFixture) -> None:
    """Without a graphics card auto runs on the processor and warns; with one it says cuda."""
    with caplog.at_level("WARNING"):
        active = OnnxLstm(artefact, "auto").provider
    assert active == "cuda" or (active == "cpu" and "forecasting on the processor" in caplog.text)


def test_identity_is_name_and_hash(artefact: Artefact, forecaster: OnnxLstm) -> None:
    """As the reports print it: lstm-jsu@ and twelve digits, others for another step, horizon or first state."""
    assert re.fullmatch("lstm-jsu@[0-9a-f]{12}", forecaster.identity)
    card = artefact.card
    start = card.start.model_copy(update={"variance_floor": 2 * card.start.variance_floor})
    changes = ({"model_sha256": "0" * 64}, {"horizon_sha256": "0" * 64}, {"start": start}, {"spin_up": 61}, {"warm_up": 311})
    others = {replace(artefact, card=card.model_copy(update=change)).identity for change in changes}
    assert len(others | {forecaster.identity}) == 6
    assert OnnxLstm(replace(artefact)).identity == forecaster.identity
    assert_array_equal([forecaster.spin_up, forecaster.warm_up], [60, 310])
