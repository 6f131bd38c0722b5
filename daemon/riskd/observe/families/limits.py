"""Every limit: where it stands, how likely it is reached, and whether a breach is open."""

from collections.abc import Iterator
from datetime import datetime

from riskd.core.limits import LimitState
from riskd.core.report import LimitReport
from riskd.observe.families.family import Family, gauge, level_label, one_hot
from riskd.observe.freshness import figures_at, limit_state_at
from riskd.observe.snapshot import Snapshot


def limit_families(snapshot: Snapshot, now: datetime) -> Iterator[Family]:
    """Limits of every portfolio; once the figures are stale an open breach stays and nothing else is said to be clear."""
    pairs = [(r.portfolio, limit) for r in snapshot.reports for limit in r.limits]
    ceilings = [((p, m.name, level_label(m.level), str(m.horizon)), m.max_cvar) for p, m in pairs]
    labels = ("portfolio", "limit", "level", "horizon")
    yield gauge("riskd_portfolio_cvar_limit_ratio", "Largest CVaR allowed, as a fraction of value.", labels, ceilings)
    stands = [(p, m, limit_state_at(snapshot, m, now)) for p, m in pairs]
    states = [s for p, m, at in stands for s in one_hot((p, m.name), [x.value for x in LimitState], at.value)]
    text = "1 for the present state of the limit, 0 for the others."
    yield gauge("riskd_limit_state", text, ("portfolio", "limit", "state"), states)
    open_now = [((p, m.name), breached(m, at)) for p, m, at in stands]
    text = "1 while a breach is open, 0 if none is; absent where it cannot be judged."
    yield gauge("riskd_limit_breached", text, ("portfolio", "limit"), open_now)
    current = {r.portfolio for r in snapshot.reports if figures_at(snapshot, r, now)}
    chances = [((p, m.name), m.probability) for p, m in pairs if p in current]
    text = "Probability that CVaR is at or above the limit, by the estimate's own error."
    yield gauge("riskd_limit_breach_probability_ratio", text, ("portfolio", "limit"), chances)


def breached(limit: LimitReport, state: LimitState) -> float | None:
    """1 while a breach is open, 0 when none is; None where that cannot be judged."""
    if limit.since is not None:
        return 1.0
    return None if state is LimitState.CANNOT_JUDGE else 0.0
