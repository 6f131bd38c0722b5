"""Networks in the rules: a scenario model that was learnt, and a challenger that says losses of some portfolios and no other."""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core.arrays import Floats
from riskd.core.challengers.learnt import Answer
from riskd.core.challengers.past import Past
from riskd.core.events import Outcome
from riskd.core.report import PortfolioReport
from riskd.core.rules import Lane, LearntRival, Rules
from riskd.core.scenarios.filtered_bootstrap import fit_filtered_bootstrap
from riskd.core.scenarios.model import Sampler
from riskd.core.state import State, pack
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.errors import ModelError
from riskd.testing import EwmaForecaster

pytestmark = pytest.mark.unit
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=200)
KNOWN = np.linspace(-0.05, 0.1, 201)
MOVE = [0.01, -0.02, 0.003]


@dataclass(frozen=True, slots=True)
class Says:
    """Knows the first portfolio over one session, and has nothing to do with longer ones; fails over ``breaks``."""

    identity: str = "says@test"
    breaks: int = 0

    def losses(self, past: Past, portfolio: int, horizon: int) -> Answer:
        if horizon == self.breaks:
            raise ModelError(f"{self.identity}: no number")
        if horizon > 1:
            return None
        return "other weights" if portfolio else KNOWN


def doubled(scores: Floats, turn: int = 0) -> Sampler:
    """Draws twice the pool's scores."""
    return fit_filtered_bootstrap(2 * scores, turn)


@pytest.fixture(scope="module")
def rules() -> Rules:
    """Two portfolios of the same weights."""
    whole = small_rules(max_cvar=0.05, pool=180, paths=500, challengers=("historical",))
    return replace(whole, portfolios=(whole.portfolios[0], replace(whole.portfolios[0], name="other")))


def day(rules: Rules) -> tuple[State, Outcome]:
    """One session after the warm-up."""
    warm = warm_state(rules, TABLE)
    return step(rules, warm, closed(warm.session + timedelta(days=1), MOVE))


def rival(report: PortfolioReport, name: str) -> dict[tuple[int, float], tuple[float, float]]:
    """(horizon, level) -> VaR and CVaR of one challenger."""
    return {(f.horizon, f.level): (r.var, r.cvar) for f in report.figures for r in f.challengers if r.name == name}


def test_a_network_of_losses_is_one_challenger_more(rules: Rules) -> None:
    """It has its figures for what it knows, NaN for what is not its matter, and NaN with the reason in a note for what it should
    know; nobody else's figure moves."""
    with_it = replace(rules, learnt=(LearntRival("net", Says()),))
    state, told = day(with_it)
    alone_state, alone = day(rules)
    assert pack(state) == pack(alone_state)
    first, other = told.reports
    assert rival(first, "net")[1, 0.95] == pytest.approx((np.quantile(KNOWN, 0.95), KNOWN[-10:].mean()), abs=2e-3)
    assert all(math.isnan(cvar) for (horizon, _), (_, cvar) in rival(first, "net").items() if horizon == 5)
    assert all(math.isnan(cvar) for _, cvar in rival(other, "net").values())
    assert [n for n in first.notes if "net" in n] == []
    assert [n for n in other.notes if "net" in n] == ["challenger net has no figures over 1 session: other weights"]
    for report, wanted in zip(told.reports, alone.reports, strict=True):
        assert report.limits == wanted.limits
        bare = [replace(f, challengers=tuple(r for r in f.challengers if r.name != "net")) for f in report.figures]
        assert bare == list(wanted.figures)


def test_a_network_that_fails_costs_its_own_figure_alone(rules: Rules) -> None:
    """What it died of is a note; at other horizons it has its figures, and the champion has all."""
    _, told = day(replace(rules, learnt=(LearntRival("net", Says(breaks=5)), LearntRival("two", Says("two@test")))))
    first = told.reports[0]
    assert "challenger net has no figures over 5 sessions: says@test: no number" in first.notes
    assert math.isfinite(rival(first, "net")[1, 0.95][1]) and rival(first, "net")[1, 0.95] == rival(first, "two")[1, 0.95]
    assert all(math.isfinite(f.cvar) for f in first.figures)


