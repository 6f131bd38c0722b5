"""News of limits as alerts: who is told what, several at once as one, the worst first."""

from collections.abc import Mapping, Sequence
from datetime import date

from riskd.core.canonical import digest
from riskd.core.events import Acknowledged, AlertEvent, AlertKind, Category, Silenced
from riskd.core.headline import group_headline, headline
from riskd.core.limits import Standing
from riskd.core.news import Moment, News
from riskd.core.report import LimitReport, PortfolioReport, figure_of
from riskd.core.state import LimitKey

TOP = 5  # component CVaRs named in an alert
MEMBERS = 100  # of a group that are listed: a message stays under 32 kB
LOUD = frozenset({AlertKind.BREACH_OPENED, AlertKind.BREACH_ESCALATED})
CATEGORIES = {  # by the first word of the kind; all else is of data
    "breach": Category.BREACH,
    "allocation": Category.ALLOCATION,
    "delivery": Category.DELIVERY,
}
GROUPS = {"breach": AlertKind.BREACH_GROUP, "judgement": AlertKind.JUDGEMENT_GROUP}


def alert_event(
    kind: AlertKind,
    portfolio: str | None,
    limit: str | None,
    session: date,
    headline: str,
    why: dict[str, object],
    about: Sequence[str] = (),
    category: Category | None = None,
    late: bool = False,
    page: bool = False,
) -> AlertEvent:
    """An alert whose id depends on what it is about, ``about`` included, and on nothing else."""
    identity = digest([kind.value, portfolio, limit, session, *about], 20)
    of = category or CATEGORIES.get(_family(kind), Category.DATA)
    said = f"late, of {session}: {headline}" if late else headline
    return AlertEvent(identity, kind, portfolio, limit, session, said, why, of, late, page and not late)


def alerts_of(
    reports: Sequence[PortfolioReport],
    news: Mapping[LimitKey, Sequence[News]],
    moment: Moment,
    group_above: int,
    fault: bool = False,
) -> tuple[AlertEvent, ...]:
    """Alerts for every news of a limit; of one kind from more than ``group_above`` portfolios there is one for all.

    ``fault``: a model is why there are no figures.
    """
    alerts = [
        _alert(item, report, limit, moment, fault)
        for report in reports
        for limit in report.limits
        for item in news.get((report.portfolio, limit.name), ())
    ]
    session = date.fromisoformat(moment.session)
    known = {(r.portfolio, m.name) for r in reports for m in r.limits}
    alerts += [_gone(key, item, session, moment) for key, items in news.items() if key not in known for item in items]
    return _grouped(alerts, session, group_above)


def word_alert(said: Acknowledged | Silenced, standing: Standing) -> AlertEvent:
    """That a person has spoken."""
    why: dict[str, object] = {"author": said.author, "reason": said.reason, "at": said.at, "opened": standing.episode}
    if isinstance(said, Silenced):
        kind, words = AlertKind.BREACH_SILENCED, f"has no reminders until {said.until}"
        why |= {"until": said.until}
    else:
        kind, words = AlertKind.BREACH_ACKNOWLEDGED, "is acknowledged"
        why |= {"cvar": standing.cvar}
    line = f"{said.portfolio}: {said.limit} {words}, by {said.author}: {said.reason}"
    return alert_event(kind, said.portfolio, said.limit, said.session, line, why, (said.at, said.author))


def _family(kind: AlertKind) -> str:
    return kind.value.partition(".")[0]


def _category(kind: AlertKind, late: bool, fault: bool) -> Category:
    if _family(kind) == "judgement":
        return Category.MODEL if fault else Category.DATA
    return Category.LATE if late else Category.BREACH


def _alert(news: News, report: PortfolioReport, limit: LimitReport, moment: Moment, fault: bool) -> AlertEvent:
    return alert_event(
        news.kind,
        report.portfolio,
        limit.name,
        report.session,
        headline(news, report, limit),
        _why(news, report, limit),
        about=(str(news.place),) if news.place else (),
        category=_category(news.kind, moment.late, fault),
        late=moment.late,
        page=news.kind in LOUD,
    )


def _why(news: News, report: PortfolioReport, limit: LimitReport) -> dict[str, object]:
    """The structured form: everything that the sentence says, and what it rests on."""
    figure = figure_of(report, limit.level, limit.horizon)
    top = [{"symbol": c.symbol, "component_cvar": c.component_cvar} for c in limit.contributions[:TOP]]
    return {
        "cvar": limit.cvar,
        "max_cvar": limit.max_cvar,
        "probability": limit.probability,
        "level": limit.level,
        "horizon": limit.horizon,
        "interval": [figure.cvar_low, figure.cvar_high] if figure else None,
        "challenger_cvar": figure.challenger_cvar if figure else None,
        "explanation": limit.explanation,
        "top": top,
        "grade": report.grade.value,
        "coverage": report.coverage,
        "cvar_if_accepted": limit.cvar_if_accepted,
        "cvar_if_proxied": limit.cvar_if_proxied,
        "opened": news.episode,
        "reason": news.reason or None,
        "changed": list(limit.changed),
        "notes": list(report.notes),
        "provenance": report.provenance,
    }


def _gone(key: LimitKey, news: News, session: date, moment: Moment) -> AlertEvent:
    """A breach whose limit or portfolio is no longer configured."""
    portfolio, limit = key
    line = f"{portfolio}: {limit}: the breach of {news.episode} is withdrawn, not over: the limit is no longer configured"
    why: dict[str, object] = {"opened": news.episode, "cvar": news.was, "reason": "no longer configured"}
    category = _category(news.kind, moment.late, False)
    return alert_event(news.kind, portfolio, limit, session, line, why, category=category, late=moment.late)


def _grouped(alerts: Sequence[AlertEvent], session: date, above: int) -> tuple[AlertEvent, ...]:
    """One alert for a kind that comes from more than ``above`` portfolios, where the first of them was."""
    kinds = {kind: [a for a in alerts if a.kind is kind] for kind in dict.fromkeys(a.kind for a in alerts)}
    many = {kind for kind, found in kinds.items() if len({a.portfolio for a in found}) > above}
    groups = [_group(kind, kinds[kind], session) for kind in kinds if kind in many]
    return (*groups, *(a for a in alerts if a.kind not in many))


def _group(kind: AlertKind, alerts: Sequence[AlertEvent], session: date) -> AlertEvent:
    worst_first = sorted(alerts, key=lambda a: (-_used(a), a.portfolio or "", a.limit or ""))
    why: dict[str, object] = {
        "of": kind.value,
        "count": len(alerts),
        "portfolios": len({a.portfolio for a in alerts}),
        "limits": [_member(a) for a in worst_first[:MEMBERS]],
        "left_out": max(0, len(alerts) - MEMBERS),
    }
    first = worst_first[0]
    line = group_headline(kind, worst_first)
    about = (kind.value, digest(sorted(a.id for a in alerts)))
    group = GROUPS[_family(kind)]
    page = any(a.page for a in alerts)
    return alert_event(group, None, None, session, line, why, about, first.category, first.late, page)


def _used(alert: AlertEvent) -> float:
    """The share of its limit that a CVaR uses; nothing where there is none."""
    cvar, most = alert.why.get("cvar"), alert.why.get("max_cvar")
    return cvar / most if isinstance(cvar, float) and isinstance(most, float) else 0.0


def _member(alert: AlertEvent) -> dict[str, object]:
    row: dict[str, object] = {"portfolio": alert.portfolio, "limit": alert.limit}
    return row | {key: alert.why.get(key) for key in ("cvar", "max_cvar", "opened", "reason")}
