"""What an alert about a limit says in one sentence."""

import math
from collections.abc import Sequence

from riskd.core.events import AlertEvent, AlertKind
from riskd.core.news import AGAIN, NEWEST, RISEN, UNHEARD, News
from riskd.core.report import Explanation, LimitReport, PortfolioReport

NAMED = 3  # components, and limits of a group
SHOWN = 0.0005  # a part smaller than this share of value is left to the structured form
VERBS = {
    AlertKind.BREACH_OPENED: "breached",
    AlertKind.BREACH_CLOSED: "clear again",
    AlertKind.JUDGEMENT_RESTORED: "can be judged again",
    RISEN: "breached, and risen by a tenth or more since it was last told",
    NEWEST: "breached, and still open on the newest session",
    UNHEARD: "still open, and nobody has acknowledged it",
}
GROUPS = {
    AlertKind.BREACH_OPENED: "breached",
    AlertKind.BREACH_ESCALATED: "escalated",
    AlertKind.BREACH_CLOSED: "clear again",
    AlertKind.BREACH_WITHDRAWN: "breached and withdrawn",
    AlertKind.JUDGEMENT_LOST: "cannot be judged",
    AlertKind.JUDGEMENT_RESTORED: "can be judged again",
}


def headline(news: News, report: PortfolioReport, limit: LimitReport) -> str:
    """One sentence for a person; a breach says what moved and what it comes from."""
    name = f"{report.portfolio}: {limit.name}"
    if news.kind is AlertKind.JUDGEMENT_LOST:
        return f"{name} cannot be judged on {report.session}: {report.notes[0] if report.notes else 'no valid figure'}"
    if news.kind is AlertKind.BREACH_WITHDRAWN:
        return f"{name}: the breach of {news.episode} is withdrawn, not over: the limit is another one now"
    if news.reason == AGAIN:
        return f"{name} is open again: the session that cleared it was judged again, and cannot be"
    horizon = f"{limit.horizon} session{'s' if limit.horizon > 1 else ''}"
    cvar = math.nan if limit.cvar is None else limit.cvar
    figure = f"CVaR {100 * limit.level:g}% over {horizon} is {cvar:.2%}, limit {limit.max_cvar:.2%}"
    said = [f"{name} {VERBS[news.reason or news.kind]}: {figure}"]
    if news.kind in (AlertKind.BREACH_OPENED, AlertKind.BREACH_ESCALATED, AlertKind.BREACH_CLOSED):
        said += _causes(limit, news.kind is not AlertKind.BREACH_CLOSED)
    if limit.changed:
        said.append(f"judged by another {' and another '.join(limit.changed)} than it fired under")
    return "; ".join(said)


def _causes(limit: LimitReport, breach: bool) -> list[str]:
    said = [moved(limit.explanation)] if limit.explanation else []
    if breach and limit.contributions:
        said.append(f"most from {', '.join(c.symbol for c in limit.contributions[:NAMED])}")
    if breach and limit.explanation and limit.explanation.like:
        said.append(f"like {limit.explanation.like}")
    return said


def moved(explanation: Explanation) -> str:
    """The change in percentage points and its parts, the largest first: ``+1.10 points since 2020-03-09: volatility +0.80``."""
    parts = sorted(explanation.parts.items(), key=lambda part: -abs(part[1]))
    told = [f"{name.replace('_', ' ')} {100 * value:+.2f}" for name, value in parts if abs(value) >= SHOWN]
    change = f"{100 * (explanation.after - explanation.before):+.2f} points since {explanation.since}"
    return f"{change}: {', '.join(told)}" if told else change


def group_headline(of: AlertKind, worst_first: Sequence[AlertEvent]) -> str:
    """How many, and the worst of them."""
    portfolios = len({alert.portfolio for alert in worst_first})
    count = len(worst_first)
    named = ", ".join(_member(alert) for alert in worst_first[:NAMED])
    limits = f"{count} limit{'s' if count > 1 else ''} of {portfolios} portfolios"
    return f"{limits} {GROUPS[of]}: {named}{f' and {count - NAMED} more' if count > NAMED else ''}"


def _member(alert: AlertEvent) -> str:
    cvar, most = alert.why.get("cvar"), alert.why.get("max_cvar")
    figure = f" {cvar:.2%} of {most:.2%}" if isinstance(cvar, float) and isinstance(most, float) else ""
    return f"{alert.portfolio}/{alert.limit}{figure}"
