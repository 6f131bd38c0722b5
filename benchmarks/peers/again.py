"""What solving again costs: a frontier of twenty limits over one solution, and a warm start over a cold one."""

import statistics
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from allocation_instances import tail_mean, without_limit
from peers.grid import Case
from peers.trial import seconds
from riskd.core.allocation.frontier import frontier
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.solve import solve
from riskd.core.arrays import Floats

POINTS = 20


def morrows(case: Case, problem: Problem, drawn: Floats) -> Iterator[tuple[str, Problem]]:
    """What tomorrow may bring; ``drawn`` are new scenarios of the same market."""
    tail = problem.tails[0]
    yield "limit 3 % tighter", replace(problem, tails=(replace(tail, limit=0.97 * tail.limit),))
    noise = np.random.default_rng(3).standard_normal(problem.assets)
    yield "means revised", replace(problem, expected=problem.expected * (1 + 0.1 * noise))
    yield "scenarios drawn anew", case.problem(drawn)


def warm(case: Case, repeats: int) -> Iterator[str]:
    """Warm over cold for each change, in turns."""
    both = replace(case, scenarios=2 * case.scenarios).returns()
    problem = case.problem(both[: case.scenarios])
    yesterday = solve(problem)
    for name, new in morrows(case, problem, both[case.scenarios :]):
        cold, started = [], []
        for _ in range(repeats):
            cold.append(seconds(lambda new=new: solve(new)))
            started.append(seconds(lambda new=new: solve(new, start=yesterday)))
        answer = solve(new, start=yesterday)
        ratio = statistics.median(started) / statistics.median(cold)
        yield f"warm over cold {ratio:.2f}: {name}, {case.name}, {answer.status} by {answer.method}"


def limits(problem: Problem) -> Floats:
    """From the least CVaR, exclusive, to that of the largest mean of a long-only book, in equal steps."""
    tail = problem.tails[0]
    least = solve(without_limit(problem)).cvars[0]
    most = tail_mean(-tail.scenarios[:, int(problem.expected.argmax())], tail.level)
    return np.linspace(least, most, POINTS + 1)[1:]


def curve(case: Case, repeats: int) -> str:
    """A frontier's time over that of one solution of the same problem."""
    problem = case.problem(case.returns())
    once, whole, places = [], [], limits(problem)
    for _ in range(repeats):
        once.append(seconds(lambda: solve(problem)))
        whole.append(seconds(lambda: frontier(problem, places)))
    ratio, endings = statistics.median(whole) / statistics.median(once), {str(each.status) for each in frontier(problem, places)}
    return f"frontier of {POINTS} limits over one solution {ratio:.1f}: {case.name}, {', '.join(sorted(endings))}"
