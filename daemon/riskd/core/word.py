"""What a person says of a limit: that a breach is known, or that reminders should rest."""

from dataclasses import replace

from riskd.core.events import Acknowledged, Silenced
from riskd.core.limits import Acknowledgement, Basis, Silence, Standing
from riskd.core.news import measure
from riskd.core.portfolio import Limit


def heeded(standing: Standing, said: Acknowledged | Silenced) -> Standing:
    """The standing once a person has spoken; the same when there is no breach to acknowledge.

    An acknowledged breach is judged by what stands now: whoever knows of it knows what has changed since it fired. Its present
    figure is the one that a rise is measured from.
    """
    if isinstance(said, Silenced):
        return replace(standing, silence=Silence(said.author, said.reason, said.at, said.until))
    if standing.episode is None:
        return standing
    cvar = standing.cvar if standing.cvar is not None else standing.heard.cvar
    return replace(
        standing,
        acknowledged=Acknowledgement(said.author, said.reason, said.at, cvar),
        fired=standing.by or standing.fired,
        heard=replace(standing.heard, cvar=cvar, paged=True),
    )


def carried(eve: Standing, told: Standing, basis: Basis, dark: bool) -> Standing:
    """Where a limit stood on the eve, with what was told and said of it since: a session judged again starts from here.

    Judged again by another ``basis`` it proves nothing: it ages the breach, and quiet sessions are counted from the next one.

    ``dark``: what opened a breach of this very session cannot be seen now, so it stays open. A limit on another level or horizon
    is another limit, of which nothing is known but what was told under its name.
    """
    if _other(told, basis.limit):
        return Standing(silence=told.silence, heard=told.heard)
    if _other(eve, basis.limit):
        eve = Standing()
    twice = told.judged > eve.judged and (told.twice or told.by != basis)
    if dark and told.episode and not eve.episode:
        eve = replace(eve, episode=told.episode, fired=told.fired)
    known = told.acknowledged is not None and told.episode == eve.episode
    fired = told.fired if known else eve.fired
    eve = replace(eve, fired=fired, acknowledged=told.acknowledged, silence=told.silence, heard=told.heard)
    return replace(eve, judged=told.judged, age=eve.age + 1, below=0, twice=True) if twice else eve


def _other(standing: Standing, limit: Limit) -> bool:
    return standing.by is not None and measure(standing.by.limit) != measure(limit)
