"""Writes what the laboratory found: ``lab.json`` for programs and ``lab.html``, one page that needs nothing else."""

import json
from collections.abc import Callable, Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from riskd.errors import ConfigError
from riskd.lab import findings, sections
from riskd.lab.panel import Panel, panels
from riskd.lab.summary import summary
from riskd.lab.track import Laboratory

Row = dict[str, Any]
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write_report(
    lab: Laboratory, folder: Path, jobs: int = 1, progress: Callable[[int, int], None] = lambda done, all: None
) -> tuple[Path, Path]:
    """Judge ``lab`` in ``jobs`` processes and write ``lab.json`` and ``lab.html`` into ``folder``, made if need be; both paths.

    Raises ConfigError, before anything is written, without matplotlib.
    """
    demand_plots()
    found = summary(lab, jobs, progress)
    page = html(lab, found)
    folder.mkdir(parents=True, exist_ok=True)
    figures, report = folder / "lab.json", folder / "lab.html"
    figures.write_text(json.dumps(found, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    report.write_text(page, encoding="utf-8")
    return figures, report


def html(lab: Laboratory, found: Row) -> str:
    """The page of a laboratory and its summary."""
    style = files("riskd.lab").joinpath("style.css").read_text(encoding="utf-8")
    answer = "".join(f"<p>{escape(sentence)}</p>" for sentence in found["answer"])
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(lab.title)}</title>\n<style>{style}</style></head>\n"
    )
    opening = f'<h1>{escape(lab.title)}</h1><section class="answer" aria-label="The answer">{answer}</section>'
    body = "\n".join([opening, *_sections(lab, found)])
    return f"{head}<body><main>{body}</main></body></html>\n"


def _sections(lab: Laboratory, found: Row) -> Iterator[str]:
    names = [p["name"] for p in found["panels"]]
    links = "".join(f'<li><a href="#panel-{i}">{escape(n)}</a></li>' for i, n in enumerate(names))
    yield f'<nav aria-label="Groups"><ul><li><a href="#ahead">Who is ahead</a></li>{links}</ul></nav>'
    yield f'<h2 id="ahead">Who is ahead</h2>{sections.leads(found)}{sections.heat(found, "fz0")}'
    yield findings.energy(found)
    for i, (panel, judged) in enumerate(zip(panels(lab), found["panels"], strict=True)):
        yield f'<section id="panel-{i}"><h2>{escape(panel.name)}</h2>{_panel(lab, panel, judged, i)}</section>'
    yield f"<h2>Provenance</h2>{sections.provenance(found['provenance'])}"


def _panel(lab: Laboratory, panel: Panel, found: Row, place: int) -> str:
    from riskd.lab.drawings import drawings

    plots = "\n".join(drawings(lab, panel, found, place))
    parts = (sections.scores, sections.coverage, findings.tests, findings.lights, findings.accuracy, findings.crises)
    tables = "\n".join(part(found, lab.champion) for part in parts)
    return f'<div class="plots">{plots}</div>\n{tables}\n{sections.missing(found)}'


def demand_plots() -> None:
    """Raises ConfigError without matplotlib: better before a long calculation than after it."""
    try:
        from riskd.lab import plots  # noqa: F401
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "matplotlib":
            raise
        message = "matplotlib is not installed and the report has plots; install the extra: pip install 'riskd[lab]'"
        raise ConfigError(message) from None
