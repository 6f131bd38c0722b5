"""The colour of a report: green is a conjunction, so taking away any one proof must take away the green."""

import math
from dataclasses import replace

import pytest

from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.report import Figure, LimitReport, Rival, Status
from riskd.core.status import DIVERGENCE, SEVERITY, WARN_SHARE, divergence, status_of, worst

pytestmark = pytest.mark.unit
FIGURE = Figure(0.95, 1, 0.02, 0.019, 0.021, 0.03, 0.029, 0.031, 0.0005, 0.0, (Rival("ewma-t", 0.021, 0.031),))
OTHER = replace(FIGURE, level=0.99)
LIMIT = LimitReport("cvar", 0.95, 1, 0.05, 0.03, 0.0, LimitState.CLEAR, None, ())


def test_every_proof_together_is_green() -> None:
    """Grade A, finite figures, a challenger that agrees, every limit clear and far."""
    assert status_of((FIGURE, OTHER), (LIMIT,), Grade.A) is Status.OK


@pytest.mark.parametrize(
    ("grade", "status"),
    [(Grade.B, Status.WARN), (Grade.C, Status.DEGRADED), (Grade.D, Status.DEGRADED), (Grade.F, Status.UNKNOWN)],
)
def test_without_grade_a(grade: Grade, status: Status) -> None:
    """Every lesser grade has a colour of its own."""
    assert status_of((FIGURE,), (LIMIT,), grade) is status


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["var", "cvar"])
def test_without_a_finite_figure(field: str, bad: float) -> None:
    """One figure that is no number makes the report unknown, though no limit rests on it."""
    assert status_of((FIGURE, replace(OTHER, **{field: bad})), (LIMIT,), Grade.A) is Status.UNKNOWN


def test_without_any_figure() -> None:
    """Nothing computed is nothing known."""
    assert status_of((), (LIMIT,), Grade.A) is Status.UNKNOWN
    assert status_of((), (), Grade.A) is Status.UNKNOWN


@pytest.mark.parametrize("rival", [math.nan, math.inf, 0.0, -0.01, 0.03 / DIVERGENCE * 0.999, 0.03 * DIVERGENCE * 1.001])
def test_without_an_agreeing_challenger(rival: float) -> None:
    """A challenger that is missing, not positive or 1.5 times off either way takes the green away."""
    assert status_of((replace(FIGURE, challengers=(Rival("ewma-t", 0.02, rival),)),), (LIMIT,), Grade.A) is Status.DEGRADED


@pytest.mark.parametrize("rival", [0.02, 0.03 / DIVERGENCE * 1.001, 0.03 * DIVERGENCE * 0.999])
def test_a_challenger_within_the_factor_agrees(rival: float) -> None:
    """Exactly at the factor and just inside it, either way."""
    assert status_of((replace(FIGURE, challengers=(Rival("ewma-t", 0.02, rival),)),), (LIMIT,), Grade.A) is Status.OK


def test_the_challenger_counts_where_a_limit_rests() -> None:
    """A figure that no limit rests on may diverge; without limits every figure counts."""
    diverged = replace(OTHER, challengers=(Rival("ewma-t", 0.02, 0.3),))
    assert status_of((FIGURE, diverged), (LIMIT,), Grade.A) is Status.OK
    assert status_of((FIGURE, replace(diverged, level=0.95, horizon=10)), (LIMIT,), Grade.A) is Status.OK
    assert status_of((FIGURE, diverged), (), Grade.A) is Status.DEGRADED


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (LimitState.POSSIBLE, Status.WARN),
        (LimitState.CANNOT_JUDGE, Status.UNKNOWN),
        (LimitState.FIRING, Status.BREACH),
        (LimitState.CLEARING, Status.BREACH),
    ],
)
def test_without_a_clear_limit(state: LimitState, status: Status) -> None:
    """One limit that is not clear decides, wherever it stands among clear ones."""
    limits = (LIMIT, replace(LIMIT, state=state), LIMIT)
    assert status_of((FIGURE,), limits, Grade.A) is status


@pytest.mark.parametrize(
    ("cvar", "status"),
    [
        (0.0449, Status.OK),
        (WARN_SHARE * LIMIT.max_cvar, Status.WARN),
        (0.0451, Status.WARN),
        (math.nan, Status.WARN),
        (None, Status.WARN),
    ],
)
def test_without_distance_to_the_limit(cvar: float | None, status: Status) -> None:
    """From 90 % of a limit on it is a warning; a CVaR that is missing is never far."""
    assert status_of((FIGURE,), (LIMIT, replace(LIMIT, cvar=cvar)), Grade.A) is status


def test_a_breach_outweighs_everything() -> None:
    """A limit that fires is a breach even where the rest is unknown."""
    firing = replace(LIMIT, state=LimitState.FIRING)
    assert status_of((), (firing, replace(LIMIT, state=LimitState.CANNOT_JUDGE)), Grade.F) is Status.BREACH


def test_a_group_is_never_greener_than_its_worst() -> None:
    """Worst of any group by the one order of severity; nobody is unknown, not fine."""
    for i, a in enumerate(SEVERITY):
        for b in SEVERITY[i:]:
            assert worst((a, b)) is worst((b, a)) is b
    assert worst(()) is Status.UNKNOWN
    assert set(SEVERITY) == set(Status)
    assert SEVERITY[0] is Status.OK


def test_divergence_is_the_larger_ratio() -> None:
    """The same both ways round; infinite without two positive numbers."""
    assert divergence(replace(FIGURE, cvar=0.02, challengers=(Rival("ewma-t", 0.02, 0.05),))) == pytest.approx(2.5)
    assert divergence(replace(FIGURE, cvar=0.05, challengers=(Rival("ewma-t", 0.02, 0.02),))) == pytest.approx(2.5)
    assert divergence(replace(FIGURE, cvar=-0.01, challengers=(Rival("ewma-t", 0.02, -0.01),))) == math.inf
    assert divergence(replace(FIGURE, cvar=0.0)) == math.inf
    assert divergence(replace(FIGURE, challengers=(Rival("ewma-t", 0.02, 0.0),))) == math.inf
    assert divergence(replace(FIGURE, challengers=())) == math.inf


def test_rivals_have_no_vote() -> None:
    """However many systems are on trial beside it, the champion is held against the estimators alone."""
    quick, trial = Rival("gjr-fhs", 0.02, 0.03), tuple(Rival(f"rival-{i}", 0.1, 0.3) for i in range(9))
    assert replace(FIGURE, challengers=(quick, *trial)).challenger_cvar == 0.03
    assert math.isnan(replace(FIGURE, challengers=trial).challenger_cvar)


def test_historical_simulation_judges_only_alone() -> None:
    """The median is that of the challengers but historical; where it is the only one with a figure, it counts."""
    quick, late, silent = Rival("gjr-fhs", 0.02, 0.03), Rival("historical", 0.02, 0.3), Rival("ewma-t", 0.02, math.nan)
    assert replace(FIGURE, challengers=(quick, late)).challenger_cvar == 0.03
    assert status_of((replace(FIGURE, challengers=(quick, late)),), (LIMIT,), Grade.A) is Status.OK
    for alone in ((late,), (late, silent)):
        assert replace(FIGURE, challengers=alone).challenger_cvar == 0.3
        assert status_of((replace(FIGURE, challengers=alone),), (LIMIT,), Grade.A) is Status.DEGRADED
