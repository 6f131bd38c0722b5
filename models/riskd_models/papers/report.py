"""What the papers came to, for people: one HTML page with every figure, and one Markdown file with every table."""

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from riskd_models.papers.finding import Cell, Figure, Finding, Table

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"  # pictures are inside their drawings
TITLE = "The systems of four papers, in one laboratory"
STYLE = """
section > h2 { border-top: 1px solid var(--edge); padding-top: 24px; }
.plots { margin: 16px 0 8px; align-items: start; }
th.words { text-align: left; }
th, td { padding: 4px 9px; }
h4 { margin: 24px 0 6px; font-size: 14px; }
"""
WORDS = 30  # characters, beyond which a cell is a sentence that wraps
OPENING = (
    "Every system the papers describe, theirs and their rivals, as it came out here: strictly out of sample, judged by proper "
    "scores with Diebold-Mariano tests. Their figures, where they gave any, stand beside ours; no table of a paper was aimed at."
)


def write_report(findings: Sequence[Finding], folder: Path) -> tuple[Path, Path]:
    """Write ``papers.html`` and ``papers.md`` into ``folder``; both paths. The same findings give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    page, text = folder / "papers.html", folder / "papers.md"
    page.write_text(html(findings), encoding="utf-8")
    text.write_text(markdown(findings), encoding="utf-8")
    return page, text


def html(findings: Sequence[Finding]) -> str:
    """One page that needs nothing else; figures are inline drawings."""
    style = files("riskd.lab").joinpath("style.css").read_text(encoding="utf-8")
    links = "".join(f'<li><a href="#{escape(f.paper)}">{escape(f.title)}</a></li>' for f in findings)
    body = "\n".join(_section(finding) for finding in findings)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{TITLE}</title>\n<style>{style}{STYLE}</style></head>\n<body><main><h1>{TITLE}</h1><p>{OPENING}</p>"
        f'<nav aria-label="Papers"><ul>{links}</ul></nav>\n{body}</main></body></html>\n'
    )


def _section(finding: Finding) -> str:
    lessons = "".join(f"<li>{escape(lesson)}</li>" for lesson in finding.lessons)
    figures = "\n".join(_figure(figure) for figure in finding.figures)
    tables = "\n".join(_table(table, f"{finding.paper}-table-{place}") for place, table in enumerate(finding.tables))
    return (
        f'<section id="{escape(finding.paper)}"><h2>{escape(finding.title)}</h2><h3>What it taught</h3><ul>{lessons}</ul>\n'
        f'<h3>Figures</h3><div class="plots">{figures}</div>\n<h3>Tables</h3>{tables}</section>'
    )


def _figure(figure: Figure) -> str:
    words = f"<figcaption><b>{escape(figure.title)}.</b> {escape(figure.caption)}</figcaption>"
    return f'<figure id="{escape(figure.name)}">{figure.svg}{words}</figure>'


def _table(table: Table, key: str) -> str:
    wordy = [any(len(cell_text(row[place])) > WORDS for row in table.rows) for place in range(len(table.columns))]
    heads = "".join(f'<th scope="col"{_tone(w)}>{escape(column)}</th>' for column, w in zip(table.columns, wordy, strict=True))
    rows = "".join(_row(row, wordy) for row in table.rows)
    note = f'<p class="quiet">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<h4 id="{escape(key)}">{escape(table.title)}</h4>'
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{escape(key)}"><table aria-labelledby="{escape(key)}">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>{note}"
    )


def _row(row: Sequence[Cell], wordy: Sequence[bool]) -> str:
    cells = "".join(f"<td{_tone(w)}>{escape(cell_text(cell))}</td>" for cell, w in zip(row[1:], wordy[1:], strict=True))
    return f'<tr><th scope="row">{escape(cell_text(row[0]))}</th>{cells}</tr>'


def _tone(wordy: bool) -> str:
    return ' class="words"' if wordy else ""


def cell_text(cell: Cell) -> str:
    """A number to four digits that count, a dash for nothing."""
    if cell is None:
        return "–"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def markdown(findings: Sequence[Finding]) -> str:
    """Every table and lesson; figures by name, for they are in the page."""
    lines = [
        f"# {TITLE}",
        "",
        OPENING,
        "",
        "`python -m riskd_models papers --out FOLDER` makes this file and the page with the figures.",
    ]
    for finding in findings:
        lines += ["", f"## {finding.title}", "", *(f"- {lesson}" for lesson in finding.lessons)]
        for table in finding.tables:
            lines += ["", *_lines(table)]
    return "\n".join(lines) + "\n"


def _lines(table: Table) -> Iterator[str]:
    yield f"**{table.title}**"
    yield ""
    yield f"| {' | '.join(_plain(column) for column in table.columns)} |"
    yield f"|{' --- |' * len(table.columns)}"
    for row in table.rows:
        yield f"| {' | '.join(_plain(cell_text(cell)) for cell in row)} |"
    if table.note:
        yield ""
        yield table.note


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
