"""What of a limit's standing is worth telling: whatever differs from what subscribers have heard, each once and in order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from riskd.core.events import AlertKind
from riskd.core.limits import Heard, LimitState, Standing
from riskd.core.portfolio import Limit

MOST = 4  # messages about a limit in one session
RISE = 1.1  # times the figure that was last told: worth telling again
QUIET = frozenset({AlertKind.BREACH_CLOSED, AlertKind.JUDGEMENT_LOST, AlertKind.JUDGEMENT_RESTORED})
RISEN, NEWEST, UNHEARD = "risen", "newest", "unacknowledged"  # why a breach is told again
AGAIN = "again"  # why one is told open of which subscribers heard that it was over


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step takes place: ``late`` when a later session is over already, ``at`` in UTC where a silence may matter."""

    session: str
    late: bool = False
    at: str | None = None


@dataclass(frozen=True, slots=True)
class News:
    """One message. ``episode`` is the breach it is about, ``was`` its CVaR as last told; ``place`` counts the messages about this
    limit in this session."""

    kind: AlertKind
    episode: str | None
    place: int
    reason: str = ""
    was: float | None = None


def measure(limit: Limit) -> str:
    """What is limited, in words: a breach of one measure cannot be closed by another."""
    return f"CVaR {limit.level:g} over {limit.horizon} session{'s' if limit.horizon > 1 else ''}"


def told(limit: Limit, standing: Standing, moment: Moment, escalate_after: int) -> tuple[Standing, tuple[News, ...]]:
    """The news of a standing and the standing once they are told. At most :data:`MOST` in a session.

    What is not told today, because of that, still differs from what was heard and is told the next session. The last
    place is kept for a breach or a rise: neither is ever held back by what is less.
    """
    news: list[News] = []
    standing = _completed(limit, standing)
    for kind, reason in _wanted(limit, standing, moment, escalate_after):
        heard = standing.heard
        count, earlier = (heard.count, heard.earlier) if heard.session == moment.session else (0, 0)
        if count - earlier >= MOST - (kind in QUIET) and kind is not AlertKind.BREACH_WITHDRAWN:
            break  # what follows would be out of order
        episode = heard.episode if kind in (AlertKind.BREACH_CLOSED, AlertKind.BREACH_WITHDRAWN) else standing.episode
        news.append(News(kind, episode, count, reason, heard.cvar))
        standing = _heard(limit, standing, moment, news[-1])
    return _reopened(standing, news), tuple(news)


def withdrawn(standing: Standing) -> tuple[News, ...]:
    """The last news of a limit or portfolio that is gone: an open breach does not vanish without a word."""
    episode = standing.heard.episode
    return (News(AlertKind.BREACH_WITHDRAWN, episode, 0, "", standing.heard.cvar),) if episode else ()


def _redefined(limit: Limit, standing: Standing) -> bool:
    """Whether the breach that was told is one of another measure."""
    return standing.heard.episode is not None and standing.heard.measure != measure(limit)


def _completed(limit: Limit, standing: Standing) -> Standing:
    """With the measure and figure of a breach that was told before they were kept; a breach whose end was not told is not over
    when it fires again."""
    heard = standing.heard
    if heard.episode and not heard.measure:
        heard = replace(heard, measure=measure(limit))
    if heard.episode and heard.cvar is None:
        heard = replace(heard, cvar=standing.cvar)
    standing = replace(standing, heard=heard)
    if heard.episode and standing.episode and heard.measure == measure(limit):
        return replace(standing, episode=heard.episode)
    return standing


def _wanted(limit: Limit, standing: Standing, moment: Moment, escalate_after: int) -> Sequence[tuple[AlertKind, str]]:
    heard, wanted = standing.heard, list[tuple[AlertKind, str]]()
    if _redefined(limit, standing):
        wanted.append((AlertKind.BREACH_WITHDRAWN, ""))
    elif heard.episode and heard.episode != standing.episode:
        wanted.append((AlertKind.BREACH_CLOSED, ""))
    blind = standing.state is LimitState.CANNOT_JUDGE
    if blind:
        if standing.episode and not heard.episode:  # what closed it was judged again, and cannot be
            wanted.append((AlertKind.BREACH_OPENED, AGAIN))
        return wanted if heard.blind else [*wanted, (AlertKind.JUDGEMENT_LOST, "")]
    if standing.episode and (wanted or not heard.episode):
        wanted.append((AlertKind.BREACH_OPENED, ""))
    elif reason := _escalation(standing, moment, escalate_after):
        wanted.append((AlertKind.BREACH_ESCALATED, reason))
    if not wanted and heard.blind:
        wanted.append((AlertKind.JUDGEMENT_RESTORED, ""))
    return wanted


def _escalation(standing: Standing, moment: Moment, escalate_after: int) -> str:
    """Why an open breach that was told must be told again; nothing while it does not fire.

    A reminder comes after ``escalate_after`` sessions that nobody acknowledged, then each time twice as many have passed.
    """
    heard = standing.heard
    if standing.state is not LimitState.FIRING or standing.cvar is None:
        return ""
    if heard.cvar is not None and standing.cvar >= RISE * heard.cvar:
        return RISEN
    if not heard.paged and not moment.late:
        return NEWEST
    silent = standing.silence is not None and standing.silence.holds(moment.at)
    due = standing.age >= max(escalate_after, 2 * heard.reminded)
    return UNHEARD if due and not silent and standing.acknowledged is None else ""


def _heard(limit: Limit, standing: Standing, moment: Moment, news: News) -> Standing:
    """The standing once ``news`` was told."""
    earlier = standing.heard.earlier if standing.heard.session == moment.session else 0
    heard = replace(standing.heard, session=moment.session, count=news.place + 1, earlier=earlier)
    match news.kind:
        case AlertKind.BREACH_OPENED:
            heard = replace(heard, episode=news.episode, measure=measure(limit), cvar=standing.cvar, reminded=0)
            heard = replace(heard, blind=heard.blind and standing.state is LimitState.CANNOT_JUDGE, paged=not moment.late)
        case AlertKind.BREACH_ESCALATED:
            paged = not moment.late or (heard.paged and news.reason != RISEN)
            heard = replace(heard, cvar=standing.cvar, blind=False, paged=paged, reminded=standing.age)
        case AlertKind.BREACH_CLOSED | AlertKind.BREACH_WITHDRAWN:
            blind = heard.blind and standing.state is LimitState.CANNOT_JUDGE
            earlier = heard.count if news.kind is AlertKind.BREACH_WITHDRAWN else earlier
            heard = Heard(blind=blind, session=heard.session, count=heard.count, earlier=earlier)
        case _:
            heard = replace(heard, blind=news.kind is AlertKind.JUDGEMENT_LOST)
    return replace(standing, heard=heard)


def _reopened(standing: Standing, news: Sequence[News]) -> Standing:
    """A rise ends what was acknowledged: that was of a smaller breach."""
    risen = any(n.reason == RISEN for n in news)
    return replace(standing, acknowledged=None) if risen else standing
