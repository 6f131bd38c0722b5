"""The parts of a change of CVaR, against built cases in which one thing moves and against every order of the factors."""

import itertools
import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core.arrays import Floats
from riskd.core.explain import explained, shapley
from riskd.core.glance import Glance, exposures, glance, losses_of, scale
from riskd.core.limits import Standing
from riskd.core.measures.cvar import cvar
from riskd.core.quality.judged import Correction
from riskd.core.report import Explanation
from riskd.core.rules import Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.state import Eve, State
from riskd.core.step import bank_of, step
from riskd.core.views import pool_of
from riskd.core.warm import warm_state

pytestmark = pytest.mark.oracle
KEY = ("book", "cvar")
DAY = timedelta(days=1)
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=200)
WEIGHTS = np.array([0.5, 0.3, 0.2])
DEVIATIONS = np.array([0.01, 0.02, 0.015])
LOOSE = np.array([[1, 0.2, 0.1], [0.2, 1, 0.3], [0.1, 0.3, 1]])
TIGHT = np.array([[1, 0.8, 0.7], [0.8, 1, 0.75], [0.7, 0.75, 1]])


@pytest.fixture(scope="module")
def rules() -> Rules:
    return small_rules(WEIGHTS)


@pytest.fixture(scope="module")
def warm(rules: Rules) -> State:
    return warm_state(rules, TABLE)


def orders(start: float, ratios: dict[str, float]) -> dict[str, float]:
    """What each factor adds when it changes, the mean over all orders: the definition."""
    sums = dict.fromkeys(ratios, 0.0)
    ways = list(itertools.permutations(ratios))
    for order in ways:
        value = start
        for name in order:
            sums[name] += value * ratios[name] - value
            value *= ratios[name]
    return {name: total / len(ways) for name, total in sums.items()}


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7])
def test_shapley_is_the_mean_over_all_orders(count: int) -> None:
    """Equal to the definition to the last digits; the values sum to the whole change, in whatever order they are given."""
    random = np.random.default_rng(count)
    ratios = {f"f{i}": float(x) for i, x in enumerate(np.exp(random.normal(0, 0.5, count)))}
    found, wanted = shapley(0.04, ratios), orders(0.04, ratios)
    assert found == pytest.approx(wanted, rel=1e-11, abs=1e-16)
    assert sum(found.values()) == pytest.approx(0.04 * math.prod(ratios.values()) - 0.04, rel=1e-12)
    assert shapley(0.04, dict(reversed(ratios.items()))) == pytest.approx(found, rel=1e-12, abs=1e-16)


def test_what_does_not_move_adds_nothing() -> None:
    """A factor of one has no part, two equal factors have equal parts."""
    found = shapley(0.04, {"still": 1.0, "one": 1.3, "other": 1.3, "down": 0.7})
    assert found["still"] == 0
    assert found["one"] == pytest.approx(found["other"], rel=1e-14)
    assert found["down"] < 0 < found["one"]


def seen(c: float, s: float, deviations: Floats, correlation: Floats, session: date = TABLE.sessions[-1]) -> Glance:
    covariance = (np.outer(deviations, deviations) * correlation).astype(np.float32)
    return Glance(session, "rules", {KEY: (c, s)}, covariance)


def sigma(deviations: Floats, correlation: Floats) -> float:
    held = WEIGHTS * deviations
    return float(np.sqrt(held @ correlation @ held))


def explanation(rules: Rules, warm: State, before: Glance, now: Glance, market: Glance | None = None) -> Explanation:
    state, outcome = step(rules, warm, closed(warm.session + DAY, 0.0))
    report = outcome.reports[0]
    told = replace(report, limits=(replace(report.limits[0], cvar=now.figures[KEY][0]),))
    state = replace(state, eve=replace(state.eve, standings={}))
    (found,) = explained(rules, state, (told,), before, now, market or now, bank_of(rules, state))
    assert found.limits[0].explanation is not None
    return found.limits[0].explanation


TIGHTER = sigma(DEVIATIONS, TIGHT) / sigma(DEVIATIONS, LOOSE)
YESTERDAY = seen(0.04, 0.02, DEVIATIONS, LOOSE)


