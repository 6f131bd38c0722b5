"""A bank as one portfolio sees it, and the errors it gives."""

import numpy as np
import pytest

from riskd.core.book_forecast import BookForecast, Sample, book_forecast
from riskd.core.currency import currency_view
from riskd.core.limits import LimitState, Standing, judge
from riskd.core.portfolio import Limit, Portfolio
from riskd.core.scenarios.bank import ScenarioBank

pytestmark = pytest.mark.unit
RANDOM = np.random.default_rng(1)
R = {1: RANDOM.normal(0, 0.01, (300, 2)), 5: RANDOM.normal(0, 0.03, (500, 2))}
VIEW = currency_view(("S", "EURUSD=X"), ("USD", "USD"), "EUR", {("USD", "EUR"): ("EURUSD=X", -1)}, {"S"})
HOME = Portfolio("home", np.array([0.7, 0.3]), 0.0, ())
ABROAD = Portfolio("abroad", np.array([0.7, 0.0]), 0.3, (), currency="EUR", view=VIEW)


def forecast(scale: float) -> BookForecast:
    """Losses over 1 and 5 sessions: 300 from a pool, 500 drawn."""
    random = np.random.default_rng(2)
    pool, drawn = scale * random.standard_t(4, 300), 2 * scale * random.standard_t(4, 500)
    whole = Sample(pool, np.arange(300)[:, None], 300, drawn=False)
    return book_forecast({1: [whole], 5: [Sample(drawn, random.integers(0, 300, (500, 5)), 300, drawn=True)]})


@pytest.mark.parametrize("portfolio", [HOME, ABROAD], ids=["home", "abroad"])
def test_a_portfolio_with_a_forecast_has_its_losses(portfolio: Portfolio) -> None:
    """At every horizon the anchored scenarios lose what was forecast, best to worst, in the portfolio's own currency."""
    book = forecast(0.02)
    bank = ScenarioBank(R, "A", {portfolio.name: book})
    seen = bank.seen_by(portfolio)
    for horizon in (1, 5):
        losses = seen.losses(portfolio.weights, horizon)
        np.testing.assert_allclose(np.sort(losses), book.losses[horizon], rtol=0, atol=1e-12)
        plain = R[horizon] if portfolio.view is None else portfolio.view.simple(R[horizon])
        np.testing.assert_array_equal(losses.argsort(), (-plain @ portfolio.weights).argsort())
    assert seen.identity == "A" and seen.books is bank.books


def test_without_forecast_and_view_it_is_the_bank_itself() -> None:
    """Nothing to move and nothing to convert; a view alone converts and moves nothing."""
    bank = ScenarioBank(R, "A", {"other": forecast(0.02)}, exact=True)
    assert bank.seen_by(HOME) is bank
    seen = bank.seen_by(ABROAD)
    np.testing.assert_array_equal(seen.returns[5], VIEW.simple(R[5]))
    assert seen.exact


def test_whose_errors_a_figure_has() -> None:
    """A forecast's own; of paths the spread is luck with random numbers; of a whole pool it is that of a finite past."""
    book = forecast(0.02)
    drawn, exact = ScenarioBank(R, "A", {"home": book}), ScenarioBank(R, "A", exact=True)
    assert drawn.errors("home", 5, 0.95, 0.01) == book.errors(5, 0.95)
    assert drawn.errors("abroad", 1, 0.95, 0.01) == (0.01, 0.0)
    assert exact.errors("home", 1, 0.95, 0.01) == (0.0, 0.01)
    assert exact.errors("home", 5, 0.95, 0.01) == (0.01, 0.0)


@pytest.mark.parametrize(
    ("cvar", "uncertainty", "state"),
    [
        (0.045, None, "clear"),
        (0.045, 0.001, "clear"),
        (0.045, 0.004, "possible"),
        (0.051, 0.02, "firing"),
        (0.0505, 0.0, "possible"),
        (0.0497, 0.0, "possible"),
    ],
)
def test_doubt_about_the_estimate_makes_a_breach_possible_and_never_hides_one(
    cvar: float, uncertainty: float | None, state: str
) -> None:
    """Computed to 0.05 %: a wide estimate under the limit is possible, over the limit it fires however wide it is."""
    limit = Limit("cvar", 0.95, 1, 0.05)
    found = judge(limit, Standing(LimitState.CLEAR), cvar, 0.0005, True, "day", uncertainty)
    assert found.state.value == state


def test_what_is_not_known_of_the_estimate_cannot_be_clear() -> None:
    """An uncertainty that is NaN proves nothing: never clear."""
    limit = Limit("cvar", 0.95, 1, 0.05)
    assert judge(limit, Standing(LimitState.CLEAR), 0.01, 0.0005, True, "day", float("nan")).state is not LimitState.CLEAR
