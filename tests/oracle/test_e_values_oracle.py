"""E-values against what their theory promises of them."""

import numpy as np
import pytest
from scipy.stats import norm

from riskd.core.validation.e_values import MOST_BET, STRONG, e_process, e_statistics

pytestmark = pytest.mark.oracle
LEVEL = 0.95
VAR = float(norm.ppf(LEVEL))
CVAR = float(norm.pdf(VAR) / (1 - LEVEL))


def ones(count: int, value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.full(count, value)


def test_the_expectation_is_one_under_a_right_forecast() -> None:
    """Of normal losses under their own VaR and CVaR, to four standard errors; below one where CVaR is too large."""
    losses = np.random.default_rng(1).normal(size=400_000)
    e = e_statistics(losses, ones(len(losses), VAR), ones(len(losses), CVAR), LEVEL)
    assert abs(e.mean() - 1) < 4 * e.std() / len(e) ** 0.5
    assert e_statistics(losses, ones(len(losses), VAR), ones(len(losses), CVAR * 1.3), LEVEL).mean() < 0.8


def test_strong_evidence_is_rare_under_a_right_forecast() -> None:
    """Of 400 years of 250 sessions at most 5 % (and four standard errors) ever reach 20: Ville's inequality."""
    random = np.random.default_rng(2)
    reached = [e_process(random.normal(size=250), ones(250, VAR), ones(250, CVAR), LEVEL).max() >= STRONG for _ in range(400)]
    assert np.mean(reached) <= 0.05 + 4 * (0.05 * 0.95 / 400) ** 0.5


def test_a_forecast_too_small_is_found_out() -> None:
    """Losses half as large again as forecast give strong evidence within two years, nearly always."""
    random = np.random.default_rng(3)
    held = [e_process(1.5 * random.normal(size=500), ones(500, VAR), ones(500, CVAR), LEVEL).max() for _ in range(50)]
    assert np.mean(np.array(held) >= STRONG) > 0.9


def test_the_first_steps_by_hand() -> None:
    """No bet on the first session; after one exceedance of e = 3 the bet is (e - 1) / (e - 1)^2 = 1/2, the most there is."""
    var, cvar = ones(3, 1.0), ones(3, 2.0)
    losses = np.array([1.15, 0.0, 1.10])  # e = 3, 0, 2 at level 0.95
    held = e_process(losses, var, cvar, LEVEL)
    assert e_statistics(losses, var, cvar, LEVEL) == pytest.approx([3.0, 0.0, 2.0])
    bet = min(MOST_BET, (2 - 1) / 2 / ((4 + 1) / 2))  # mean gain 1/2 over mean square 5/2
    assert held == pytest.approx([1.0, 1 - MOST_BET, (1 - MOST_BET) * (1 + bet)])


def test_a_bet_does_not_know_what_comes() -> None:
    """The process up to a session does not change with later losses."""
    random = np.random.default_rng(4)
    losses = random.normal(size=100)
    whole = e_process(losses, ones(100, VAR), ones(100, CVAR), LEVEL)
    assert np.array_equal(whole[:60], e_process(losses[:60], ones(60, VAR), ones(60, CVAR), LEVEL))


def test_a_cvar_that_is_not_above_its_var_is_refused() -> None:
    """There is no tail to bet on."""
    with pytest.raises(ValueError, match="above its VaR"):
        e_statistics(np.zeros(2), ones(2, 1.0), ones(2, 1.0), LEVEL)
    assert len(e_process(np.zeros(0), np.zeros(0), np.zeros(0), LEVEL)) == 0
