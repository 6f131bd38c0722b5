"""Keeps a session's scenario banks, so that figures and allocations of several portfolios share one simulation."""

from datetime import date

from riskd.core.forecaster import MarketState
from riskd.core.rules import Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.state import State
from riskd.core.step import bank_of


class SharedBanks:
    """Gives what ``bank_of`` gives, simulated once per session, market state and name; of an older one nothing is kept.

    One thread calls it; any thread may look at what is made.
    """

    def __init__(self) -> None:
        self._kept: tuple[MarketState | None, date | None, dict[str, ScenarioBank]] = (None, None, {})

    def __call__(self, rules: Rules, state: State, name: str) -> ScenarioBank:
        banks = self._of(state)
        if banks is None:
            banks = {}
            self._kept = (state.market, state.session, banks)
        if name not in banks:
            banks[name] = bank_of(rules, state, name)
        return banks[name]

    def made(self, state: State, name: str) -> ScenarioBank | None:
        """What is made of ``state`` already; nothing is simulated."""
        return (self._of(state) or {}).get(name)

    def _of(self, state: State) -> dict[str, ScenarioBank] | None:
        market, session, banks = self._kept  # read at once: another thread may put the next session's in their place
        return banks if state.market is market and state.session == session else None
