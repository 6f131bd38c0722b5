"""The scenarios of one horizon as one portfolio sees them, the very ones that its published figures come from."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from scipy.special import ndtri

from riskd.core.allocation.expected import shrunk_means
from riskd.core.arrays import Floats, frozen
from riskd.core.measures.cvar import cvar
from riskd.core.measures.value_at_risk import INTERVAL, value_at_risk
from riskd.core.portfolio import Portfolio
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.what_if.answer import Risk
from riskd.errors import ModelError

REACH = float(ndtri(0.5 + INTERVAL / 2))


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """``bank`` is seen by the portfolio and has ``horizon`` alone; ``expected`` (n,) are its shrunk means, ``shrinkage`` the
    share of their differences that was taken for noise, ``digest`` the SHA-256 of its returns."""

    bank: ScenarioBank
    horizon: int
    expected: Floats
    shrinkage: float
    digest: str

    @property
    def returns(self) -> Floats:
        """Simple returns (M, n) in the portfolio's currency, read-only."""
        return self.bank.returns[self.horizon]

    @property
    def size(self) -> int:
        """Bytes of the returns."""
        return self.returns.nbytes


Scenes = Callable[[Portfolio, int], Scene]  # by portfolio and horizon; lets the shell keep them


def scene(bank: ScenarioBank, portfolio: Portfolio, horizon: int, sessions: int) -> Scene:
    """From bank A of the session; ``sessions`` is how many it was made of. Raises ModelError where nothing is simulated."""
    alone = replace(bank, returns={horizon: bank.returns[horizon]}).seen_by(portfolio)
    returns = alone.returns[horizon].view()
    returns.flags.writeable = False
    if not len(returns):
        raise ModelError("no scenarios were simulated")
    usable = None if portfolio.view is None else portfolio.view.tradeable
    expected, shrinkage = shrunk_means(returns, sessions / horizon, usable)
    content = hashlib.sha256(returns.data if returns.flags.c_contiguous else returns.tobytes()).hexdigest()
    return Scene(replace(alone, returns={horizon: returns}), horizon, frozen(expected), shrinkage, content)


class Sides:
    """Losses (M,) of what a portfolio holds and of what it would hold, with their figures."""

    def __init__(self, on: Scene, portfolio: Portfolio, weights: Floats) -> None:
        self._on, self._portfolio = on, portfolio.name
        self.before = on.bank.losses(portfolio.weights, on.horizon)
        self.after = on.bank.losses(weights, on.horizon)

    def risks(self, level: float) -> tuple[Risk, Risk]:
        """Before, which is exactly the published figure, and after.

        The published standard error knows more than the spread of the losses: the pool is finite, views are averaged. Of other
        weights that is not known, so their own standard error is taken as many times larger as it is for the held ones.
        """
        plain = cvar(self.before, level).standard_error
        published = math.hypot(*self._on.bank.errors(self._portfolio, self._on.horizon, level, plain))
        times = published / plain if plain > 0 else 1.0
        return _risk(self.before, level, times), _risk(self.after, level, times)

    def between(self, times: float) -> Floats:
        """Losses (M,) with ``times`` the change: a straight line from before to after."""
        return self.before + times * (self.after - self.before)


def _risk(losses: Floats, level: float, times: float) -> Risk:
    """VaR and CVaR whose standard error is ``times`` that of equally likely losses."""
    found = cvar(losses, level)
    error = times * found.standard_error
    v = value_at_risk(losses, level, len(losses) / times**2 if error > 0 else None)
    reach = REACH * error
    return Risk(v.value, v.low, v.high, found.value, found.value - reach, found.value + reach, error)
