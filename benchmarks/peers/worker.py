"""One peer on one problem: `python peers/worker.py NAME FOLDER SECONDS TARGET` solves it and writes weights and seconds."""

import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats

sys.path.pop(0)
sys.path.append(str(Path(__file__).resolve().parents[1]))  # last: coverage.py beside us is not the one that numba looks for

from peers import general, libraries  # noqa: E402
from peers.parcel import unpack  # noqa: E402

Solver = Callable[[], Floats]


def peers(target: float) -> dict[str, Callable[[Problem], Solver]]:
    """Every peer by name: problem -> something to call, once, with the clock running."""
    return {
        "fortitudo.tech": partial(libraries.fortitudo, target=target),
        "HiGHS simplex": partial(general.highs, method="simplex"),
        "PDLP": general.pdlp,
        "HiGHS ipm": partial(general.highs, method="ipm"),
        "cvxpy+Clarabel": general.clarabel,
        "PyPortfolioOpt": libraries.pyportfolioopt,
        "Riskfolio-Lib": libraries.riskfolio,
        "skfolio": libraries.skfolio,
    }


NAMES = tuple(peers(0.0))
FAST = NAMES[:3]


def bounded(seconds: int) -> None:
    """Let the system end this process ``seconds`` of processor time from now."""
    used = int(np.ceil(sum(resource.getrusage(resource.RUSAGE_SELF)[:2])))
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, used + seconds + 5))


def attempt(name: str, problem: Problem, target: float, seconds: int) -> dict[str, object]:
    """Processor seconds of the solution, or why there is none."""
    try:
        solve = peers(target)[name](problem)
        bounded(seconds)
        begin = time.process_time()
        weights = solve()
        taken = time.process_time() - begin
    except NotImplementedError as error:
        return {"said": f"cannot say it: {error}"}
    except ImportError as error:
        return {"said": f"not installed: {error.name}"}
    except MemoryError:
        return {"said": "out of memory"}
    except Exception as error:  # whatever a peer raises is its answer
        return {"said": f"{type(error).__name__}: {error}".splitlines()[0][:120]}
    if weights.shape != (problem.assets,) or not np.isfinite(weights).all():
        return {"said": "no weights"}
    return {"seconds": taken, "weights": weights.tolist()}


def main() -> None:
    """Read the problem, solve it, write answer.json beside it."""
    name, folder, seconds, target = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    answer = attempt(name, unpack(folder), target, seconds)
    (folder / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
