"""The scores and their comparison, against quadrature, direct sums and hand results."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from riskd.core.validation.compare import DieboldMariano, diebold_mariano, holm
from riskd.core.validation.scores import crps, crps_sorted, energy_score, fz0, pinball

pytestmark = pytest.mark.oracle

LEVEL = 0.95
V = stats.norm.ppf(LEVEL)
C = stats.norm.pdf(V) / (1 - LEVEL)


def expected(score: str, v: float, c: float) -> float:
    """The expected score of a (v, c) forecast when the loss is standard normal, by quadrature."""

    def weighted(loss: float) -> float:
        one, var, cvar = np.array([loss]), np.array([v]), np.array([c])
        value = pinball(one, var, LEVEL) if score == "pinball" else fz0(one, var, cvar, LEVEL)
        return float(value[0] * stats.norm.pdf(loss))

    return float(sum(integrate.quad(weighted, a, b)[0] for a, b in ((-12, v), (v, 12))))


@pytest.mark.parametrize(("dv", "dc"), [(0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1), (0.1, 0.1), (-0.1, -0.1)])
def test_the_truth_scores_best(dv: float, dc: float) -> None:
    """Any other VaR or CVaR has a higher expected FZ0, and any other VaR a higher expected pinball loss."""
    assert expected("fz0", V + dv, C + dc) > expected("fz0", V, C) + 1e-5
    if dv:
        assert expected("pinball", V + dv, C) > expected("pinball", V, C) + 1e-5


def test_fz0_of_the_truth() -> None:
    """E FZ0 of the truth is log c, and E pinball is (1 - alpha)(c - mean)."""
    assert expected("fz0", V, C) == pytest.approx(math.log(C), abs=1e-7)
    assert expected("pinball", V, C) == pytest.approx((1 - LEVEL) * C, abs=1e-7)


def test_by_hand() -> None:
    """Loss 0.05 over VaR 0.03 and CVaR 0.04 at 95 %: pinball 0.019; FZ0 10 + 0.75 + log 0.04 - 1."""
    loss, var, cvar = np.array([0.05, 0.01]), np.array([0.03, 0.03]), np.array([0.04, 0.04])
    assert_allclose(pinball(loss, var, LEVEL), [0.95 * 0.02, 0.05 * 0.02], rtol=1e-12)
    assert_allclose(fz0(loss, var, cvar, LEVEL), [10 + 0.75 + math.log(0.04) - 1, 0.75 + math.log(0.04) - 1], rtol=1e-12)


@pytest.mark.parametrize("cvar", [0.0, -0.01, math.nan])
def test_fz0_wants_a_positive_cvar(cvar: float) -> None:
    """A CVaR of zero, below it or missing is refused and not scored."""
    with pytest.raises(ValueError, match="above 0; 1 are not"):
        fz0(np.zeros(2), np.zeros(2), np.array([0.1, cvar]), LEVEL)


def test_crps_is_the_integral() -> None:
    """It is the area between the step function of the sample and that of the loss, squared, computed piece by piece."""
    random = np.random.default_rng(0)
    samples, losses = np.sort(random.standard_t(3, (5, 40)), axis=1), random.standard_t(3, 5)
    for loss, sample, score in zip(losses, samples, crps(losses, samples), strict=True):
        knots = np.sort(np.append(sample, loss))
        middle = (knots[1:] + knots[:-1]) / 2
        step = (sample <= middle[:, None]).mean(axis=1) - (loss <= middle)
        assert score == pytest.approx(float(step**2 @ np.diff(knots)), rel=1e-12)
        assert crps_sorted(loss, sample) == score


def test_crps_of_the_normal() -> None:
    """A sample of normal quantiles has the closed form 2 phi(y) + y (2 Phi(y) - 1) - 1 / sqrt(pi)."""
    y, quantiles = 0.7, stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    truth = 2 * stats.norm.pdf(y) + y * (2 * stats.norm.cdf(y) - 1) - 1 / math.sqrt(math.pi)
    assert crps_sorted(y, quantiles) == pytest.approx(truth, abs=2e-4)


def test_crps_wants_a_sorted_sample() -> None:
    """An unsorted sample, or one with NaN, is refused."""
    for row in ([2.0, 1.0], [1.0, math.nan]):
        with pytest.raises(ValueError, match="sorted"):
            crps(np.zeros(1), np.array([row]))


def test_energy_score() -> None:
    """By hand on three rows; in one dimension it estimates the CRPS of the law; the true law beats a wrong one."""
    rows = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 4.0]])
    assert energy_score(np.zeros(2), rows) == pytest.approx(10 / 3 - 5 / 4)
    draws = np.random.default_rng(1).standard_normal((200_000, 1))
    assert energy_score(np.array([0.7]), draws) == pytest.approx(crps_sorted(0.7, np.sort(draws[:, 0])), abs=0.01)
    with pytest.raises(ValueError, match="two draws"):
        energy_score(np.zeros(2), rows[:1])


@pytest.mark.parametrize("lags", [None, 0, 12])
def test_diebold_mariano_is_the_double_sum(lags: int | None) -> None:
    """The t agrees with the long-run variance written as a double sum over all pairs of days; 5 lags for 400 days."""
    random = np.random.default_rng(2)
    difference = 0.05 + np.convolve(random.standard_normal(405), np.ones(6) / 6, mode="valid")
    count, used = len(difference), 5 if lags is None else lags
    centred = difference - difference.mean()
    gap = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    variance = (np.clip(1 - gap / (used + 1), 0, None) * np.outer(centred, centred)).sum() / count
    found = diebold_mariano(difference, lags)
    assert found.t == pytest.approx(difference.mean() / np.sqrt(variance / count), rel=1e-12)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(found.t)), rel=1e-12)
    assert found.mean == difference.mean()


def test_diebold_mariano_without_variation() -> None:
    """Two equal forecasts do not differ; a difference that never varies is infinitely sure."""
    assert diebold_mariano(np.zeros(30)) == DieboldMariano(0.0, 0.0, 1.0)
    assert diebold_mariano(np.full(30, -0.25)) == DieboldMariano(-0.25, -math.inf, 0.0)


@pytest.mark.parametrize("difference", [[1.0], [0.1, math.nan, 0.2]])
def test_diebold_mariano_wants_numbers(difference: list[float]) -> None:
    """NaN or a single day is refused."""
    with pytest.raises(ValueError, match="finite"):
        diebold_mariano(np.array(difference))


def test_diebold_mariano_holds_its_size() -> None:
    """Under equal accuracy with autocorrelated differences about one series in twenty is called different at 5 %."""
    random = np.random.default_rng(3)
    noise = random.standard_normal((400, 1003))
    series = noise[:, 3:] + 0.3 * noise[:, 2:-1] + 0.2 * noise[:, 1:-2]
    assert 0.025 <= np.mean([diebold_mariano(row).p < 0.05 for row in series]) <= 0.085


def test_holm_by_hand() -> None:
    """0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02; a NaN is not counted, and nothing exceeds one."""
    assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02], rtol=1e-12)
    assert_allclose(holm(np.array([np.nan, 0.02, 0.9, 0.8])), [np.nan, 0.06, 1, 1], rtol=1e-12)
