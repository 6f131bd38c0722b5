"""The small preset of the papers through its own door, run once for every test that looks at it."""

from functools import cache
from pathlib import Path

from riskd_models.__main__ import main


def run(place: Path, *names: str) -> None:
    """``python -m riskd_models papers NAMES --preset small --out PLACE``."""
    assert main(["papers", *names, "--preset", "small", "--out", str(place)]) == 0


@cache
def small_run(base: Path, *names: str) -> Path:
    """The folder, below pytest's own for this run, with the named papers or with all; what is there is not made again."""
    place = base / "papers-small"
    run(place, *names)
    return place
