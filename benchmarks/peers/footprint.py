"""Peak memory of one solution over its scenario matrix: `python peers/footprint.py MARKET ASSETS SCENARIOS` prints two ratios."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

STATUS = Path("/proc/self/status")


def kilobytes(field: str) -> int:
    """A line of this process's status."""
    return next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith(field + ":"))


def footprint(market: str, assets: int, scenarios: int) -> str:
    """Both ratios, measured in a fresh process."""
    command = [sys.executable, __file__, market, str(assets), str(scenarios)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or f"no figure: {done.stderr.strip().splitlines()[-1]}"


def main() -> None:
    """The process's peak while solving less what it held before the scenarios; then what numpy asked for beside them."""
    sys.path.pop(0)
    root = Path(__file__).resolve().parents[2]
    sys.path += [str(root / "benchmarks"), str(root / "tests")]
    from peers.grid import Case
    from riskd.core.allocation.solve import solve

    small = Case(sys.argv[1], 20, 2_000, book="least CVaR")
    solve(small.problem(small.returns()))  # libraries are loaded
    before = kilobytes("VmRSS")
    case = Case(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    problem = case.problem(case.returns())
    solve(problem)
    resident = (kilobytes("VmHWM") - before) * 1024 / case.bytes
    tracemalloc.start()
    answer = solve(problem)
    asked = 1 + tracemalloc.get_traced_memory()[1] / case.bytes
    print(f"{resident:.2f} of the matrix resident, {asked:.2f} asked for ({case.name}, {answer.status} by {answer.method})")


if __name__ == "__main__":
    main()