@pytest.mark.parametrize(
    ("now", "factor"),
    [
        (seen(0.08, 0.04, 2 * DEVIATIONS, LOOSE), "volatility"),
        (seen(0.04 * TIGHTER, 0.02 * TIGHTER, DEVIATIONS, TIGHT), "dependence"),
        (seen(0.06, 0.03, DEVIATIONS, LOOSE), "own_history"),
        (seen(0.06, 0.02, DEVIATIONS, LOOSE), "tail"),
    ],
    ids=["volatility", "dependence", "own history", "tail"],
)
def test_the_one_thing_that_moves_gets_all(rules: Rules, warm: State, now: Glance, factor: str) -> None:
    """Assets twice as volatile, tied closer, the portfolio's own forecast wider, its tail heavier: each has the whole change."""
    found = explanation(rules, warm, YESTERDAY, now)
    assert found.parts[factor] == pytest.approx(now.figures[KEY][0] - 0.04, rel=1e-6)
    assert sum(abs(v) for name, v in found.parts.items() if name != factor) < 1e-8  # float32 covariances
    assert sum(found.parts.values()) == pytest.approx(found.after - found.before, abs=1e-16)


def test_a_correction_gets_what_it_causes(rules: Rules, warm: State) -> None:
    """Nothing moved but what is known of the past: all is data."""
    found = explanation(rules, warm, YESTERDAY, seen(0.05, 0.025, DEVIATIONS, LOOSE), market=YESTERDAY)
    assert found.parts["data"] == pytest.approx(0.01, rel=1e-9)
    assert sum(found.parts.values()) == pytest.approx(0.01, abs=1e-16)


def test_volatility_and_dependence_share_alike() -> None:
    """sqrt(w' D R D w) with both moved: the two ratios are the geometric means over both orders, their product is the whole."""
    first, last = sigma(DEVIATIONS, LOOSE), sigma(3 * DEVIATIONS[::-1], TIGHT)
    by_volatility = np.sqrt(sigma(3 * DEVIATIONS[::-1], LOOSE) / first * last / sigma(DEVIATIONS, TIGHT))
    rules = small_rules(WEIGHTS)
    now = seen(0.04 * last / first, 0.02 * last / first, 3 * DEVIATIONS[::-1], TIGHT)
    found = explanation(rules, warm_state(rules, TABLE), YESTERDAY, now)
    wanted = orders(0.04, {"volatility": float(by_volatility), "dependence": float(last / first / by_volatility)})
    assert found.parts["volatility"] == pytest.approx(wanted["volatility"], rel=1e-5)
    assert found.parts["dependence"] == pytest.approx(wanted["dependence"], rel=1e-5)


@pytest.mark.parametrize(("name", "changed"), [("positions", {"holdings": "other"}), ("model", {"model": "other@1"})])
def test_another_configuration_gets_what_it_causes(rules: Rules, warm: State, name: str, changed: dict[str, str]) -> None:
    """The eve was published as 3 %, under the present rules it would have been 4 %: that point is theirs."""
    state, outcome = step(rules, warm, closed(warm.session + DAY, 0.0))
    basis = replace(rules.judged_by[KEY], **changed)  # type: ignore[arg-type]
    eve = Standing(judged=f"{TABLE.sessions[-1]}", cvar=0.03, by=basis)
    state = replace(state, eve=Eve({KEY: eve}))
    report = outcome.reports[0]
    told = replace(report, limits=(replace(report.limits[0], cvar=0.04),))
    (report,) = explained(rules, state, (told,), YESTERDAY, YESTERDAY, YESTERDAY, bank_of(rules, state))
    found = report.limits[0].explanation
    assert found is not None
    assert (found.before, found.after) == (0.03, 0.04)
    assert found.parts[name] == pytest.approx(0.01, rel=1e-9)
    assert sum(abs(v) for part, v in found.parts.items() if part != name) < 1e-12


def test_a_new_book_in_the_fold_is_a_change_of_positions(rules: Rules, warm: State) -> None:
    """Half sold between two sessions: positions fall by half of CVaR, more or less; the parts sum from published to published."""
    state, first = step(rules, warm, closed(warm.session + DAY, 0.01))
    halved = small_rules(WEIGHTS / 2)
    table = made_up_table(("AAA", "BBB", "CCC"), sessions=200)
    returns = np.vstack([table.log_returns, np.full(3, np.log1p(0.01))])
    again = warm_state(halved, replace(table, sessions=(*table.sessions, state.session), log_returns=returns), state.standings)
    _, second = step(halved, again, closed(again.session + DAY, -0.02))
    found, published = second.reports[0].limits[0].explanation, first.reports[0].limits[0].cvar
    assert found is not None
    assert published is not None
    assert (found.since, found.before) == (f"{state.session}", published)
    assert found.parts["positions"] == pytest.approx(-published / 2, rel=0.3)
    assert sum(found.parts.values()) == pytest.approx(found.after - published, abs=1e-15)


