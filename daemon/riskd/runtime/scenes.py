"""Keeps the scenarios that what-if questions are answered on, as each portfolio sees them, in memory that is bounded."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from threading import Lock

from riskd.core.forecaster import MarketState
from riskd.core.portfolio import Portfolio
from riskd.core.rules import Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.state import State
from riskd.core.step import bank_of
from riskd.core.what_if.scene import Scene, Scenes, scene

MOST_BYTES = 512 * 2**20
Stored = Callable[[], tuple[State, ScenarioBank | None]]  # the newest committed state, and its bank A where that is made


class KeptScenes:
    """Makes a portfolio's scenarios of one horizon once a session, from the session's own bank or the very same made again.

    What was not asked for longest goes first once there are more than ``most_bytes``. Safe to use from several threads.
    """

    def __init__(self, rules: Rules, most_bytes: int = MOST_BYTES) -> None:
        self._rules, self._most = rules, most_bytes
        self._lock = Lock()
        self._market: tuple[MarketState, date] | None = None
        self._bank: ScenarioBank | None = None
        self._kept: OrderedDict[tuple[str, int], Scene] = OrderedDict()

    def of(self, state: State, bank: ScenarioBank | None = None) -> Scenes:
        """The scenes of ``state``; ``bank`` is its bank A, where it is made already. Simulates at the first use, else."""

        def found(portfolio: Portfolio, horizon: int) -> Scene:
            with self._lock:
                return self._scene(state, bank, portfolio, horizon)

        return found

    @property
    def size(self) -> int:
        """Bytes kept."""
        return sum(each.size for each in self._kept.values())

    def _scene(self, state: State, bank: ScenarioBank | None, portfolio: Portfolio, horizon: int) -> Scene:
        if self._market is None or state.market is not self._market[0] or state.session != self._market[1]:
            self._market, self._bank = (state.market, state.session), None
            self._kept.clear()
        key = portfolio.name, horizon
        if key not in self._kept:
            if bank is None:
                bank = self._bank = self._bank or bank_of(self._rules, state)
            self._kept[key] = scene(bank, portfolio, horizon, len(state.scores))
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and self.size > self._most:
            self._kept.popitem(last=False)
        return self._kept[key]