def test_a_learnt_scenario_model_is_drawn_by(rules: Rules) -> None:
    """As champion and in a lane: figures are those of its sampler, twice those of the pool's bootstrap where the forecaster is
    linear in the score and follows no portfolio."""
    plain = EwmaForecaster(identity="plain@test", follows_books=False)
    once = replace(rules, forecaster=plain, scenarios=replace(rules.scenarios, model="filtered-bootstrap", horizons=(1,)))
    learnt = replace(once, scenarios=replace(once.scenarios, model="doubled@test"), dependence=doubled)
    lane = replace(once, lanes=(Lane("wide", plain, "doubled@test", dependence=doubled), Lane("same", plain)))
    (a, *_), (b, *_), (c, *_) = (day(r)[1].reports for r in (once, learnt, lane))
    for f, g, h in zip(a.figures, b.figures, c.figures, strict=True):
        wide, same = h.challengers[-2:]
        assert (wide.name, wide.var, wide.cvar) == ("wide", g.var, g.cvar)
        assert (same.var, same.cvar) == (f.var, f.cvar) == (h.var, h.cvar)
        assert g.cvar == pytest.approx(2 * f.cvar, rel=0.05)


def test_what_the_hashes_know_of_networks(rules: Rules) -> None:
    """The network that draws is in the seed, in what judges limits and in the identity; the one that says losses in the identity
    alone; neither needs another warm-up."""
    drawn = replace(rules, scenarios=replace(rules.scenarios, model="a@1"), dependence=doubled)
    again = replace(rules, scenarios=replace(rules.scenarios, model="a@2"), dependence=doubled)
    said = replace(rules, learnt=(LearntRival("net", Says()),))
    other = replace(rules, learnt=(LearntRival("net", Says("says@other")),))
    every = (rules, drawn, again, said, other)
    assert len({r.identity for r in every}) == len(every) and {r.basis for r in every} == {rules.basis}
    assert len({r.seed("A") for r in (rules, drawn, again)}) == 3 and said.seed("A") == rules.seed("A")
    key = ("book", "cvar")
    assert len({r.judged_by[key].scenarios for r in (rules, drawn, again)}) == 3
    assert said.judged_by[key] == rules.judged_by[key]
    lanes = [replace(rules, lanes=(Lane("net", EwmaForecaster(), model, dependence=doubled),)) for model in ("a@1", "a@2")]
    assert lanes[0].identity != lanes[1].identity and lanes[0].in_lanes[0].seed("A") != lanes[1].in_lanes[0].seed("A")


def test_a_lane_that_is_not_anchored_is_its_margins_and_nothing_else(rules: Rules) -> None:
    """Its figures and state are those of the same forecaster that follows no portfolio, and another model is another figure; the
    champion stays anchored, and the lane needs a warm-up of its own."""
    lanes = (Lane("loose", EwmaForecaster(identity="x@test"), "t-copula", anchored=False),)
    alone = (Lane("loose", EwmaForecaster(identity="x@test", follows_books=False), "t-copula"),)
    held = (Lane("loose", EwmaForecaster(identity="x@test"), "t-copula"),)
    found = {key: day(replace(rules, lanes=one)) for key, one in (("loose", lanes), ("alone", alone), ("held", held))}
    figures = {key: rival(outcome.reports[0], "loose") for key, (_, outcome) in found.items()}
    assert figures["loose"] == figures["alone"] != figures["held"]
    np.testing.assert_array_equal(found["loose"][0].lanes[0].scores, found["alone"][0].lanes[0].scores)
    assert found["held"][0].lanes[0].scores.shape[1] == 5 > found["loose"][0].lanes[0].scores.shape[1] == 3
    assert [f.cvar for f in found["loose"][1].reports[0].figures] == [f.cvar for f in found["held"][1].reports[0].figures]
    assert replace(rules, lanes=lanes).basis != replace(rules, lanes=held).basis


def test_a_lane_brings_its_own_network_or_none(rules: Rules) -> None:
    """The champion's network is not the lane's, and no lane is asked for losses outright."""
    own = replace(
        rules, dependence=doubled, learnt=(LearntRival("net", Says()),), lanes=(Lane("a", EwmaForecaster(identity="other@test")),)
    )
    (lane,) = own.in_lanes
    assert (lane.dependence, lane.learnt) == (None, ())
