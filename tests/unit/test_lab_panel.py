"""Scores are compared on the same portfolios and sessions, and what is left out is counted."""

import math
from dataclasses import replace

import numpy as np
import pytest
from lab.worlds import LEVELS, laboratory, track

from riskd.core.validation.compare import diebold_mariano
from riskd.core.validation.scores import fz0
from riskd.lab.panel import Panel, Undefined, comparison, lags, panels, session_means
from riskd.lab.scoring import energy, pairwise, scoring
from riskd.lab.track import Track

pytestmark = pytest.mark.unit


def panel(*tracks: Track) -> Panel:
    return Panel("equal", tracks[0].horizon, LEVELS, tracks)


def without(source: Track, model: str, rows: list[int]) -> Track:
    """The same track with no forecast of ``model`` in ``rows``."""
    var = source.forecasts[model].var.copy()
    var[rows] = np.nan
    return replace(source, forecasts={**source.forecasts, model: replace(source.forecasts[model], var=var)})


def test_there_is_a_panel_for_each_horizon_and_group() -> None:
    """Shorter horizons come first, and each panel holds its own portfolios."""
    tracks = [track("a", "single"), track("b", "single"), track("c", "equal"), track("c", "equal", horizon=5)]
    found = [(p.horizon, p.group, [t.portfolio for t in p.tracks]) for p in panels(laboratory(*tracks))]
    assert found == [(1, "equal", ["c"]), (1, "single", ["a", "b"]), (5, "equal", ["c"])]


def test_scores_are_nan_where_nothing_was_forecast() -> None:
    """A table has the judge's scores where there is a forecast, and a gap, not a zero, elsewhere."""
    source = without(track(count=50), "small", [3, 7])
    scores = panel(source).scores("fz0", 0.95, "small")[0]
    assert np.flatnonzero(np.isnan(scores)).tolist() == [3, 7]
    k, forecast = LEVELS.index(0.95), source.forecasts["small"]
    expected = fz0(source.losses[:3], forecast.var[:3, k], forecast.cvar[:3, k], 0.95)
    assert scores[:3].tolist() == expected.tolist()


def test_portfolios_are_laid_on_one_calendar() -> None:
    """A portfolio that starts later is a gap before its first session."""
    early, late = track("a", count=40), track("b", count=40, seed=2)
    late = replace(
        late,
        sessions=late.sessions[10:],
        losses=late.losses[10:],
        forecasts={m: replace(f, var=f.var[10:], cvar=f.cvar[10:], pit=None, crps=None) for m, f in late.forecasts.items()},
    )
    scores = panel(early, late).scores("pinball", 0.99, "perfect")
    assert np.isnan(scores[1]).tolist() == [True] * 10 + [False] * 30
    assert session_means(scores)[:10].tolist() == scores[0, :10].tolist()


def test_a_comparison_is_pairwise_and_counts_what_it_drops() -> None:
    """The difference is tested on the sessions that both forecast, as the judge tests it."""
    source = without(track(count=300), "small", [0, 1, 2, 100])
    both = panel(source)
    ours, theirs = (both.scores("fz0", 0.95, m) for m in ("perfect", "small"))
    found = comparison(ours, theirs, 1)
    keep = ~np.isnan(theirs[0])
    assert (found.sessions, found.dropped) == (296, 4)
    assert found.test == diebold_mariano((ours - theirs)[0, keep])


def test_overlapping_horizons_have_as_many_lags_as_they_overlap() -> None:
    """At least horizon - 1 lags, and never fewer than the usual number."""
    assert lags(1000, 1) == math.floor(4 * 10 ** (2 / 9))
    assert lags(1000, 21) == 20
    assert lags(1000, 5) == lags(1000, 1)


def test_too_few_sessions_are_not_compared() -> None:
    """Nineteen sessions give a reason, twenty a figure."""
    for count, enough in ((19, False), (20, True)):
        source = panel(track(count=count))
        rows = pairwise({m: source.scores("fz0", 0.95, m) for m in ("perfect", "small")}, "perfect", "small", 1)
        assert (rows[0]["t"] is not None) == enough
        assert ("too few" in rows[0]["note"]) != enough


def test_the_perfect_model_is_ahead() -> None:
    """With known truth every score at every level prefers it to one that is 20 % too small, FZ0 significantly."""
    means, rows = scoring(panel(track(), track("b", seed=2)), "perfect", "small")
    by = {(r["score"], r["level"], r["model"]): r["mean"] for r in means}
    for score, level in {(r["score"], r["level"]) for r in means}:
        assert by[score, level, "perfect"] < by[score, level, "small"]
    assert all(r["t"] < -1.96 for r in rows if r["score"] == "fz0")
    assert {r["model"] for r in rows} == {"perfect"}


def test_a_difference_agrees_with_the_means() -> None:
    """Where nothing is missing the tested difference is that of the two mean scores."""
    means, rows = scoring(panel(track(count=200)), "perfect", "small")
    by = {(r["score"], r["level"], r["model"]): r["mean"] for r in means}
    for r in rows:
        assert r["mean"] == pytest.approx(by[r["score"], r["level"], "perfect"] - by[r["score"], r["level"], "small"], abs=1e-15)


def test_a_cvar_of_zero_leaves_fz0_undefined_for_that_model_alone() -> None:
    """The reason names portfolio, model and the number of sessions; pinball and the other model are judged on."""
    source = track(count=60)
    cvar = source.forecasts["small"].cvar.copy()
    cvar[5] = 0.0
    source = replace(source, forecasts={**source.forecasts, "small": replace(source.forecasts["small"], cvar=cvar)})
    with pytest.raises(Undefined, match="small forecast none above it on 1 sessions of book"):
        panel(source).scores("fz0", 0.95, "small")
    means, rows = scoring(panel(source), "perfect", "small")
    undefined = [(r["score"], r["model"]) for r in means if r["mean"] is None]
    assert undefined == [("fz0", "small")] * 3
    assert all((r["t"] is None) == (r["score"] == "fz0") for r in rows)


def test_holm_is_over_the_champions_rivals() -> None:
    """With two rivals the smaller p doubles; a model against the baseline keeps its own p."""
    three = track(models={"perfect": 1.0, "small": 0.8, "large": 1.02}, count=400)
    tables = {m: panel(three).scores("pinball", 0.95, m) for m in three.forecasts}
    rows = pairwise(tables, "perfect", "small", 1)
    ours = {r["other"]: r for r in rows if r["model"] == "perfect"}
    least = min(ours.values(), key=lambda r: r["p"])
    assert least["p_holm"] == pytest.approx(min(1.0, 2 * least["p"]))
    assert [(r["model"], r["other"], "p_holm" in r) for r in rows if r["model"] != "perfect"] == [("large", "small", False)]


def test_energy_scores_are_compared_where_both_exist() -> None:
    """Every fifth origin is enough; the reference is compared with nobody."""
    random = np.random.default_rng(3)
    base = random.standard_normal(200) + 5
    joint = base - 0.5 + 0.01 * random.standard_normal(200)
    base[np.arange(200) % 5 > 0] = np.nan
    found = {r["model"]: r for r in energy({"joint": joint, "base": base}, "base", 1)}
    against = found["joint"]["against"]
    assert found["base"]["against"] is None
    assert (found["joint"]["sessions"], against["sessions"], against["other"]) == (200, 40, "base")
    assert against["t"] < -10
