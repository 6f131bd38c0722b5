"""Random instances, a third of them degenerate: the certified optimum beside HiGHS and Clarabel on the whole linear program.

    python benchmarks/allocation_truth.py [--count 2000] [--first 0] [--failures FILE]

One table: how each instance ended, by which method, the worst difference of objectives, violation and gap, false verdicts and
whatever was raised. Exits with 1 where any answer is wrong, and writes the seeds of these to FILE.
"""

import argparse
import os
import statistics
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # read when numpy is loaded
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np  # noqa: E402
from rich.progress import track  # noqa: E402

from allocation_judge import Verdict, judged  # noqa: E402
from riskd.core.allocation.answer import Ending  # noqa: E402


def main() -> int:
    """Judge, print, and say whether all was right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--failures", type=Path)
    asked = parser.parse_args()
    warnings.filterwarnings("ignore", "Solution may be inaccurate")  # cvxpy's; the status is read
    seeds = range(asked.first, asked.first + asked.count)
    verdicts = [judged(seed) for seed in track(seeds, "instances", disable=not sys.stderr.isatty())]
    table(verdicts)
    wrong = [v for v in verdicts if v.faults]
    lines = [f"seed {v.seed}: {v.name}: {'; '.join(v.faults)}" for v in wrong]
    print("\n".join(lines))
    if asked.failures is not None:
        asked.failures.write_text("".join(f"{line}\n" for line in lines))
    return 1 if wrong else 0


def table(verdicts: Sequence[Verdict]) -> None:
    """Plain and degenerate instances beside each other."""
    columns = {
        "plain": [v for v in verdicts if v.seed % 3],
        "degenerate": [v for v in verdicts if v.seed % 3 == 0],
        "all": list(verdicts),
    }
    print(f"{'':34}" + "".join(f"{name:>14}" for name in columns))
    for name, cell in ROWS.items():
        print(f"{name:34}" + "".join(f"{cell(column):>14}" for column in columns.values()))


def ended(status: Ending, verdicts: Sequence[Verdict]) -> str:
    return str(sum(v.answer is not None and v.answer.status is status for v in verdicts))


def by(method: str, verdicts: Sequence[Verdict]) -> str:
    return str(sum(v.answer is not None and v.answer.method == method for v in verdicts))


def faulty(words: str, verdicts: Sequence[Verdict]) -> str:
    return str(sum(any(words in fault for fault in v.faults) for v in verdicts))


def worst(values: Sequence[float]) -> str:
    return f"{np.nanmax(values):.1e}" if len(values) and not np.isnan(values).all() else "-"


def optimal(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [v for v in verdicts if v.answer is not None and v.answer.status is Ending.OPTIMAL]


ROWS = {
    "instances": lambda vs: str(len(vs)),
    **{f"  {status.value}": lambda vs, status=status: ended(status, vs) for status in Ending},
    **{f"  by {method}": lambda vs, method=method: by(method, vs) for method in ("band", "highs", "clarabel")},
    "objective from HiGHS, at most": lambda vs: worst([abs(v.off[0]) for v in optimal(vs)]),
    "objective from Clarabel, at most": lambda vs: worst([abs(v.off[1]) for v in optimal(vs)]),
    "optimal, neither has a proof": lambda vs: str(sum(bool(np.isnan(v.off).all()) for v in optimal(vs))),
    "at the boundary, at most": lambda vs: worst([abs(v.off[0]) for v in vs if v.answer and v.answer.status is Ending.BOUNDARY]),
    "violation, at most": lambda vs: worst([v.answer.violation for v in optimal(vs) if v.answer]),
    "gap, at most": lambda vs: worst([v.answer.gap for v in optimal(vs) if v.answer]),
    "false infeasible": lambda vs: faulty("false infeasible", vs),
    "false feasible": lambda vs: faulty("false feasible", vs),
    "raised": lambda vs: faulty("raised", vs),
    "with any fault": lambda vs: str(sum(bool(v.faults) for v in vs)),
    "median milliseconds": lambda vs: f"{1e3 * statistics.median(v.seconds for v in vs):.1f}" if vs else "-",
}


if __name__ == "__main__":
    sys.exit(main())
