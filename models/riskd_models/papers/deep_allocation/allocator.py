"""The trained network as an allocator of the daemon's protocol, and the mean-CVaR optimum that it has to beat."""

from dataclasses import dataclass, replace

import numpy as np

from riskd.core.allocation.allocator import Allocator
from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.equal_weight import EqualWeight
from riskd.core.allocation.markowitz import Markowitz
from riskd.core.allocation.nearest import Nearest
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.solve import solve
from riskd.core.arrays import Floats
from riskd.errors import ModelError
from riskd.forecast.allotter_card import AllotterSession

TOLERANCE = 1e-6  # of the relative gap between an answer and its bound


@dataclass(frozen=True, slots=True, eq=False)
class DeepAllocation:
    """The network's weights for today's ``inputs`` (k,), or what comes nearest to them within the constraints."""

    session: AllotterSession
    inputs: Floats
    name: str = "deep allocation"

    def allocate(self, problem: Problem) -> Allocation:
        """See Nearest; raises ModelError where the universe is another."""
        if self.session.assets != problem.assets:
            raise ModelError(f"the network was trained on {self.session.assets} assets, the problem has {problem.assets}")
        return Nearest(self.session.weights(self.inputs[None])[0], self.name).allocate(problem)


@dataclass(frozen=True, slots=True)
class MeanCvar:
    """maximise mu'w - k'|w - w0| - price CVaR(w) on the first tail's scenarios; ``averse`` alone: the least CVaR, without mu."""

    price: float = 1.0
    averse: bool = False
    name: str = "mean-CVaR"

    def allocate(self, problem: Problem) -> Allocation:
        """See Allocator; limits are left out, and the value is the objective above."""
        tail = replace(problem.tails[0], limit=np.inf, price=self.price)
        expected = np.zeros(problem.assets) if self.averse else problem.expected
        return solve(replace(problem, tails=(tail,), expected=expected), TOLERANCE)


def rivals(prices: tuple[float, ...], aversion: float) -> dict[str, Allocator]:
    """What stands beside the network, by name; ``prices`` are its own."""
    found: dict[str, Allocator] = {
        "1/N": EqualWeight(),
        "Markowitz": Markowitz(aversion),
        "minimum CVaR": MeanCvar(1.0, averse=True, name="minimum CVaR"),
    }
    return found | {f"mean-CVaR {price:g}": MeanCvar(price) for price in prices}
