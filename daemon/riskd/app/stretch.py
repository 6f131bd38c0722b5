"""Which sessions of the past may be judged: those that no model learnt from and none is warmed up on."""

from datetime import date, timedelta
from typing import Protocol, runtime_checkable

from riskd.app.kit import hand_clock, load_forecaster, market_of, rules_of
from riskd.core.rules import Rules
from riskd.errors import ConfigError
from riskd.settings import ReplayFeed, Settings

OLDER = "take a model that learnt less (--artefact models/artefacts/lstm-jsu-2014) or say --in-sample"


def stretch(settings: Settings, first: date | None, last: date | None, in_sample: bool = False) -> tuple[date, date]:
    """From ``first`` to ``last``; what is None is the replay's own, but nothing the models are warmed up on or, without
    ``in_sample``, learnt from.

    Raises ConfigError where that is not known or nothing is left.
    """
    plan = settings.replay
    if plan is None and (first is None or last is None):
        raise ConfigError("no feed is a replay, which would tell where the past begins and ends: give --from and --to")
    last = last or (plan.last if plan else None)
    if first is None and plan is not None and last is not None:
        first = _earliest(settings, plan, last, in_sample)
    if first is None or last is None or first > last:
        raise ConfigError(f"--from {first} is after --to {last}: no session is between them")
    return first, last


@runtime_checkable
class Learner(Protocol):
    """Anything whose weights were found from prices."""

    @property
    def learnt_until(self) -> date:
        """The last session of these prices."""
        ...


def learnt_until(rules: Rules) -> date:
    """The newest session that the champion or a rival learnt from."""
    parts: list[object] = [part for own in (rules, *rules.in_lanes) for part in (own.forecaster, own.dependence)]
    parts += [x.network for x in rules.learnt]
    return max(part.learnt_until for part in parts if isinstance(part, Learner))


def demand_unseen(settings: Settings, rules: Rules, first: date) -> None:
    """Raises ConfigError where a model learnt from ``first`` or later sessions."""
    learnt = learnt_until(rules)
    if first <= learnt:
        place = "model.artefact" if not (rules.lanes or rules.learnt) else "model.artefact or that of a rival"
        raise ConfigError(
            f"{place}: {settings.model.artefact} learnt from prices until {learnt}, and {first} is not out of its sample: "
            f"start later, {OLDER}"
        )


def _earliest(settings: Settings, plan: ReplayFeed, last: date, in_sample: bool) -> date:
    """The first session of the replay that every model may be judged on."""
    rules = rules_of(settings, load_forecaster(settings))
    known = market_of(settings, hand_clock(last)).calendar.sessions(settings.service.history_from, last)
    needed = rules.warm_up + 2  # as many returns, and a session before them
    if len(known) <= needed:
        raise ConfigError(
            f"{len(known)} sessions from {settings.service.history_from} to {last} are too few: "
            f"the models need {needed} before the first that can be judged; give longer history"
        )
    first = max(plan.first, known[needed])
    if in_sample:
        return first
    learnt = learnt_until(rules)
    if last <= learnt:
        raise ConfigError(f"model.artefact: it learnt from prices until {learnt}, and the newest to judge is {last}: {OLDER}")
    return max(first, learnt + timedelta(days=1))
