"""What-if questions of any wording and any size."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskd.core.what_if.grammar import trades
from riskd.core.what_if.question import QuestionError
from what_if_ground import asker

pytestmark = pytest.mark.property
SYMBOLS = ("AAA", "BBB", "CCC")
WORDS = (
    *SYMBOLS,
    "aaa",
    "sell",
    "buy",
    "rotate",
    "all",
    "half",
    "2%",
    "%",
    "10000",
    "USD",
    "shares",
    "->",
    "to",
    ",",
    "and",
    "ZZZ",
)
ASK = asker()


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)))
@settings(max_examples=200, deadline=None)
def test_any_wording_is_understood_or_refused_in_one_line(text: str) -> None:
    """Never another exception than a refusal, in one line that begins with what is wrong; what is understood is finite."""
    try:
        found = trades(text, SYMBOLS)
    except QuestionError as error:
        assert str(error).startswith("trades: ")
        assert "\n" not in str(error)
    else:
        assert all(t.symbol in SYMBOLS and 0 < t.amount.number < math.inf for t in found)


@given(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join))
@settings(max_examples=60, deadline=None)
def test_any_wording_is_answered_or_refused(text: str) -> None:
    """What the grammar takes gives figures that are finite, or a refusal."""
    try:
        found = ASK(trades=text, explain=False)
    except QuestionError:
        return
    assert math.isfinite(found.after.risk.cvar)
    assert sum(h.component_after for h in found.holdings) == pytest.approx(found.after.risk.cvar, abs=1e-9)


def figures(answer: Any) -> list[float]:
    side = answer.after
    limits = [x for m in answer.limits for x in (m.after.cvar, m.after.cvar_low, m.probability_after)]
    return [side.risk.var, side.risk.cvar, side.risk.error, side.cash, *limits, *(h.component_after for h in answer.holdings)]


@given(st.permutations(SYMBOLS), st.floats(1e-4, 0.1))
@settings(max_examples=40, deadline=None)
def test_a_trade_and_its_reverse_change_nothing(order: list[str], share: float) -> None:
    """There and back again gives the figures of doing nothing, to rounding; there alone does not."""
    first, second, _ = order
    words = f"{share * 100:.12f}% "
    there, back = f"rotate {words}{first} -> {second}", f"rotate {words}{second} -> {first}"
    still, again, moved = figures(ASK()), figures(ASK(trades=f"{there}, {back}")), figures(ASK(trades=there))
    assert again == pytest.approx(still, abs=1e-12, rel=1e-9)
    assert moved != pytest.approx(still, abs=1e-12, rel=1e-9)


@given(st.floats(0.0, 0.1), st.floats(0.0, 0.1))
@settings(max_examples=40, deadline=None)
def test_cvar_is_convex_in_the_size_of_a_trade(small: float, large: float) -> None:
    """Half the way has at most the mean of the risks at both ends."""

    def cvar(share: float) -> float:
        return ASK(trades=f"rotate {share * 100:.12f}% AAA -> CCC").after.risk.cvar if share > 1e-9 else ASK().after.risk.cvar

    assert cvar((small + large) / 2) <= (cvar(small) + cvar(large)) / 2 + 1e-12
