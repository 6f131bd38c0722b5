"""What a session brought: loss, rank and score, by hand."""

import numpy as np
import pytest

from riskd.core.book_forecast import Sample, book_forecast
from riskd.core.currency import currency_view
from riskd.core.outturn import Outturn, outturn
from riskd.core.portfolio import Portfolio
from riskd.core.validation.scores import crps

pytestmark = pytest.mark.unit
BOOK = Portfolio("book", np.array([0.5, 0.3]), 0.2, ())
UP, DOWN = np.log1p([0.10, -0.20]), np.log1p([-0.10, -0.20])


def ahead(*losses: float) -> object:
    """A forecast of equally likely losses."""
    return book_forecast({1: [Sample(np.array(losses), np.arange(len(losses))[:, None], len(losses), drawn=False)]})


def test_a_loss_is_what_the_weights_lost() -> None:
    """Half fell by 10 %, three tenths by 20 %, cash by nothing: 11 %; without a forecast there is no rank and no score."""
    assert outturn(BOOK, DOWN, None) == Outturn(pytest.approx(0.11), None, None)
    assert outturn(BOOK, UP, None).loss == pytest.approx(0.01)


def test_a_price_that_is_not_known_has_not_moved() -> None:
    """NaN is no loss of its own; the others still count."""
    assert outturn(BOOK, np.array([np.nan, np.log(0.8)]), None).loss == pytest.approx(0.06)


@pytest.mark.parametrize(
    ("losses", "pit"),
    [((0.2, 0.3, 0.05, 0.01), 0.5), ((0.2, 0.3), 0.0), ((0.0, 0.1), 1.0), ((0.0, 0.0, 0.0, 0.2), 0.75)],
)
def test_the_rank_is_the_share_that_lost_less(losses: tuple[float, ...], pit: float) -> None:
    """A bad day is near one, a good one near zero."""
    assert outturn(BOOK, DOWN, ahead(*losses)).pit == pit  # type: ignore[arg-type]


def test_what_is_as_bad_counts_half() -> None:
    """A loss that two of four scenarios have exactly: one lost less, two the same, (1 + 3) / 2 of four."""
    loss = outturn(BOOK, DOWN, None).loss
    assert outturn(BOOK, DOWN, ahead(0.0, loss, loss, 0.5)).pit == 0.5  # type: ignore[arg-type]


def test_the_score_is_the_crps() -> None:
    """E|X - y| - E|X - X'| / 2 by two loops, and what the judges' own score says."""
    sample = np.sort(np.random.default_rng(1).normal(0, 0.05, 60))
    found = outturn(BOOK, DOWN, ahead(*sample))  # type: ignore[arg-type]
    loss = float(found.loss or 0.0)
    between = np.mean([abs(a - b) for a in sample for b in sample])
    assert found.crps == pytest.approx(np.mean([abs(a - loss) for a in sample]) - between / 2, rel=1e-12)
    assert found.crps == crps(np.array([loss]), sample[None, :])[0]


def test_a_loss_in_another_currency() -> None:
    """A dollar share that gained 10 % while the euro gained 10 %: nothing was lost in euros."""
    view = currency_view(("S", "EURUSD=X"), ("USD", "USD"), "EUR", {("USD", "EUR"): ("EURUSD=X", -1)}, {"S"})
    abroad = Portfolio("abroad", np.array([1.0, 0.0]), 0.0, (), currency="EUR", view=view)
    assert outturn(abroad, np.log1p([0.1, 0.1]), None).loss == pytest.approx(0.0)
    assert outturn(abroad, np.log1p([0.0, 0.1]), None).loss == pytest.approx(1 - 1 / 1.1)
