"""The allocation network as a contender: what it reads, what it may hold, and when it says nothing."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from allotter_made import made_allotter, made_returns
from riskd.core.allocation.answer import Ending
from riskd.core.allocation.certificate import turnover
from riskd.core.allocation.contender import BUILT_IN, Lookback, lookback_of
from riskd.core.allocation.problem import Problem, Tail
from riskd.core.arrays import Floats, frozen
from riskd.core.currency import CurrencyView
from riskd.core.portfolio import Bounds, Limit, Portfolio
from riskd.errors import ModelError
from riskd.forecast.allotter import AllotterContender
from riskd.forecast.allotter_card import AllotterArtefact, AllotterSession
from riskd.forecast.allotter_features import FLOOR, WARM_UP, features

pytestmark = pytest.mark.unit
SYMBOLS = ("AAA", "BBB", "CCC")
DAY = date(2020, 3, 16)
RETURNS = made_returns(3, 600)[300:]


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> AllotterArtefact:
    """Of three made-up assets."""
    return made_allotter(tmp_path_factory.mktemp("allotter"), SYMBOLS)


@pytest.fixture
def contender(artefact: AllotterArtefact) -> AllotterContender:
    """Over the assets alone."""
    return AllotterContender(artefact, "deep", SYMBOLS, SYMBOLS)


def history(returns: Floats = RETURNS, session: date = DAY) -> Lookback:
    """Of a portfolio in the currency of everything."""
    return lookback_of(returns, Portfolio("book", frozen(np.full(returns.shape[1], 0.2)), 0.4, ()), session)


def problem(count: int = 3, **constraints: object) -> Problem:
    """Long only, fully invested, from equal weights, unless said otherwise."""
    scenarios = 0.01 * np.random.default_rng(1).standard_normal((200, count))
    free = Problem((Tail(scenarios),), np.zeros(count), np.zeros(count), np.ones(count), current=np.full(count, 1 / count))
    return replace(free, **constraints)  # type: ignore[arg-type]


def own(artefact: AllotterArtefact, returns: Floats = RETURNS) -> Floats:
    """The network's own weights."""
    return AllotterSession(artefact.model).weights(features(returns[-WARM_UP:])[-1:])[0]


def test_the_inputs_are_means_and_a_volatility() -> None:
    """Worked out asset by asset: mean log returns of 21, 63 and 252 sessions, log of the standard deviation of 21."""
    found = features(RETURNS)[-1].reshape(4, 3)
    for asset in range(3):
        r = RETURNS[:, asset]
        wanted = [r[-21:].mean(), r[-63:].mean(), r[-252:].mean(), np.log(np.sqrt(r[-21:].var() + FLOOR))]
        assert found[:, asset] == pytest.approx(wanted, rel=1e-9)


def test_a_year_is_all_it_reads(contender: AllotterContender) -> None:
    """Other returns before the newest 252 change no bit of its weights; another newest return does."""
    other, newest = RETURNS.copy(), RETURNS.copy()
    other[:-WARM_UP] *= 3
    newest[-1] += 0.1 * np.array([1, 0, -1])
    weights = [contender.answer(problem(), history(r))[0].weights for r in (RETURNS, other, newest)]
    assert weights[0].tobytes() == weights[1].tobytes()
    assert not np.allclose(weights[0], weights[2], atol=1e-4)


def test_where_nothing_binds_it_holds_what_it_wants(contender: AllotterContender, artefact: AllotterArtefact) -> None:
    """Its own weights, which are no equal ones, under its identity and the day it learnt to."""
    answer, words = contender.answer(problem(), history())
    assert answer.weights == pytest.approx(own(artefact), abs=1e-6)
    assert np.abs(answer.weights - 1 / 3).sum() > 0.05
    assert words == f"{artefact.identity}, learnt to {artefact.card.training.last}"


def test_bounds_and_turnover_are_kept_and_the_distance_is_told(contender: AllotterContender) -> None:
    """At most 40 % each and 2 % of turnover; how far that is from what it wants is in the words."""
    answer, words = contender.answer(problem(upper=np.full(3, 0.4), turnover=0.02), history())
    assert answer.status is Ending.OPTIMAL
    assert (answer.weights <= 0.4 + 1e-9).all()
    assert turnover(problem(), answer.weights) <= 0.02 + 1e-9
    assert "of value away from its own weights" in words


def test_constraints_without_any_weights_are_told_as_such(contender: AllotterContender) -> None:
    """Three assets of at most 20 % and no cash: infeasible, and no word of a distance."""
    answer, words = contender.answer(problem(upper=np.full(3, 0.2)), history())
    assert answer.status is Ending.INFEASIBLE
    assert "away" not in words


