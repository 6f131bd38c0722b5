"""Runs the papers one after the other: what is already in the folder is not computed again."""

import importlib
from collections.abc import Sequence
from pathlib import Path

from riskd.errors import ConfigError
from riskd.lab.report import demand_plots
from riskd.lab.systems import FILE, catalogue_text
from riskd_models.papers.finding import Finding, read_finding, write_finding
from riskd_models.papers.preset import Preset
from riskd_models.papers.report import write_report
from riskd_models.papers.work import Told, silent

PAPERS = ("copula", "heatmap", "deep_allocation", "generator")  # packages beside this file, each with a module paper


def run_papers(preset: Preset, names: Sequence[str], out: Path, progress: Told = silent) -> tuple[Path, Path, Path]:
    """Run the named papers (none: all), then write one report of every paper that ``out`` holds a finding of, and the catalogue.

    The paths of page, text and catalogue, which are in ``out``/PRESET with the findings; the work behind them is in
    ``out``/PAPER. The full catalogue is what riskd.lab packages. Raises ConfigError for a name that no paper has, and without
    matplotlib.
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
    return (*write_report(findings, place), _write_catalogue(findings, preset, place / FILE))


def _found(name: str, preset: Preset, out: Path, progress: Told) -> Finding:
    found: Finding = importlib.import_module(f"riskd_models.papers.{name}.paper").run(preset, out, progress)
    return found


def _write_catalogue(findings: Sequence[Finding], preset: Preset, path: Path) -> Path:
    systems = importlib.import_module("riskd_models.papers.systems")  # it needs torch, which a wrong name need not wait for
    path.write_text(catalogue_text(systems.catalogue(findings, preset.name)), encoding="utf-8")
    return path
