"""What is worth telling of prices: refused, believed again, restated; and of the sources they come from."""

from collections.abc import Sequence

from riskd.core.alerts import alert_event
from riskd.core.assess import Sight, cvar_on
from riskd.core.events import AlertEvent, AlertKind, FeedTurned, SessionVoid
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.judged import JudgedPrices
from riskd.core.quality.revision import Revision
from riskd.core.report import PortfolioReport
from riskd.core.rules import Rules
from riskd.core.state import State

SHOWN = 5  # names in a headline


def data_alerts(
    rules: Rules, told: State, state: State, prices: JudgedPrices, reports: Sequence[PortfolioReport], sight: Sight
) -> tuple[AlertEvent, ...]:
    """At most one alert of each kind: prices newly in quarantine, prices out of it again, and what sources restated."""
    before = {(d.symbol, d.session) for d in told.doubts if d.quarantined}
    now = {(d.symbol, d.session) for d in state.doubts if d.quarantined}
    found = [d for d in state.doubts if d.quarantined and (d.symbol, d.session) not in before]
    gone = [d for d in told.doubts if d.quarantined and (d.symbol, d.session) not in now]
    alerts = []
    if found:
        alerts.append(_suspect(state, found, reports))
    if gone:
        alerts.append(_cleared(state, gone))
    never = {d.session for d in state.doubts if d.rule is Rule.CLOSED and d.session < state.session}
    if never and all(any((d.symbol, d.session) == (s, min(never)) for d in state.doubts) for s in rules.symbols):
        alerts.append(void_alert(SessionVoid(min(never), "no exchange had a price, and the session after it has")))
    if prices.revisions:
        alerts.append(_revised(rules, state, prices, reports, sight))
    return tuple(alerts)


def _suspect(state: State, found: Sequence[Doubt], reports: Sequence[PortfolioReport]) -> AlertEvent:
    names = ", ".join(f"{d.symbol} {d.rule.value}" for d in found[:SHOWN])
    many = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    why: dict[str, object] = {
        "doubts": found,
        "cvar": [
            {
                "portfolio": r.portfolio,
                "limit": m.name,
                "carried": m.cvar,
                "accepted": m.cvar_if_accepted,
                "proxied": m.cvar_if_proxied,
            }
            for r in reports
            for m in r.limits
            if {d.symbol for d in found} & {d.symbol for d in r.doubts}
        ],
    }
    count = f"{len(found)} prices are" if len(found) > 1 else "1 price is"
    headline = f"{count} in quarantine since {state.session}, not used: {names}{many}; riskd data approve or reject decides"
    return alert_event(AlertKind.DATA_SUSPECT, None, None, state.session, headline, why, _about(found))


def _cleared(state: State, gone: Sequence[Doubt]) -> AlertEvent:
    names = ", ".join(f"{d.symbol} of {d.session}" for d in gone[:SHOWN])
    headline = f"no longer in quarantine: {names}{f' and {len(gone) - SHOWN} more' if len(gone) > SHOWN else ''}"
    return alert_event(AlertKind.DATA_CLEARED, None, None, state.session, headline, {"doubts": gone}, _about(gone))


def _about(doubts: Sequence[Doubt]) -> list[str]:
    return [f"{d.symbol}/{d.session}/{d.rule.value}" for d in doubts]


def _revised(rules: Rules, state: State, prices: JudgedPrices, reports: Sequence[PortfolioReport], sight: Sight) -> AlertEvent:
    """What was restated, and the change in every CVaR that it causes: none where no return in use changed."""
    told = prices.revisions
    worst = max(told, key=lambda r: abs(r.ratio - 1))
    used = len(prices.corrections)
    names = "; ".join(_words(r) for r in told[:SHOWN])
    many = f"; and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    effect = f"{used} returns in use changed" if used else "no return in use changed"
    why: dict[str, object] = {
        "revisions": told,
        "corrections": prices.corrections,
        "largest": worst,
        "cvar": _effects(rules, reports, sight),
    }
    about = [f"{r.symbol}/{r.field}/{r.source}/{r.first}/{r.last}/{r.new!r}" for r in told]
    headline = f"history was restated: {names}{many}; {effect}"
    return alert_event(AlertKind.DATA_REVISED, None, None, state.session, headline, why, about)


def _words(r: Revision) -> str:
    span = f"{r.first}" if r.first == r.last else f"{r.first} to {r.last}"
    return f"{r.symbol} {r.kind.value} x{r.ratio:.6g} on {span}"


def _effects(rules: Rules, reports: Sequence[PortfolioReport], sight: Sight) -> list[dict[str, object]]:
    """CVaR of every limit before and after the corrections, on the same random numbers."""
    effects: list[dict[str, object]] = []
    for portfolio, report in zip(rules.portfolios, reports, strict=True):
        for limit, judged in zip(portfolio.limits, report.limits, strict=True):
            old = judged.cvar if sight.uncorrected is None else cvar_on(sight.uncorrected, portfolio, limit)
            change = None if old is None or judged.cvar is None else judged.cvar - old
            row: dict[str, object] = {"portfolio": portfolio.name, "limit": limit.name}
            effects.append({**row, "before": old, "after": judged.cvar, "change": change})
    return effects


def feed_alert(event: FeedTurned) -> AlertEvent:
    """A source of prices changed how it does."""
    words = {
        "failing": "does not answer",
        "working": "answers again",
        "failover": "stands in",
        "failback": "is no longer needed in place of another",
    }[event.status]
    why: dict[str, object] = {"feed": event.feed, "status": event.status, "reason": event.reason, "at": event.at}
    headline = f"feed {event.feed} {words}: {event.reason}"
    kind = AlertKind(f"feed.{event.status}")
    return alert_event(kind, None, None, event.session, headline, why, (event.feed, event.at))


def void_alert(event: SessionVoid) -> AlertEvent:
    """A session of the calendar that did not take place."""
    why: dict[str, object] = {"reason": event.reason}
    return alert_event(AlertKind.SESSION_VOID, None, None, event.session, f"{event.session} was no session: {event.reason}", why)