def test_a_session_it_learnt_from_is_called_so(contender: AllotterContender, artefact: AllotterArtefact) -> None:
    """On the last session of its training, and not on the next."""
    last = artefact.card.training.last
    assert "in its sample" in contender.answer(problem(), history(session=last))[1]
    assert "in its sample" not in contender.answer(problem(), history(session=last + timedelta(days=1)))[1]


def test_its_order_of_assets_is_its_own(artefact: AllotterArtefact, contender: AllotterContender) -> None:
    """In a universe in another order, with an exchange rate between, every asset gets the same weight and the rate none."""
    symbols = ("CCC", "EURUSD=X", "AAA", "BBB")
    wide = np.column_stack([RETURNS[:, 2], 0.001 * RETURNS[:, 0], RETURNS[:, 0], RETURNS[:, 1]])
    turned = AllotterContender(artefact, "deep", symbols, SYMBOLS)
    upper = np.array([1.0, 0.0, 1.0, 1.0])
    weights = turned.answer(problem(4, upper=upper, current=None), history(wide))[0].weights
    alone = contender.answer(problem(current=None), history())[0].weights
    assert weights[[2, 3, 0]] == pytest.approx(alone, abs=1e-8)
    assert weights[1] == 0


def test_a_foreign_asset_is_read_in_the_portfolios_currency(artefact: AllotterArtefact) -> None:
    """With a rate that rises every day by half of what AAA falls by, it is read as an asset half as wild."""
    wide = np.column_stack([RETURNS, -RETURNS[:, 0] / 2])
    view = CurrencyView(np.array([3, -1, -1, -1]), np.ones(4), np.array([True, True, True, False]))
    book = Portfolio("book", frozen([0.3, 0.3, 0.3, 0.0]), 0.1, (Limit("cvar", 0.95, 1, 0.05),), Bounds(), view=view)
    contender = AllotterContender(artefact, "deep", (*SYMBOLS, "EURUSD=X"), SYMBOLS)
    wanted = own(artefact, np.column_stack([RETURNS[:, 0] / 2, RETURNS[:, 1:]]))
    weights = contender.answer(problem(4, upper=np.array([1.0, 1, 1, 0]), current=None), lookback_of(wide, book, DAY))[0].weights
    assert weights[:3] == pytest.approx(wanted, abs=1e-5)
    assert np.abs(wanted - own(artefact)).max() > 1e-3


def test_missing_returns_are_stood_in_for_and_said(contender: AllotterContender) -> None:
    """Three gaps are read as what the others did and told; more than a tenth, and a history that is too short, are refused."""
    gaps = RETURNS.copy()
    gaps[[-3, -40, -200], 1] = np.nan
    answer, words = contender.answer(problem(), history(gaps))
    assert answer.status is Ending.OPTIMAL
    assert "read 3 stand-ins for missing returns" in words
    gaps[-30:, 2] = np.nan
    with pytest.raises(ModelError, match="CCC has no usable return on 30 of the newest 252 sessions"):
        contender.answer(problem(), history(gaps))
    with pytest.raises(ModelError, match="reads 252 sessions of returns and 251 are known"):
        contender.answer(problem(), history(RETURNS[-251:]))


def test_sessions_of_which_nothing_is_known_are_left_out() -> None:
    """They make the history shorter, and are not counted as gaps."""
    empty = RETURNS.copy()
    empty[10] = np.nan
    found = history(empty)
    assert len(found.log_returns) == len(RETURNS) - 1
    assert not found.missing.any()


@pytest.mark.parametrize("tradeable", [("AAA", "BBB"), (*SYMBOLS, "DDD")])
def test_another_universe_is_refused(artefact: AllotterArtefact, tradeable: tuple[str, ...]) -> None:
    """An asset too few or too many: the line names it and both universes."""
    odd = sorted({*SYMBOLS} ^ {*tradeable})[0]
    with pytest.raises(ModelError, match=rf"trained on AAA, BBB, CCC, the universe is .*: {odd} is in one of them only"):
        AllotterContender(artefact, "deep", tradeable, tradeable)


def test_mean_variance_is_built_in() -> None:
    """It prefers the asset whose mean is larger at the same variance, and its figures are known to flatter it."""
    contender = BUILT_IN["markowitz"]
    answer, words = contender.answer(problem(expected=np.array([0.0, 0.0, 1e-3])), history())
    assert answer.weights[2] == pytest.approx(answer.weights.max())
    assert (contender.sees_scenarios, words) == (True, "")
