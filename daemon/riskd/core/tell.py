"""From how limits stand to what is said of them: news, marks on the reports, alerts."""

from collections.abc import Mapping
from dataclasses import replace

from riskd.core.alerts import alerts_of, word_alert
from riskd.core.events import Acknowledged, AlertEvent, Outcome, PricesChanged, SessionClosed, Silenced
from riskd.core.limits import Standing
from riskd.core.marks import Mark, marked
from riskd.core.news import Moment, News, told, withdrawn
from riskd.core.report import PortfolioReport
from riskd.core.rules import Rules
from riskd.core.state import LimitKey, State
from riskd.core.word import heeded

Told = tuple[tuple[PortfolioReport, ...], dict[LimitKey, Standing], tuple[AlertEvent, ...]]


def tell(
    rules: Rules,
    before: Mapping[LimitKey, Standing],
    reports: tuple[PortfolioReport, ...],
    after: Mapping[LimitKey, Standing],
    event: SessionClosed | PricesChanged,
    fault: bool,
) -> Told:
    """Reports with what people said, standings once the news is told, and the alerts.

    A breach of what is no longer configured is withdrawn in so many words.
    """
    moment = Moment(event.session.isoformat(), event.late, event.at)
    standings: dict[LimitKey, Standing] = {}
    news: dict[LimitKey, tuple[News, ...]] = {}
    for key, standing in after.items():
        standings[key], news[key] = told(rules.judged_by[key].limit, standing, moment, rules.alerts.escalate_after)
    news |= {key: withdrawn(standing) for key, standing in before.items() if key not in after}
    marks = [mark_of(key, standing) for key, standing in standings.items()]
    reports = tuple(marked(report, marks) for report in reports)
    return reports, standings, alerts_of(reports, news, moment, rules.alerts.group_above, fault)


def heard(state: State, said: Acknowledged | Silenced) -> tuple[State, Outcome]:
    """A person spoke of a limit; where there is nothing to speak of, nothing happens."""
    key = said.portfolio, said.limit
    before = state.standings.get(key)
    after = before and heeded(before, said)
    if after is None or after == before:
        return state, Outcome(state.session)
    alert, mark = word_alert(said, after), mark_of(key, after)
    return replace(state, standings={**state.standings, key: after}), Outcome(state.session, alerts=(alert,), marks=(mark,))


def mark_of(key: LimitKey, standing: Standing) -> Mark:
    """What a report shows of what people said."""
    return Mark(*key, standing.episode, standing.acknowledged, standing.silence, standing.changed)
