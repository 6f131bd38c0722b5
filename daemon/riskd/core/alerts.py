"""Which changes of standing are worth telling, and in which words."""

import math
from collections.abc import Mapping, Sequence
from datetime import date

from riskd.core.canonical import digest
from riskd.core.events import AlertEvent, AlertKind
from riskd.core.limits import LimitState, Standing
from riskd.core.report import LimitReport, PortfolioReport, figure_of
from riskd.core.state import LimitKey

TOP = 5  # component CVaRs named in an alert


def alert_event(
    kind: AlertKind,
    portfolio: str | None,
    limit: str | None,
    session: date,
    headline: str,
    why: dict[str, object],
    about: Sequence[str] = (),
) -> AlertEvent:
    """An alert whose id depends on what it is about, ``about`` included, and on nothing else."""
    identity = digest([kind.value, portfolio, limit, session, *about], 20)
    return AlertEvent(identity, kind, portfolio, limit, session, headline, why)


def alerts_of(
    reports: Sequence[PortfolioReport], before: Mapping[LimitKey, Standing], after: Mapping[LimitKey, Standing]
) -> tuple[AlertEvent, ...]:
    """Alerts for every limit whose episode opened or closed, or whose judgement was lost or restored."""
    events = []
    for report in reports:
        for limit in report.limits:
            key = (report.portfolio, limit.name)
            kind = _change(before.get(key), after[key])
            if kind is not None:
                events.append(_alert(kind, report, limit, before.get(key)))
    return tuple(events)


def _change(before: Standing | None, after: Standing) -> AlertKind | None:
    """The one thing that happened to a limit; the first judgement ever is not news, a first failure to judge is."""
    lost = after.state is LimitState.CANNOT_JUDGE
    was_lost = before is not None and before.state is LimitState.CANNOT_JUDGE
    if lost:
        return None if was_lost else AlertKind.JUDGEMENT_LOST
    opened_before = before.episode if before else None
    if after.episode and not opened_before:
        return AlertKind.BREACH_OPENED
    if opened_before and not after.episode:
        return AlertKind.BREACH_CLOSED
    return AlertKind.JUDGEMENT_RESTORED if was_lost else None


def _alert(kind: AlertKind, report: PortfolioReport, limit: LimitReport, before: Standing | None) -> AlertEvent:
    figure = figure_of(report, limit.level, limit.horizon)
    top = [{"symbol": c.symbol, "component_cvar": c.component_cvar} for c in limit.contributions[:TOP]]
    why: dict[str, object] = {
        "cvar": limit.cvar,
        "max_cvar": limit.max_cvar,
        "probability": limit.probability,
        "level": limit.level,
        "horizon": limit.horizon,
        "interval": [figure.cvar_low, figure.cvar_high] if figure else None,
        "challenger_cvar": figure.challenger_cvar if figure else None,
        "top": top,
        "grade": report.grade.value,
        "coverage": report.coverage,
        "cvar_if_accepted": limit.cvar_if_accepted,
        "cvar_if_proxied": limit.cvar_if_proxied,
        "opened": limit.since or (before.episode if before else None),
        "notes": list(report.notes),
        "provenance": report.provenance,
    }
    return alert_event(kind, report.portfolio, limit.name, report.session, _headline(kind, report, limit), why)


def _headline(kind: AlertKind, report: PortfolioReport, limit: LimitReport) -> str:
    """One sentence for a person."""
    if kind is AlertKind.JUDGEMENT_LOST:
        reason = report.notes[0] if report.notes else "no valid figure"
        return f"{report.portfolio}: {limit.name} cannot be judged on {report.session}: {reason}"
    horizon = f"{limit.horizon} session{'s' if limit.horizon > 1 else ''}"
    cvar = math.nan if limit.cvar is None else limit.cvar
    figure = f"CVaR {limit.level:g} over {horizon} is {cvar:.2%}, limit {limit.max_cvar:.2%}"
    verb = {
        AlertKind.BREACH_OPENED: "breached",
        AlertKind.BREACH_CLOSED: "clear again",
        AlertKind.JUDGEMENT_RESTORED: "can be judged again",
    }[kind]
    names = ", ".join(c.symbol for c in limit.contributions[:3])
    cause = f"; most from {names}" if kind is AlertKind.BREACH_OPENED and names else ""
    return f"{report.portfolio}: {limit.name} {verb}: {figure}{cause}"
