"""The challenger against filtered historical simulation written out by hand, and against closed forms."""

import numpy as np
import pytest
from scipy import stats

from riskd.core.arrays import Floats
from riskd.core.challenger import DECAY, SPIN_UP, WINDOW, challenge

pytestmark = pytest.mark.oracle
WHOLE = np.ones(1)


def by_hand(book: Floats, level: float) -> tuple[float, float]:
    """One-session VaR and CVaR, session by session: volatility known before each return, residuals at tomorrow's."""
    variance = np.mean(np.square(book[:SPIN_UP]))
    residuals = []
    for r in book[SPIN_UP:]:
        residuals.append(r / variance**0.5)
        variance = 0.94 * variance + 0.06 * r**2
    losses = sorted((1 - np.exp(variance**0.5 * e) for e in residuals[-500:]), reverse=True)
    q = (1 - level) * len(losses)
    whole = int(q)
    tail = sum(losses[:whole]) + (q - whole) * losses[whole]
    return losses[whole if q - whole > 1e-9 else whole - 1], tail / q


@pytest.mark.parametrize("level", [0.95, 0.975, 0.99])
@pytest.mark.parametrize("sessions", [125, 200, 900])
def test_one_session_by_hand(sessions: int, level: float) -> None:
    """VaR and CVaR of the newest 500 residuals, the boundary one counted fractionally."""
    book = np.random.default_rng(1).standard_t(4, sessions) * 0.01
    figure = challenge(book[:, None], WHOLE, (level,), (1,))[level, 1]
    var, cvar = by_hand(book, level)
    assert figure.var == pytest.approx(var, rel=1e-6)
    assert figure.cvar == pytest.approx(cvar, rel=1e-6)


def test_the_book_is_held_in_simple_returns() -> None:
    """Two assets at weights w are one asset whose simple return is w'R; cash earns nothing."""
    returns = np.random.default_rng(2).normal(0, 0.03, (300, 2))
    weights = np.array([0.5, 0.2])
    book = np.log(1 + 0.5 * (np.exp(returns[:, 0]) - 1) + 0.2 * (np.exp(returns[:, 1]) - 1))
    figures = challenge(returns, weights, (0.95, 0.99), (1, 5))
    for key, figure in challenge(book[:, None], WHOLE, (0.95, 0.99), (1, 5)).items():
        assert (figures[key].var, figures[key].cvar) == pytest.approx((figure.var, figure.cvar), rel=1e-6)


@pytest.mark.parametrize("horizon", [1, 10])
def test_losses_are_positive_and_gains_negative(horizon: int) -> None:
    """A book that only fell has a positive VaR at every horizon, its mirror image a negative one."""
    fell = -0.01 * np.random.default_rng(3).uniform(0.5, 1.5, 300)
    assert challenge(fell[:, None], WHOLE, (0.95,), (horizon,))[0.95, horizon].var > 0
    assert challenge(-fell[:, None], WHOLE, (0.95,), (horizon,))[0.95, horizon].var < 0


def test_a_price_that_did_not_move_at_first_is_no_division_by_zero() -> None:
    """Sixty sessions without a change and then a market: finite figures."""
    book = np.r_[np.zeros(SPIN_UP), np.random.default_rng(9).normal(0, 0.01, 400)]
    figure = challenge(np.r_[np.zeros(5), book][:, None], WHOLE, (0.95,), (1,))[0.95, 1]
    assert 0 < figure.var < figure.cvar < 0.1


@pytest.mark.parametrize("horizon", [1, 10])
def test_normal_returns_give_the_normal_figure(horizon: int) -> None:
    """With constant volatility CVaR 95 % over h sessions is near the normal one at sigma sqrt(h)."""
    sigma, ratios = 0.01, []
    for seed in range(30):
        book = np.random.default_rng(seed).normal(0, sigma, 700)
        variance = np.mean(book[:SPIN_UP] ** 2)
        for r in book[SPIN_UP:]:
            variance = DECAY * variance + (1 - DECAY) * r**2
        figure = challenge(book[:, None], WHOLE, (0.95,), (horizon,))[0.95, horizon]
        spread = np.sqrt(variance * horizon)
        ratios.append(figure.cvar / (spread * stats.norm.pdf(stats.norm.ppf(0.95)) / 0.05))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.08)


def test_only_the_newest_residuals_count() -> None:
    """A crash older than the window leaves no trace; one inside it does."""
    book = np.random.default_rng(5).normal(0, 0.01, SPIN_UP + WINDOW + 400)
    old, recent = book.copy(), book.copy()
    old[SPIN_UP + 5] = -0.3
    recent[-100] = -0.3
    calm = challenge(book[:, None], WHOLE, (0.99,), (1,))[0.99, 1].cvar
    assert challenge(old[:, None], WHOLE, (0.99,), (1,))[0.99, 1].cvar == pytest.approx(calm, rel=1e-6)
    assert challenge(recent[:, None], WHOLE, (0.99,), (1,))[0.99, 1].cvar > 1.5 * calm


def test_tomorrow_is_not_known() -> None:
    """A return scales tomorrow's volatility, never its own residual: a last crash of 20 sigma is a residual of 20."""
    book = np.full(700, 0.01) * np.where(np.arange(700) % 2, 1, -1)
    book[-1] = -0.2
    figure = challenge(book[:, None], WHOLE, (0.99,), (1,))[0.99, 1]
    variance = 0.94 * 0.01**2 + 0.06 * 0.2**2
    worst = 1 - np.exp(-20 * np.sqrt(variance))
    other = 1 - np.exp(-np.sqrt(variance))
    assert figure.cvar == pytest.approx((worst + 4 * other) / 5, rel=1e-6)


@pytest.mark.parametrize(("sessions", "finite"), [(2 * SPIN_UP - 1, False), (2 * SPIN_UP, True)])
def test_too_little_history_is_not_a_number(sessions: int, finite: bool) -> None:
    """Fewer than 120 sessions give NaN, never a figure of almost nothing."""
    book = np.random.default_rng(6).normal(0, 0.01, sessions)
    figure = challenge(book[:, None], WHOLE, (0.95,), (1,))[0.95, 1]
    assert bool(np.isfinite(figure.cvar)) is finite


def test_more_than_everything_lost_is_not_a_number() -> None:
    """A leveraged book whose history lost more than all has no figure."""
    returns = np.random.default_rng(7).normal(0, 0.01, (300, 1))
    returns[150] = np.log(0.5)
    with np.errstate(invalid="ignore"):
        assert np.isnan(challenge(returns, np.array([3.0]), (0.95,), (1,))[0.95, 1].cvar)


def test_the_same_answer_every_time() -> None:
    """Deterministic at every horizon."""
    book = np.random.default_rng(8).standard_t(4, (400, 1)) * 0.01
    assert challenge(book, WHOLE, (0.95,), (1, 10)) == challenge(book, WHOLE, (0.95,), (10, 1))
