"""What running a paper's systems found: tables, figures and what was learnt, as values that survive a file."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Cell = str | int | float | None  # None is a dash: not computed, or not stated


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under ``columns``, the first of which names the row; ``note`` says how to read it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError on a ragged row or a number that is not finite: what is missing is None."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: row {row[:1]} has {len(row)} cells, the table {len(self.columns)} columns")
            if bad := [cell for cell in row if isinstance(cell, float) and not math.isfinite(cell)]:
                raise ValueError(f"{self.title}: row {row[:1]} holds {bad[0]}; write None where a figure is missing")

    def column(self, name: str) -> dict[str, Cell]:
        """The cells under ``name`` by the name of their row; raises ValueError where there is no such column."""
        place = self.columns.index(name)
        return {str(row[0]): row[place] for row in self.rows}


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing for inlining, as :func:`riskd.lab.plots.drawn` gives it; ``name`` is unique in its finding and an HTML id."""

    name: str
    title: str
    caption: str
    svg: str


@dataclass(frozen=True, slots=True)
class Finding:
    """All that one paper came to; ``paper`` is its short name and an HTML id, ``lessons`` are sentences."""

    paper: str
    title: str
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    lessons: tuple[str, ...]

    def table(self, title: str) -> Table:
        """The table whose title begins with ``title``; raises KeyError where none does."""
        for table in self.tables:
            if table.title.startswith(title):
                return table
        raise KeyError(f"{self.paper}: no table {title}; there are {', '.join(t.title for t in self.tables)}")


def cell_or_none(value: float) -> float | None:
    """The number, or None where it is not finite."""
    return float(value) if math.isfinite(value) else None


def to_json(finding: Finding) -> dict[str, Any]:
    """As JSON values; :func:`from_json` is the inverse."""
    return {
        "paper": finding.paper,
        "title": finding.title,
        "tables": [{"title": t.title, "columns": t.columns, "rows": t.rows, "note": t.note} for t in finding.tables],
        "figures": [{"name": f.name, "title": f.title, "caption": f.caption, "svg": f.svg} for f in finding.figures],
        "lessons": finding.lessons,
    }


def from_json(values: Mapping[str, Any]) -> Finding:
    """The finding that :func:`to_json` wrote; raises KeyError or TypeError on anything else."""
    tables = [Table(t["title"], tuple(t["columns"]), _rows(t["rows"]), t["note"]) for t in values["tables"]]
    figures = [Figure(**figure) for figure in values["figures"]]
    return Finding(values["paper"], values["title"], tuple(tables), tuple(figures), tuple(values["lessons"]))


def write_finding(finding: Finding, path: Path) -> None:
    """As one JSON file, the same bytes for the same finding."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(to_json(finding), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_finding(path: Path) -> Finding:
    """The finding in a file of :func:`write_finding`."""
    return from_json(json.loads(path.read_text()))


def _rows(rows: Sequence[Sequence[Cell]]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(tuple(row) for row in rows)
