"""Made-up requests to every operation of the API for a while: statuses, and whatever does not keep to the description."""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "tests"), str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "acceptance")]

from web.fuzz import fuzz, whole_house  # noqa: E402 - found by the line above


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=120.0, help="no round begins after this")
    asked = parser.parse_args()
    statuses, failures, begun, number = Counter[int](), set[str](), time.monotonic(), 0
    with whole_house() as served:
        while statuses.total() < asked.requests and time.monotonic() - begun < asked.seconds:
            found = fuzz(served.url, 20, number)
            for (_, status), count in found.statuses.items():
                statuses[status] += count
            for failure in set(found.failures) - failures:
                print(failure, file=sys.stderr)
            failures |= set(found.failures)
            number += 1
            rate = statuses.total() / (time.monotonic() - begun)
            print(f"round {number}: {statuses.total():,} requests, {rate:.0f} a second, {len(failures)} failures", flush=True)
    print(", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items())))
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
