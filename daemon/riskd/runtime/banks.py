"""Keeps a session's scenario banks, so that figures and allocations of several portfolios share one simulation."""

from datetime import date

from riskd.core.forecaster import MarketState
from riskd.core.rules import Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.state import State
from riskd.core.step import bank_of


class SharedBanks:
    """Gives what ``bank_of`` gives, simulated once per session, market state and name; of an older one nothing is kept."""

    def __init__(self) -> None:
        self._market: MarketState | None = None
        self._session: date | None = None
        self._banks: dict[str, ScenarioBank] = {}

    def __call__(self, rules: Rules, state: State, name: str) -> ScenarioBank:
        if state.market is not self._market or state.session != self._session:
            self._market, self._session, self._banks = state.market, state.session, {}
        if name not in self._banks:
            self._banks[name] = bank_of(rules, state, name)
        return self._banks[name]
