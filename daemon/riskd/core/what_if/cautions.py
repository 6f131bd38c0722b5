"""What a reader must know of an answer before trusting it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from riskd.core.allocation.wording import ENOUGH
from riskd.core.quality.doubt import Rule
from riskd.core.state import State
from riskd.core.what_if.answer import LimitSides
from riskd.core.what_if.change import Change
from riskd.core.what_if.optimum import Task

SHOWN = 5  # names in one sentence


def cautions(symbols: Sequence[str], state: State, of: Task, change: Change, limits: Sequence[LimitSides]) -> Iterator[str]:
    """One sentence each: prices first, then how thin the tail is, then what is to be said of an optimum."""
    touched = of.portfolio.touches() | replace(of.portfolio, weights=change.weights).touches()
    names = [s for s, enters in zip(symbols, touched.tolist(), strict=True) if enters]
    out = [s for s in names if s in state.out]
    doubted = {d.symbol for d in state.doubts if d.rule is not Rule.CLOSED}
    doubtful = [s for s in names if s in doubted and s not in out]
    if out:
        yield f"no usable price this session for {_some(out)}: the figures rest on older ones"
    if doubtful:
        yield f"prices in doubt: {_some(doubtful)}"
    if change.rounded:
        yield f"rounded to whole lots: {_some(change.rounded)}"
    tail = (1 - of.asked.level) * len(of.scene.returns)
    if tail < ENOUGH:
        yield f"{tail:.1f} scenarios are in the tail at level {of.asked.level:g}, {ENOUGH} are wanted"
    yield from _of_optimum(of, change, limits)


def _of_optimum(of: Task, change: Change, limits: Sequence[LimitSides]) -> Iterator[str]:
    found = change.optimum
    if found is None:
        return
    if found.status in ("infeasible", "failed"):
        words = "cannot be met" if found.status == "infeasible" else "could not be solved for"
        yield f"the limits {words}: the figures after are those of what is held"
        return
    yield "the weights were chosen on these scenarios, which flatters them: a proposal is verified where nothing was chosen"
    if found.tail_per_asset < ENOUGH:
        yield f"{found.tail_per_asset:.1f} tail scenarios for each asset entered the optimiser, {ENOUGH} are wanted"
    lost = [limit.name for limit in limits if not limit.holds_after]
    if lost:
        yield f"above the limit with these weights: {_some(lost)}"


def _some(names: Sequence[str]) -> str:
    return f"{', '.join(names[:SHOWN])}{f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''}"
