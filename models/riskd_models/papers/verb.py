"""Runs the papers one after the other: what is already in the folder is not computed again."""

import importlib
from collections.abc import Sequence
from pathlib import Path

from riskd.errors import ConfigError
from riskd.lab.report import demand_plots
from riskd_models.papers.finding import Finding, read_finding, write_finding
from riskd_models.papers.preset import Preset
from riskd_models.papers.report import write_report
from riskd_models.papers.work import Told, silent

PAPERS = ("copula", "heatmap", "deep_allocation", "generator")  # packages beside this file, each with a module paper


def run_papers(preset: Preset, names: Sequence[str], out: Path, progress: Told = silent) -> tuple[Path, Path]:
    """Run the named papers (none: all), then write one report of every paper that ``out`` holds a finding of; its two files.

    Findings and report are in ``out``/PRESET, the work behind them in ``out``/PAPER. Raises ConfigError for a name that no
    paper has, and without matplotlib.
    """
    unknown = [name for name in names if name not in PAPERS]
    if unknown:
        raise ConfigError(f"paper {unknown[0]}: unknown; name some of {', '.join(PAPERS)}")
    demand_plots()
    place = out / preset.name
    for name in names or PAPERS:
        kept = place / f"{name}.json"
        if not kept.exists():
            write_finding(_found(name, preset, out, progress), kept)
    findings = [read_finding(place / f"{name}.json") for name in PAPERS if (place / f"{name}.json").exists()]
    return write_report(findings, place)


def _found(name: str, preset: Preset, out: Path, progress: Told) -> Finding:
    found: Finding = importlib.import_module(f"riskd_models.papers.{name}.paper").run(preset, out, progress)
    return found
