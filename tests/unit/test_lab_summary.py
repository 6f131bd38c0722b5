"""The summary says of worlds with a known truth what is true, and of missing figures that they are missing."""

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from lab.worlds import LEVELS, laboratory, track

from riskd.core.validation.coverage import band, kupiec
from riskd.lab.calibration import apart
from riskd.lab.panel import Panel
from riskd.lab.sections import overlap
from riskd.lab.summary import rounded, summary
from riskd.lab.track import Laboratory, Track

pytestmark = pytest.mark.unit
Row = dict[str, Any]


def world() -> Laboratory:
    """An equal-weight portfolio, two single ones and overlapping losses over five sessions."""
    singles = [track(f"asset-{i}", "single", count=500, seed=20 + i) for i in range(2)]
    return laboratory(track(count=1500), *singles, track(horizon=5, count=500, seed=9))


@pytest.fixture(scope="module")
def found() -> Row:
    return summary(world())


def panel(found: Row, name: str) -> Row:
    return next(p for p in found["panels"] if p["name"] == name)


def test_it_is_json_and_nothing_else(found: Row) -> None:
    """It survives JSON unchanged, without NaN, with sorted keys."""
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found
    assert text == json.dumps(found, sort_keys=True)


def test_the_answer_is_three_true_sentences(found: Row) -> None:
    """The perfect model is ahead in every group, significantly where there are many sessions, and calibrated."""
    first, second, third = found["answer"]
    assert first.startswith("By FZ0 at 95 %, lower is better, perfect is ahead of small in 3 of 3 groups: ")
    duel = [r for r in panel(found, "equal, 1 session")["comparisons"] if (r["score"], r["level"]) == ("fz0", 0.95)]
    assert duel[0]["t"] < -1.96
    assert second.startswith("The lead is significant at 5 % in ")
    assert "10 of 10 levels" in third
    assert third.startswith("In equal, 1 session, 5.20% of losses lay above the 95 % VaR (3.93% to 6.13% is what")


def test_a_model_that_is_too_small_is_seen(found: Row) -> None:
    """Its exceedance shares leave the band at every level, its coverage and shortfall tests fail, its light is never green."""
    equal = panel(found, "equal, 1 session")
    shares = [r for r in equal["coverage"] if r["model"] == "small"]
    assert [r["inside"] for r in shares] == [0] * len(LEVELS)
    by_test = {(r["test"], r["level"]): r["p"] for r in equal["tests"] if r["model"] == "small"}
    for name in ("kupiec", "exact binomial", "acerbi-szekely z2", "es intercept", "du-escanciano unconditional"):
        assert by_test[name, 0.975] < 0.01
    assert by_test["kolmogorov-smirnov", None] < 0.01
    pit = {r["model"]: r for r in equal["pit"]}
    assert pit["small"]["kld"] > 2 * pit["small"]["ceiling"] > pit["perfect"]["kld"]
    assert sum(pit["small"]["counts"]) == 1500


def test_coverage_is_the_exceedance_share_with_the_exact_band(found: Row) -> None:
    """Share, band and Kupiec's p are those of the judge on the same losses."""
    source = world().tracks[0]
    k = LEVELS.index(0.99)
    row = next(r for r in panel(found, "equal, 1 session")["coverage"] if (r["model"], r["level"]) == ("perfect", 0.99))
    var = np.ascontiguousarray(source.forecasts["perfect"].var[:, k])
    assert row["share"] == pytest.approx((source.losses > var).mean(), rel=1e-5)
    assert (row["low"], row["high"]) == pytest.approx(band(1500, 0.99), rel=1e-5)
    tests = panel(found, "equal, 1 session")["tests"]
    p = next(r["p"] for r in tests if (r["model"], r["level"], r["test"]) == ("perfect", 0.99, "kupiec"))
    assert p == pytest.approx(kupiec(source.losses, var, 0.99).p, rel=1e-5)


def test_a_group_shows_how_many_of_its_portfolios_pass(found: Row) -> None:
    """Two portfolios make two verdicts a test, and no p of their mean."""
    single = panel(found, "single, 1 session")
    rows = [r for r in single["tests"] if r["test"] == "kupiec"]
    assert {(r["model"], r["judged"]) for r in rows} == {("perfect", 2), ("small", 2)}
    assert all("p" not in r and r["share"] == r["passed"] / 2 for r in rows)
    pits = {r["model"]: r for r in single["pit"]}
    assert pits["small"]["kld"] > pits["perfect"]["kld"] > 0
    assert pits["small"]["note"] == "each portfolio has its own ceiling: 2 of 2 are above it"


def test_overlapping_losses_are_thinned_for_tests_and_lagged_for_comparisons(found: Row) -> None:
    """Five-session losses of 500 daily sessions are 100 independent ones, and the comparison has four lags or more."""
    five = panel(found, "equal, 5 sessions")
    assert {r["sessions"] for r in five["coverage"]} == {100}
    assert all(r["lags"] >= 4 and r["sessions"] == 500 for r in five["comparisons"])


def test_the_page_says_that_losses_overlap(found: Row) -> None:
    """Which sessions a panel of five-session losses rests on and how many lags it has; nothing of one session's losses."""
    words = overlap(panel(found, "equal, 5 sessions"))
    assert "Losses over 5 sessions overlap. Coverage and tests rest on 100 of 500 sessions, whose losses do not." in words
    assert re.search(r"with ([4-9]|\d\d) Newey-West lags or more", words)
    assert overlap(panel(found, "equal, 1 session")) == ""


