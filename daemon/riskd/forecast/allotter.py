"""The allocation network as a contender: it reads a year of returns and says what it would hold.

It knows nothing of limits, bounds, groups or turnover: what is told is the nearest to its weights that keeps all but the limits,
which are judged like those of any other weights.
"""

from collections.abc import Sequence

import numpy as np

from riskd.core.allocation.answer import Allocation, Ending
from riskd.core.allocation.contender import Lookback
from riskd.core.allocation.nearest import Nearest
from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats
from riskd.errors import ModelError
from riskd.forecast.allotter_card import AllotterArtefact, AllotterSession
from riskd.forecast.allotter_features import WARM_UP, features

MISSING = 0.1  # share of an asset's returns that may be stand-ins
APART = 5e-4  # one-way trade from which on told weights are called other than the network's own


class AllotterContender:
    """See riskd.core.allocation.contender. Same history, same bytes, on one machine."""

    sees_scenarios = False

    def __init__(self, artefact: AllotterArtefact, name: str, symbols: Sequence[str], tradeable: Sequence[str]) -> None:
        """Over ``symbols``, of which ``tradeable`` may be held; raises ModelError where it was trained on other assets."""
        self._card, self._session = artefact.card, AllotterSession(artefact.model)
        self.name, self.identity = name, artefact.identity
        trained = artefact.card.assets
        if set(trained) != set(tradeable):
            other = sorted(set(trained) ^ set(tradeable))
            raise ModelError(
                f"{self.identity} was trained on {', '.join(trained)}, the universe is {', '.join(tradeable)}: "
                f"{other[0]} is in one of them only; train it on this universe"
            )
        self._columns = [list(symbols).index(asset) for asset in trained]

    def answer(self, problem: Problem, history: Lookback) -> tuple[Allocation, str]:
        """See Contender."""
        share, stand_ins = self._share(history)
        wanted = np.zeros(problem.assets)
        wanted[self._columns] = share
        found = Nearest(wanted, self.name).allocate(problem)
        apart = float(np.abs(found.weights - problem.budget * wanted).sum()) / 2
        words = [self.identity, self._learnt(history)]
        if stand_ins:
            words.append(f"read {stand_ins} stand-ins for missing returns")
        if found.status is Ending.OPTIMAL and apart > APART:
            words.append(f"{apart:.1%} of value away from its own weights, which bounds, groups, cash or turnover do not allow")
        return found, ", ".join(words)

    def _share(self, history: Lookback) -> tuple[Floats, int]:
        """The network's own weights (assets,), and how many returns that it read were stand-ins."""
        known = len(history.log_returns)
        if known < WARM_UP:
            raise ModelError(f"it reads {WARM_UP} sessions of returns and {known} are known; wait, or give longer history")
        returns, missing = history.log_returns[-WARM_UP:, self._columns], history.missing[-WARM_UP:, self._columns]
        shares = missing.mean(axis=0)
        worst = int(shares.argmax())
        if shares[worst] > MISSING:
            count, asset = int(missing[:, worst].sum()), self._card.assets[worst]
            raise ModelError(f"{asset} has no usable return on {count} of the newest {WARM_UP} sessions, more than a tenth")
        return self._session.weights(features(returns)[-1:])[0], int(missing.sum())

    def _learnt(self, history: Lookback) -> str:
        last = self._card.training.last
        return f"learnt to {last}" if history.session > last else f"learnt to {last}: this session is in its sample"
