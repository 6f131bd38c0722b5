"""The trained network as an allocator of the daemon's protocol, and the mean-CVaR optimum that it has to beat."""

from dataclasses import dataclass, replace

import numpy as np

from riskd.core.allocation.allocator import Allocator
from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.equal_weight import EqualWeight
from riskd.core.allocation.markowitz import Markowitz
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.quadratic import best_quadratic
from riskd.core.allocation.solve import solve
from riskd.core.arrays import Floats
from riskd.errors import ModelError
from riskd.forecast.session import Session
from riskd_models.papers.deep_allocation.graph import INPUTS, WEIGHTS

TOLERANCE = 1e-6  # of the relative gap between an answer and its bound


class AllotterSession:
    """The exported network, run without torch."""

    def __init__(self, model: bytes) -> None:
        """Raises ModelError where ``model`` is no graph that maps inputs to weights."""
        self._session = Session(model, "cpu")
        if list(self._session.inputs) != [INPUTS] or list(self._session.outputs) != [WEIGHTS]:
            raise ModelError(f"the graph takes {list(self._session.inputs)}; export the allocation network again")
        self.assets = int(self._session.outputs[WEIGHTS][1][1])

    def weights(self, inputs: Floats) -> Floats:
        """Weights (rows, assets) of inputs (rows, k); raises ModelError for another width or numbers that are not finite."""
        wanted = self._session.inputs[INPUTS][1][1]
        if inputs.shape[1] != wanted or not np.isfinite(inputs).all():
            raise ModelError(f"the network takes {wanted} finite inputs a row, got shape {inputs.shape}; wait for the warm-up")
        given = np.empty((len(inputs), self.assets), dtype=np.float32)
        self._session.run({INPUTS: np.ascontiguousarray(inputs, dtype=np.float32)}, {WEIGHTS: given})
        found = given.astype(np.float64)
        return np.asarray(found / found.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class DeepAllocation:
    """The network's weights for today's ``inputs`` (k,), or what comes nearest to them within the constraints.

    minimise |w - budget a|^2 over W, a the network's weights, which know nothing of bounds, rows or turnover.
    """

    session: AllotterSession
    inputs: Floats
    name: str = "deep allocation"

    def allocate(self, problem: Problem) -> Allocation:
        """See Allocator; the value is a'w - w'w / 2 in units of the budget. Raises ModelError where the universe is another."""
        if self.session.assets != problem.assets:
            raise ModelError(f"the network was trained on {self.session.assets} assets, the problem has {problem.assets}")
        wanted = problem.budget * self.session.weights(self.inputs[None])[0]
        return best_quadratic(replace(problem, expected=wanted, costs=None), np.eye(problem.assets), self.name)


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