def test_the_answer_on_overlapping_losses_names_the_sessions_it_rests_on() -> None:
    """With nothing shorter than ten sessions the share of exceedances is that of the thirty that do not overlap."""
    lab = laboratory(track(horizon=10, count=300))
    assert "In equal, 10 sessions (the 30 whose losses do not overlap), " in summary(lab)["answer"][2]


@pytest.mark.parametrize(("horizon", "every", "step"), [(1, 1, 1), (5, 1, 5), (5, 5, 1), (21, 1, 21), (21, 5, 5), (5, 7, 1)])
def test_thinning_looks_at_how_far_sessions_are_apart(horizon: int, every: int, step: int) -> None:
    """Sessions that are already far enough apart are all used."""
    assert apart(track(count=300).sessions[::every], horizon) == step


def test_missing_sessions_are_left_out_and_counted() -> None:
    """A NaN loss and a NaN forecast take out their session only, and the summary says how many and whose."""
    source = track(count=300)
    losses = source.losses.copy()
    losses[10] = np.nan
    var = source.forecasts["small"].var.copy()
    var[[20, 21]] = np.nan
    gaps = replace(source, losses=losses, forecasts={**source.forecasts, "small": replace(source.forecasts["small"], var=var)})
    only = summary(laboratory(gaps))["panels"][0]
    assert only["portfolios"][0]["missing_losses"] == 1
    assert only["portfolios"][0]["missing"] == {"perfect": 0, "small": 2}
    assert {r["model"]: r["sessions"] for r in only["coverage"]} == {"perfect": 299, "small": 297}
    assert {(r["sessions"], r["dropped"]) for r in only["comparisons"]} == {(297, 2)}


def test_without_pit_and_crps_there_is_a_reason() -> None:
    """Figures that need them are null with a note, and no test of the distribution is claimed."""
    source = track(count=300)
    bare: Track = replace(source, forecasts={m: replace(f, pit=None, crps=None) for m, f in source.forecasts.items()})
    only = summary(laboratory(bare))["panels"][0]
    assert [(r["kld"], r["note"]) for r in only["pit"]] == [(None, "perfect came without PIT"), (None, "small came without PIT")]
    crps = [r for r in only["scores"] if r["score"] == "crps"]
    assert [(r["mean"], r["note"]) for r in crps] == [(None, f"{m} came without CRPS for book") for m in ("perfect", "small")]
    assert "kolmogorov-smirnov" not in {r["test"] for r in only["tests"]}


def test_a_crisis_holds_its_own_sessions(found: Row) -> None:
    """The sample from 2006 on reaches the financial crisis and not the one before; shares are those inside."""
    crises = {c["name"]: c for c in panel(found, "equal, 1 session")["crises"]}
    assert crises["technology bust 2000-2002"]["models"] == []
    source, crisis = world().tracks[0], crises["financial crisis 2007-2009"]
    inside = np.array([crisis["first"] <= s.isoformat() <= crisis["last"] for s in source.sessions])
    var = source.forecasts["small"].var[:, LEVELS.index(0.95)]
    row = next(r for r in crisis["models"] if (r["model"], r["level"]) == ("small", 0.95))
    assert crisis["sessions"] == row["sessions"] == inside.sum() > 500
    assert row["share"] == pytest.approx((source.losses > var)[inside].mean(), rel=1e-5)


def test_any_number_of_processes_finds_the_same() -> None:
    """Two processes give the summary of one, and progress ends with all of them."""
    lab = laboratory(track(count=300), track("other", "given", count=300, seed=3))
    heard: list[tuple[int, int]] = []
    assert summary(lab, jobs=2, progress=lambda done, all_: heard.append((done, all_))) == summary(lab)
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_short_track_is_judged_as_far_as_it_goes() -> None:
    """Fifteen sessions are compared with nobody, and the answer says so instead of a figure."""
    found = summary(laboratory(track(count=15)))
    assert found["answer"][0] == "Nobody can be called ahead: 15 sessions in common are too few to compare; 20 are needed."
    assert found["answer"][1] == "No difference could be tested."


def test_a_model_that_never_forecast_is_named() -> None:
    """A champion whose forecasts are all missing has no score, no coverage and a sentence that says so."""
    source = track(count=60)
    nothing = replace(source.forecasts["perfect"], var=np.full((60, len(LEVELS)), np.nan))
    found = summary(laboratory(replace(source, forecasts={**source.forecasts, "perfect": nothing})))
    assert found["answer"][0] == "Nobody can be called ahead: perfect forecast no session of equal, 1 session."
    assert found["answer"][2].startswith("Whether perfect is calibrated cannot be said")


def test_rounding_keeps_six_digits_and_no_nan() -> None:
    """Floats keep six significant digits, NaN and infinity become null, keys are sorted."""
    assert rounded({"b": (0.123456789, np.float64(1234567.0)), "a": [float("nan"), float("inf"), True, 3]}) == {
        "a": [None, None, True, 3],
        "b": [0.123457, 1234570.0],
    }


def test_other_levels_are_scored_when_the_usual_ones_are_absent() -> None:
    """A laboratory without 0.95, 0.975 and 0.99 scores the levels that it has."""
    assert Panel("equal", 1, (0.9, 0.98), (track(),)).scored == (0.9, 0.98)
    assert Panel("equal", 1, LEVELS, (track(),)).scored == (0.95, 0.975, 0.99)
