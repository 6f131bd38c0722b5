"""One instance, riskd and its peers in turns: seconds of the processor, one thread, and what the certificate says of each."""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from peers.grid import Case
from peers.parcel import pack
from peers.race import Outcome, race
from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.solve import solve
from riskd.core.arrays import Floats

CLARABEL = "cvxpy+Clarabel"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a peer may take: processor ``seconds`` and ``memory`` in bytes."""

    seconds: int
    memory: float


@dataclass(slots=True)
class Trial:
    """Seconds of riskd and of one product C w, each measured several times, and the outcomes of the peers."""

    case: Case
    ours: list[float] = field(default_factory=list)
    product: list[float] = field(default_factory=list)
    answer: Allocation | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    said: str = ""

    @property
    def seconds(self) -> float:
        """Median of riskd."""
        return statistics.median(self.ours) if self.ours else np.nan

    @property
    def passes(self) -> float:
        """riskd's time in products C w."""
        return self.seconds / statistics.median(self.product) if self.product else np.nan

    @property
    def best(self) -> Outcome | None:
        """The fastest exact peer; where none ended in time, one that did not."""
        exact = [each for each in self.outcomes if each.exact] or [each for each in self.outcomes if each.over]
        return min(exact, key=lambda each: each.seconds, default=None)

    @property
    def clarabel(self) -> Outcome | None:
        """cvxpy with Clarabel, if it found the optimum or ran out of time."""
        return next((each for each in self.outcomes if each.peer == CLARABEL and (each.exact or each.over)), None)

    def ratio(self, other: Outcome | None) -> float:
        """How many times riskd's seconds another took; a lower bound where that one was over time."""
        return other.seconds / self.seconds if other and self.answer is not None and self.answer.status == "optimal" else np.nan


def seconds(work: Callable[[], object]) -> float:
    """Seconds of the processor, so that other programs beside count for less."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


class Course:
    """Runs trials; remembers which peers were over time at fewer scenarios, and does not ask them again."""

    def __init__(self, peers: Iterable[str], limits: Limits, repeats: int) -> None:
        self.peers, self.limits, self.repeats = tuple(peers), limits, repeats
        self.late: list[tuple[str, Case]] = []

    def run(self, case: Case, returns: Floats, told: Callable[[str], None]) -> Trial:
        """riskd ``repeats`` times before, and once after each peer."""
        trial, problem = Trial(case), case.problem(returns)
        told("riskd")
        for _ in range(self.repeats):
            self._turn(trial, problem)
        with TemporaryDirectory() as folder:
            for peer in self.peers:
                told(peer)
                trial.outcomes.append(self._peer(peer, trial, problem, Path(folder)))
        return trial

    @staticmethod
    def _turn(trial: Trial, problem: Problem) -> None:
        returns, weights = problem.tails[0].scenarios, np.full(problem.assets, 1 / problem.assets)
        trial.product.append(seconds(lambda: returns @ weights))
        begin = time.process_time()
        trial.answer = solve(problem)
        trial.ours.append(time.process_time() - begin)

    def _peer(self, peer: str, trial: Trial, problem: Problem, folder: Path) -> Outcome:
        smaller = next((case for name, case in self.late if name == peer and trial.case.larger(case)), None)
        if smaller is not None:
            return Outcome(peer, float(self.limits.seconds), True, said=f"over at M={smaller.scenarios}")
        answer = trial.answer
        if answer is None or answer.multipliers is None or answer.status != "optimal":
            return Outcome(peer, said="not asked: nothing certified to compare with")
        if not (folder / "numbers.json").exists():
            pack(problem, folder)
        target = float(problem.expected @ answer.weights)
        limits = self.limits
        outcome = race(peer, folder, problem, answer.multipliers, target, limits.seconds, limits.memory)
        if outcome.over:
            self.late.append((peer, trial.case))
        self._turn(trial, problem)
        return outcome
