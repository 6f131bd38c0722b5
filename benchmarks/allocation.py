"""riskd's optimiser beside other people's on the same problems, one core, everybody judged by the same certificate.

    python benchmarks/allocation.py [--preset quick|full] [--peers none|fast|all] [--limit 20] [--json FILE] [--markdown FILE]

Each peer runs in a process of its own between two of riskd's own solutions; seconds are the processor's. A peer that needs more
than --limit of them is shown as "> limit", and its ratio is a lower bound; it is not asked again with more scenarios. Exact is a
peer that violates nothing by more than 1e-6 and comes within 1e-5 of the certified bound. fortitudo.tech minimises CVaR for a
mean, so it is told the best mean there is. Then: riskd's time in products C w, growth in M and n, peak memory, a frontier, warm
starts. Quick takes two minutes with the fast peers, full an hour or more. `make peers` installs the peers first.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # read when numpy is loaded

ROOT = Path(__file__).resolve().parents[1]
sys.path.pop(0)  # last instead: coverage.py beside us is not the one that others look for
sys.path += [str(ROOT / "benchmarks"), str(ROOT / "tests")]

from peers import again, table  # noqa: E402
from peers.footprint import footprint  # noqa: E402
from peers.grid import PRESETS, Case  # noqa: E402
from peers.trial import Course, Limits, Trial  # noqa: E402
from peers.worker import FAST, NAMES  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn  # noqa: E402

PEERS = {"none": (), "fast": FAST, "all": NAMES}
LIMIT = {"quick": 10, "full": 40}  # processor seconds
COPIES = 4  # of a scenario matrix, that must fit into free memory
LARGE = {"quick": (100_000,), "full": (100_000, 1_000_000)}  # scenarios of 200 assets whose memory is measured


def wanted() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="quick")
    parser.add_argument("--peers", choices=PEERS, default="fast")
    parser.add_argument("--limit", type=int, help="processor seconds for each peer and instance")
    parser.add_argument("--memory", type=float, default=8, help="GiB for each peer")
    parser.add_argument("--repeats", type=int, default=5, help="of riskd, before the peers")
    parser.add_argument("--json", type=Path, help="write every number here")
    parser.add_argument("--markdown", type=Path, help="write the tables here")
    return parser.parse_args()


def free_bytes() -> float:
    """Memory that a new program could have, where the system says."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    return next(1024 * float(line.split()[1]) for line in lines if line.startswith("MemAvailable"))


def trials(args: argparse.Namespace) -> Iterator[Trial]:
    """Every case of the preset; cases over the same scenarios share them."""
    cases = sorted(PRESETS[args.preset](), key=lambda case: (case.market, case.assets, case.scenarios))
    course = Course(PEERS[args.peers], Limits(args.limit or LIMIT[args.preset], args.memory * 2**30), args.repeats)
    columns = TextColumn("{task.description:90}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=len(cases))
        for _, group in groupby(cases, key=lambda case: case.matrix):
            for trial in together(list(group), course, lambda text: progress.update(bar, description=text)):
                progress.advance(bar)
                yield trial


def together(cases: list[Case], course: Course, told) -> Iterator[Trial]:  # noqa: ANN001 - Callable[[str], None]
    """Trials of one scenario matrix."""
    first = cases[0]
    if COPIES * first.bytes > free_bytes():
        yield from (Trial(case, said=f"left out: {COPIES} x {first.bytes / 2**30:.1f} GiB are not free") for case in cases)
        return
    try:
        told(f"{first.name}: scenarios")
        returns = first.returns()
    except ImportError as error:
        yield from (Trial(case, said=f"left out: {error.name} is not installed") for case in cases)
        return
    for case in cases:
        yield course.run(case, returns, lambda name, case=case: told(f"{case.name}: {name}"))


def starts(preset: str, repeats: int) -> Iterator[str]:
    """Frontiers and warm starts."""
    sizes = ((50, 10_000), (200, 100_000)) if preset == "quick" else ((50, 10_000), (200, 10_000), (50, 100_000), (200, 100_000))
    for assets, scenarios in sizes:
        case = Case("multivariate t", assets, scenarios)
        yield again.curve(case, min(3, repeats))
        yield from again.warm(case, min(3, repeats))


def main() -> None:
    """Print the table and the figures; write what was asked for."""
    args = wanted()
    done = []
    for trial in trials(args):
        done.append(trial)
        best, last = trial.best, trial.said or f"{table.short(trial.seconds)} by {trial.answer.method}, {trial.passes:.3g} x C w"
        rivals = "".join(f"; {each.peer} {table.told(each)}" for each in trial.outcomes)
        print(f"{trial.case.name}: {last}{rivals}{'; ' * bool(best)}{table.times(trial, best)}", flush=True)
    words = [*table.summary(done), *table.growth(done)]
    words += [footprint("multivariate t", 200, each) for each in LARGE[args.preset]]
    words += starts(args.preset, args.repeats)
    report = table.markdown(done, PEERS[args.peers]) + "\n\n" + "\n".join(f"- {each}" for each in words) + "\n"
    print("\n" + report)
    if args.markdown:
        args.markdown.write_text(report)
    if args.json:
        args.json.write_text(json.dumps({"trials": table.numbers(done), "said": words}, indent=1))


if __name__ == "__main__":
    main()
