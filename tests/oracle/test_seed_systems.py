"""What the systems of the two papers must do to be called working: on simulated truth, and beside real prices."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtr
from scipy.stats import kstest
from scipy.stats import t as student

from riskd.core.arrays import Floats
from riskd.core.scenarios import SCENARIO_MODELS
from riskd.core.scenarios.t_copula import fit_t_copula
from window_systems import correlated, driven, folded, small, trained_forecaster

pytestmark = pytest.mark.oracle

ROOT = Path(__file__).resolve().parents[2]
SIMULATED = 500  # sessions of a path whose autocorrelation is judged
DRAWN = 200


def uniform(values: Floats) -> float:
    """The p-value of Kolmogorov and Smirnov's test that values are uniform."""
    return float(kstest(values.ravel(), "uniform").pvalue)


def test_margins_of_the_lstm_copula_hold_in_calm_and_storm(tmp_path: Path) -> None:
    """On 1,000 later sessions of four simulated assets, whose variance follows the last move, the probability-integral
    transforms are uniform: all of them, and those after the largest and the smallest fifth of moves. One constant Student-t,
    right on average, fails after large moves, so the test can tell."""
    returns = driven(correlated(6000, 4, 8.0, seed=1)[0], 0.5, 0.5, 0.0)
    recipe = small("seed-1", window=4, steps=500, batch=256, learning_rate=2e-2, spin_up=1000, warm_up=1000, validation=0.1)
    forecaster = trained_forecaster(recipe, returns[:5000], tmp_path)
    later = ndtr(folded(forecaster, returns)[1][-1000:])
    before = np.abs(returns[-1001:-1])
    storm, calm = before > np.quantile(before, 0.8), before < np.quantile(before, 0.2)
    assert min(uniform(later), uniform(later[storm]), uniform(later[calm])) > 0.01
    constant = student.cdf(returns[-1000:], *student.fit(returns[:5000].ravel()))
    assert uniform(constant[storm]) < 1e-4


def test_the_lstm_copula_recovers_the_dependence(tmp_path: Path) -> None:
    """Eight GARCH assets of 3,000 sessions joined by Student-t with five degrees of freedom: scores under the network's margins
    give back 4 to 6.5, and the correlations to 0.05 on average."""
    shocks, correlation = correlated(3000, 8, 5.0, seed=1)
    returns = driven(shocks, 0.04, 0.1, 0.86)
    recipe = small("seed-1", window=20, hidden=16, steps=300, learning_rate=1e-2, spin_up=250, warm_up=250)
    _, scores = folded(trained_forecaster(recipe, returns, tmp_path), returns)
    found = fit_t_copula(scores)
    assert 4 <= found.dof <= 6.5
    assert np.abs(found.correlation - correlation)[np.triu_indices(8, 1)].mean() < 0.05


@pytest.fixture(scope="module")
def stocks() -> Floats:
    """Log returns of three stocks, 1990 to 2022; shape (sessions, 3)."""
    prices = pd.read_csv(ROOT / "examples" / "prices" / "us-stocks-1990-2022.csv.gz", index_col="date")
    return np.diff(np.log(prices[["JPM", "KO", "XOM"]].to_numpy()), axis=0)


def persistence(returns: Floats) -> Floats:
    """Mean autocorrelation of |r| over lags 1 to 20 and all assets; of (sessions, paths, assets) shape (paths,)."""
    size = np.abs(returns) - np.abs(returns).mean(axis=0)
    lags = [(size[k:] * size[:-k]).sum(axis=0) / (size**2).sum(axis=0) for k in range(1, 21)]
    return np.asarray(np.mean(lags, axis=(0, 2)))


def simulated_persistence(recipe: str, model: str, returns: Floats, folder: Path) -> float:
    """Its mean over simulated paths, driven by residuals of the four fifths of sessions that the network did not learn from."""
    wanted = small(recipe, window=10, steps=100, spin_up=10, warm_up=110, validation=0.8)
    forecaster = trained_forecaster(wanted, returns, folder)
    first = len(returns) - round(len(returns) * 0.8) - forecaster.warm_up
    state, pool = folded(forecaster, returns[first:])
    scores = SCENARIO_MODELS[model](pool).draw(np.random.default_rng(1), SIMULATED, DRAWN)
    return float(persistence(forecaster.simulate(state, scores)).mean())


def test_only_what_is_filtered_or_drawn_in_blocks_keeps_storms_together(stocks: Floats, tmp_path: Path) -> None:
    """Autocorrelation of |r| over 500 sessions of a path: with scaled residuals or blocks inside the 90 % band of 13 spans of
    the data, and with residuals drawn one by one, as the paper does, far below it."""
    later = stocks[len(stocks) - len(stocks) * 4 // 5 :]
    spans = later[: len(later) // SIMULATED * SIMULATED].reshape(-1, SIMULATED, 3).transpose(1, 0, 2)
    means = np.random.default_rng(0).choice(persistence(spans), (5000, spans.shape[1])).mean(axis=1)
    low, high = np.quantile(means, [0.05, 0.95])
    assert low < simulated_persistence("seed-4-filtered", "iid-bootstrap", stocks, tmp_path / "filtered") < high
    assert low < simulated_persistence("seed-4-open", "block-bootstrap", stocks, tmp_path / "blocks") < high
    assert simulated_persistence("seed-4", "iid-bootstrap", stocks, tmp_path / "as-written") < low / 4


def test_residuals_drawn_together_keep_the_assets_together(stocks: Floats, tmp_path: Path) -> None:
    """Correlations of one simulated session are those of the residuals it is made of."""
    forecaster = trained_forecaster(small("seed-4"), stocks[-1500:], tmp_path)
    state, pool = folded(forecaster, stocks[-1500:])
    drawn = SCENARIO_MODELS["iid-bootstrap"](pool).draw(np.random.default_rng(2), 1, 20_000)
    found = np.corrcoef(forecaster.simulate(state, drawn)[0], rowvar=False)
    assert_allclose(found, np.corrcoef(pool, rowvar=False), atol=0.03)