def test_every_session_of_a_fold_adds_up(rules: Rules, warm: State) -> None:
    """Seventy sessions: each change is from figure to figure, the parts sum to it; model is there where a refit was."""
    random, state, before, refits = np.random.default_rng(3), warm, None, 0
    for _ in range(70):
        fits = state.fits
        state, outcome = step(rules, state, closed(state.session + DAY, random.normal(0, 0.012, 3)))
        found = outcome.reports[0].limits[0].explanation
        assert found is not None
        assert found.after == outcome.reports[0].limits[0].cvar
        assert before is None or found.before == before
        assert sum(found.parts.values()) == pytest.approx(found.after - found.before, abs=1e-15)
        refit = not np.array_equal(fits[3], state.fits[3])
        assert ("model" in found.parts) is refit
        before, refits = found.after, refits + refit
    assert refits == 1


def test_a_start_explains_as_a_fold_does(rules: Rules, warm: State) -> None:
    """Just warmed up, the eve is computed again: the same parts as where the eve had been folded."""
    state, _ = step(rules, warm, closed(warm.session + DAY, 0.01))
    _, folded = step(rules, state, closed(state.session + DAY, -0.03))
    forgotten = replace(state, glance=None, standings={})
    _, started = step(rules, forgotten, closed(state.session + DAY, -0.03))
    one, other = folded.reports[0].limits[0].explanation, started.reports[0].limits[0].explanation
    assert one is not None
    assert other is not None
    assert other.parts == pytest.approx(one.parts, rel=1e-6, abs=1e-12)
    assert (other.since, other.like) == (one.since, one.like)


def test_restated_prices_have_their_part(rules: Rules, warm: State) -> None:
    """A return of last week turns out a crash: with the next session data adds nearly all, and everything still sums."""
    state, _ = step(rules, warm, closed(warm.session + DAY, 0.0))
    for _ in range(4):
        state, _ = step(rules, state, closed(state.session + DAY, 0.001))
    fix = tuple(Correction(state.session, s, 0.001, -0.15) for s in rules.symbols)
    _, outcome = step(rules, state, closed(state.session + DAY, 0.001, corrections=fix))
    found = outcome.reports[0].limits[0].explanation
    assert found is not None
    assert found.parts["data"] > 0.8 * (found.after - found.before) > 0
    assert sum(found.parts.values()) == pytest.approx(found.after - found.before, abs=1e-15)


def test_a_glance_has_the_published_figures(rules: Rules, warm: State) -> None:
    """CVaR as reported; losses as the anchored paths have them; a normal sample's scale is its standard deviation."""
    bank = bank_of(rules, warm)
    made = glance(rules, bank, warm.session)
    portfolio = rules.portfolios[0]
    paths = bank.seen_by(portfolio)
    for horizon in (1, 5):
        assert np.sort(losses_of(bank, portfolio, horizon)) == pytest.approx(np.sort(paths.losses(WEIGHTS, horizon)), abs=1e-12)
    assert made.figures[KEY][0] == pytest.approx(cvar(paths.losses(WEIGHTS, 1), 0.95).value, rel=1e-12)
    assert scale(np.random.default_rng(1).normal(0.3, 2.0, 1_000_000)) == pytest.approx(2.0, rel=0.005)
    assert exposures(portfolio) is portfolio.weights


def test_the_day_that_is_named_is_the_one() -> None:
    """Of all past sessions, put at today's volatility, the named one ranks among the portfolio's losses where CVaR lies."""
    rules = small_rules(WEIGHTS, pool=120, model="filtered-bootstrap")
    state, outcome = step(rules, warm_state(rules, TABLE), closed(TABLE.sessions[-1] + DAY, 0.013))
    found = outcome.reports[0].limits[0].explanation
    assert found is not None
    scores = pool_of(rules, state)[:, :3]
    days = [date.fromordinal(int(d)) for d in state.days[-len(scores) :]]
    assert days[-2:] == [TABLE.sessions[-1], state.session]
    moves = np.expm1(rules.forecaster.forecast(state.market).from_score(np.hstack([scores, np.zeros((len(scores), 1))]))[:, :3])
    losses = -(moves @ WEIGHTS)
    bank: ScenarioBank = bank_of(rules, state)
    forecast = np.sort(losses_of(bank, rules.portfolios[0], 1))
    place = int(np.abs(forecast - found.after).argmin())
    assert days[int(losses.argsort()[place])].isoformat() == found.like
    assert found.like_loss == forecast[place]
