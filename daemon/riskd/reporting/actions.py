"""What there is to do about one portfolio: the proposal and what else there was, prices that wait for a decision, or nothing."""

from collections.abc import Iterator
from typing import Any

from riskd.core.limits import LimitState
from riskd.core.proposed import Alternative, Proposal, Trade
from riskd.core.report import LimitReport, PortfolioReport, Status
from riskd.reporting.rounding import money

Row = dict[str, Any]
OPEN = (LimitState.FIRING, LimitState.CLEARING)


def words(report: PortfolioReport, proposal: Proposal | None) -> list[str]:
    """What to do, a sentence each, the most pressing first; one that says so when there is nothing."""
    told = [*_frozen(report), *_allocation(report, proposal), *_limits(report), *_prices(report)]
    if report.status is Status.OK:
        return told or ["Nothing: every limit is clear and every price is in use."]
    why = report.notes[0] if report.notes else f"prices are graded {report.grade.value}"
    return told or [f"No order follows, but rely on no figure without a look: {report.status.value}, {why}."]


def _frozen(report: PortfolioReport) -> Iterator[str]:
    if freeze := report.frozen:
        yield (
            f"No allocation is proposed: frozen by {freeze.author} since {_minute(freeze.at)}: {freeze.reason}. "
            f"To have one again: riskd unfreeze {report.portfolio}."
        )


def _minute(at: str) -> str:
    """A time in UTC to the minute."""
    return f"{at[:16].replace('T', ' ')} UTC"


def _allocation(report: PortfolioReport, proposal: Proposal | None) -> Iterator[str]:
    fires = any(limit.state is LimitState.FIRING for limit in report.limits)
    if proposal is None:
        if fires and report.frozen is None:
            yield "No allocation is known yet for the limit that is breached: see the next report, or the log of riskd."
        return
    when = "" if proposal.session == report.session else f" (of {proposal.session}, and it still stands)"
    if proposal.status == "proposed":
        count = f"{len(proposal.trades)} order{'s' if len(proposal.trades) != 1 else ''}"
        yield (
            f"Trade{when}: {count}, turnover {proposal.turnover:.1%}, cost {proposal.cost:.3%} of value, bring the CVaR of "
            f"{proposal.limit} from {proposal.cvar_before:.2%} to {proposal.cvar_verified:.2%} where it was verified."
        )
    elif proposal.status == "infeasible":
        least = "" if proposal.least_cvar is None else f" The least achievable CVaR is {proposal.least_cvar:.2%}."
        yield f"No weights hold every limit with certainty{when}; current holdings stay.{least}"
        if proposal.relaxation:
            yield f"The cheapest way out: {'; '.join(proposal.relaxation)}."
    else:
        yield f"The allocation {proposal.status}{when}: {proposal.notes[0] if proposal.notes else 'no reason was given'}."


def _limits(report: PortfolioReport) -> Iterator[str]:
    for limit in report.limits:
        if limit.state in OPEN and limit.acknowledged is None:
            yield f"Take note of the breach of {limit.name}, open since {limit.since}: nobody has acknowledged it."
        if limit.state is LimitState.CANNOT_JUDGE:
            yield f"{limit.name} cannot be judged: {report.notes[0] if report.notes else 'no valid figure'}."
        if limit.state is LimitState.POSSIBLE:
            yield f"Watch {limit.name}: {_near(limit)}."


def _near(limit: LimitReport) -> str:
    cvar = "unknown" if limit.cvar is None else f"{limit.cvar:.2%}"
    return f"CVaR is {cvar} of {limit.max_cvar:.2%}, too near to be called clear"


def _prices(report: PortfolioReport) -> Iterator[str]:
    for doubt in report.doubts:
        if doubt.quarantined:
            yield (
                f"Decide on {doubt.symbol} of {doubt.session} ({doubt.rule.value}): "
                f"riskd data approve {doubt.symbol} {doubt.session}, or reject."
            )


def proposed(proposal: Proposal | None, report: PortfolioReport) -> Row | None:
    """The standing proposal with its orders and alternatives; None without one."""
    if proposal is None:
        return None
    return {
        "status": proposal.status,
        "session": proposal.session,
        "limit": proposal.limit,
        "max_cvar": proposal.max_cvar,
        "cvar_before": proposal.cvar_before,
        "cvar_after": proposal.cvar_after,
        "cvar_verified": proposal.cvar_verified,
        "least_cvar": proposal.least_cvar,
        "least_upper": proposal.least_upper,
        "horizon": proposal.horizon,
        "turnover": proposal.turnover,
        "cost": proposal.cost,
        "cost_money": money(proposal.cost, report.value),
        "cash": proposal.cash,
        "expected_return_before": proposal.expected_return_before,
        "expected_return_after": proposal.expected_return_after,
        "trades": {t.symbol: _trade(t) for t in proposal.trades},
        "alternatives": _alternatives(proposal),
        "limits": {o.name: o for o in proposal.limits},
        "conflict": proposal.conflict,
        "relaxation": proposal.relaxation,
        "notes": proposal.notes,
    }


def _trade(trade: Trade) -> Row:
    return {
        "order": "buy" if trade.change > 0 else "sell",
        "change": trade.change,
        "value": None if trade.value is None else round(trade.value, 2),
        "shares": trade.shares,
        "cvar_saved": trade.cvar_saved,
        "saved_per_cost": trade.saved_per_cost,
        "return_gained": trade.return_gained,
        "note": trade.note,
    }


def _alternatives(proposal: Proposal) -> Row:
    """By name, doing nothing among them; the proposal itself stands first where there is one."""
    return {a.name: _alternative(a) for a in proposal.alternatives}


def _alternative(a: Alternative) -> Row:
    figures = {"cvar": a.cvars, "cvar_upper": a.upper, "expected_return": a.expected_return}
    return figures | {"turnover": a.turnover, "cost": a.cost, "cash": a.cash, "holds": a.holds, "words": a.words}


def weights(report: PortfolioReport, proposal: Proposal | None) -> Row:
    """Weight of every holding and of cash, now and as proposed."""
    then = proposal.weights | {"cash": proposal.cash} if proposal and proposal.status == "proposed" else None
    now = report.weights | {"cash": report.cash}
    names = sorted({*now, *(then or {})}, key=lambda name: (name == "cash", name))
    return {n: {"now": now.get(n, 0.0), "proposed": None if then is None else then.get(n, 0.0)} for n in names}
