"""Every limit: where it stands, how likely it is reached, what moved it, and whether somebody knows of an open breach."""

from collections.abc import Iterator, Sequence
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
    explained = [(p, m.name, m.explanation) for p, m in pairs if p in current and m.explanation]
    moves = [((p, name, cause), part) for p, name, why in explained for cause, part in why.parts.items()]
    text = "What each cause added to the CVaR of a limit since the session before; the causes sum to its change."
    yield gauge("riskd_limit_cvar_change_ratio", text, ("portfolio", "limit", "cause"), moves)
    yield from _decided(pairs, now)


def _decided(pairs: Sequence[tuple[str, LimitReport]], now: datetime) -> Iterator[Family]:
    """What people said of open breaches: known, and for how long without reminders."""
    known = [((p, m.name), float(m.acknowledged is not None)) for p, m in pairs if m.since is not None]
    text = "1 if a person has acknowledged the open breach, else 0; absent while none is open."
    yield gauge("riskd_limit_acknowledged", text, ("portfolio", "limit"), known)
    quiet = [((p, m.name), m.silence.until) for p, m in pairs if m.silence and m.silence.holds(now.isoformat())]
    ends = [(labels, datetime.fromisoformat(until).timestamp()) for labels, until in quiet]
    text = "When the silence of a limit ends; absent where none holds."
    yield gauge("riskd_limit_silenced_until_timestamp_seconds", text, ("portfolio", "limit"), ends)


def breached(limit: LimitReport, state: LimitState) -> float | None:
    """1 while a breach is open, 0 when none is; None where that cannot be judged."""
    if limit.since is not None:
        return 1.0
    return None if state is LimitState.CANNOT_JUDGE else 0.0
