"""Tables of the report: every text escaped, every missing figure a dash that points to its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

DASH = "\u2013"


@dataclass(frozen=True)
class Cell:
    """What stands in one place: text, a tone (``good``, ``bad``, ``words`` or none) and why something is missing."""

    text: str
    tone: str = ""
    note: str = ""


@dataclass(frozen=True)
class Line:
    """One row: its head, its cells, and whether it is the champion's."""

    head: str
    cells: Sequence[Cell]
    champion: bool = False


def figure(value: float | None, form: str, note: str = "", tone: str = "") -> Cell:
    """A number in the format ``form``, or a dash with its reason; minus signs are minus signs."""
    if value is None:
        return Cell(DASH, "", note or "not computed")
    return Cell(format(value, form).replace("-", "\u2212"), tone)


def percent(value: float | None, note: str = "", tone: str = "", digits: int = 2) -> Cell:
    """A fraction as percent."""
    return figure(value, f".{digits}%", note, tone)


def p_value(value: float | None, note: str = "", small: str = "bad") -> Cell:
    """A p-value, toned ``small`` below 0.05; ``note`` says why there is none."""
    if value is None:
        return figure(None, "", note)
    tone = small if value < 0.05 else ""
    return Cell("< .001", tone) if value < 0.001 else figure(value, ".3f", "", tone)


def words(text: str) -> Cell:
    """Text that may wrap."""
    return Cell(text, "words")


def table(caption: str, corner: str, columns: Sequence[str], lines: Sequence[Line]) -> str:
    """A caption, an HTML table that scrolls by itself, and the reasons of its dashes; a table without lines says so."""
    if not lines:
        return f'<p class="quiet">{escape(caption)}: nothing to show.</p>'
    reasons = list(dict.fromkeys(c.note for line in lines for c in line.cells if c.note))
    head = "".join(f'<th scope="col">{escape(c)}</th>' for c in (corner, *columns))
    body = "\n".join(_row(line, reasons) for line in lines)
    notes = "".join(f"<li>{escape(r)}</li>" for r in reasons)
    below = f'<ol class="quiet">{notes}</ol>' if reasons else ""
    return (
        f'<p class="caption">{escape(caption)}</p>'
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>{below}"
    )


def _row(line: Line, reasons: list[str]) -> str:
    kind = ' class="champion"' if line.champion else ""
    cells = "".join(_cell(c, reasons) for c in line.cells)
    return f'<tr{kind}><th scope="row">{escape(line.head)}</th>{cells}</tr>'


def _cell(cell: Cell, reasons: list[str]) -> str:
    kind = f' class="{cell.tone}"' if cell.tone else ""
    mark = f"<sup>{reasons.index(cell.note) + 1}</sup>" if cell.note else ""
    return f"<td{kind}>{escape(cell.text)}{mark}</td>"
