"""A problem with one tail as files in a folder, so that another process solves the very same numbers."""

import json
from pathlib import Path

import numpy as np

from riskd.core.allocation.problem import Problem, Tail

ARRAYS = ("expected", "lower", "upper", "rows", "most", "current", "costs")


def pack(problem: Problem, folder: Path) -> None:
    """Write scenarios, arrays and numbers."""
    (tail,) = problem.tails
    np.save(folder / "scenarios.npy", tail.scenarios)
    np.savez(folder / "arrays.npz", **{name: value for name in ARRAYS if (value := getattr(problem, name)) is not None})
    numbers = {"level": tail.level, "limit": tail.limit, "price": tail.price, "turnover": problem.turnover}
    (folder / "numbers.json").write_text(json.dumps(numbers))


def unpack(folder: Path) -> Problem:
    """Read what :func:`pack` wrote."""
    numbers = json.loads((folder / "numbers.json").read_text())
    arrays = dict(np.load(folder / "arrays.npz"))
    tail = Tail(np.load(folder / "scenarios.npy"), numbers["level"], numbers["limit"], numbers["price"])
    return Problem((tail,), turnover=numbers["turnover"], **arrays)
