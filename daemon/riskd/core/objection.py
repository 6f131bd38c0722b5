"""Why a person's word cannot be taken: there is no such thing, or nothing of the kind to say of it."""

from riskd.core.events import Acknowledged, Frozen, Silenced, Unfrozen, Word
from riskd.core.limits import LimitState
from riskd.core.rules import Rules
from riskd.core.state import State

SHOWN = 5  # names in a sentence


def objection_to(said: Word, rules: Rules, state: State) -> str:
    """One line that says why not and what there is; empty if it can be taken."""
    return _of_portfolio(state, rules, said) if isinstance(said, Frozen | Unfrozen) else _of_limit(state, said)


def _of_limit(state: State, said: Acknowledged | Silenced) -> str:
    """Why it cannot be said of that limit; empty if it can."""
    standing, name = state.standings.get((said.portfolio, said.limit)), f"{said.portfolio}/{said.limit}"
    if standing is None:
        known = ", ".join(f"{portfolio}/{limit}" for portfolio, limit in sorted(state.standings)[:SHOWN])
        return f"{name}: no such limit; there are {known}"
    if isinstance(said, Silenced):
        return ""
    if standing.episode is None:
        return f"{name}: no breach is open, so there is nothing to acknowledge"
    if standing.state is LimitState.CLEARING:
        return f"{name}: the breach of {standing.episode} is clearing already, so there is nothing to acknowledge"
    return ""


def _of_portfolio(state: State, rules: Rules, said: Frozen | Unfrozen) -> str:
    """Why it cannot be said of that portfolio; empty if it can."""
    known, freeze = sorted(p.name for p in rules.portfolios), state.frozen.get(said.portfolio)
    if said.portfolio not in known:
        return f"{said.portfolio}: no such portfolio; there are {', '.join(known[:SHOWN])}"
    if isinstance(said, Frozen) and freeze is not None:
        return f"{said.portfolio}: frozen already, by {freeze.author} at {freeze.at}: {freeze.reason}"
    if isinstance(said, Unfrozen) and freeze is None:
        return f"{said.portfolio}: it is not frozen"
    return ""
