"""Writes every dashboard as JSON: ``python alerts/dashboards/source/build.py [FOLDER]``, beside this folder unless given."""

import sys
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from model_health import model_health
from operations import operations
from overview import overview
from portfolio import portfolio

DASHBOARDS = {"overview": overview, "portfolio": portfolio, "model-health": model_health, "operations": operations}


def text_of(made: Dashboard) -> str:
    """The dashboard as Grafana reads it, keys sorted, so that equal dashboards are equal bytes."""
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


def main(folder: Path) -> None:
    """Write every dashboard into ``folder``."""
    for name, made in DASHBOARDS.items():
        (folder / f"{name}.json").write_text(text_of(made()))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).resolve().parents[1])
