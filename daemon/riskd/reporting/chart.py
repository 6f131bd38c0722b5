"""Charts as small SVG drawings, an element a line, that say in words what they show; colours come from the page's style."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT = 420.0, 46.0, 8.0
ROW = 20.0  # height of one bar with its name
NAMES, FIGURES = 104.0, 62.0  # room for names left and figures right of bars
CHARACTERS = 14  # of a name that fit
PLOT = 170.0  # height of a plot over time or steps
MINUS = "\u2212"


@dataclass(frozen=True, slots=True)
class Day:
    """One session: its loss and what had been forecast for it, None where not known."""

    date: str
    loss: float | None
    var: float | None
    cvar: float | None
    beyond: bool


def percent(value: float, digits: int = 2, sign: bool = False) -> str:
    """A fraction as percent with a true minus."""
    return f"{value:{'+' if sign else ''}.{digits}%}".replace("-", MINUS)


def figure(label: str, words: str, height: float, elements: Iterable[str]) -> str:
    """A drawing with its accessible name, and the same words below it."""
    box = f'viewBox="0 0 {_n(WIDTH)} {_n(height)}"'
    name = escape(f"{label}. {words}")
    inner = "\n".join(elements)
    return (
        f'<figure><svg {box} role="img" aria-label="{name}">\n{inner}\n</svg>\n'
        f"<figcaption><b>{escape(label)}.</b> {escape(words)}</figcaption></figure>"
    )


def losses(days: Sequence[Day]) -> list[str]:
    """Realised losses as needles, VaR and CVaR as lines; a loss beyond VaR is marked. Gains end at the lower edge."""
    known = [v for d in days for v in (d.loss, d.var, d.cvar) if v is not None]
    scale = Scale.over(known, PLOT)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(days))
    place = [LEFT + step * (i + 0.5) for i in range(len(days))]
    drawn = scale.grid()
    for x, day in zip(place, days, strict=True):
        if day.loss is not None:
            kind = "alarm" if day.beyond else "loss"
            drawn.append(_line(x, scale(0.0), x, scale(day.loss), kind, max(1.0, min(6.0, 0.6 * step))))
    drawn += _path([(x, d.var) for x, d in zip(place, days, strict=True)], scale, "var")
    drawn += _path([(x, d.cvar) for x, d in zip(place, days, strict=True)], scale, "cvar")
    marks = [(x, d.loss) for x, d in zip(place, days, strict=True) if d.beyond and d.loss is not None]
    drawn += [f'<circle cx="{_n(x)}" cy="{_n(scale(loss))}" r="3.5" class="mark"/>' for x, loss in marks]
    if days:
        drawn.append(_text(LEFT, PLOT + 30, days[0].date, "start"))
        drawn.append(_text(WIDTH - RIGHT, PLOT + 30, days[-1].date, "end"))
    return drawn


def waterfall(before: float, parts: Sequence[tuple[str, float]], after: float, limit: float) -> list[str]:
    """From one figure to the other by its parts, each starting where the one before ended; the limit as a line."""
    steps: list[tuple[str, float, float, str]] = [("before", 0.0, before, "whole")]
    level = before
    for name, value in parts:
        steps.append((name, level, level + value, "up" if value > 0 else "down"))
        level += value
    steps.append(("now", 0.0, after, "whole"))
    scale = Across.over([v for _, a, b, _ in steps for v in (a, b)] + [limit])
    drawn = [_line(scale(limit), 0.0, scale(limit), ROW * len(steps) + 4, "limit", 1.5)]
    for i, (name, start, end, kind) in enumerate(steps):
        told = percent(end) if kind == "whole" else percent(end - start, sign=True)
        drawn += _bar(i, name, scale(start), scale(end), kind, told)
    return drawn


def bars(rows: Sequence[tuple[str, float]]) -> list[str]:
    """A bar for each name from zero, negative ones to the left of it."""
    scale = Across.over([0.0, *(value for _, value in rows)])
    drawn = [element for i, (name, v) in enumerate(rows) for element in _bar(i, name, scale(0), scale(v), _side(v), percent(v))]
    return [*drawn, _line(scale(0), 0.0, scale(0), ROW * len(rows) + 2, "axis", 1.0)]


def pairs(rows: Sequence[tuple[str, float, float]]) -> list[str]:
    """Two thin bars a name, what is and what would be."""
    scale = Across.over([0.0, *(v for _, *both in rows for v in both)])
    drawn = []
    for i, (name, now, then) in enumerate(rows):
        top = i * ROW
        drawn.append(_text(NAMES - 6, top + 14, _short(name), "end"))
        drawn.append(_rectangle(scale(0), scale(now), top + 3, 6.0, "before"))
        drawn.append(_rectangle(scale(0), scale(then), top + 10, 6.0, "after"))
        drawn.append(_text(WIDTH, top + 14, f"{percent(now, 0)} \u2192 {percent(then, 0)}", "end"))
    return [*drawn, _line(scale(0), 0.0, scale(0), ROW * len(rows) + 2, "axis", 1.0)]


@dataclass(frozen=True, slots=True)
class Scale:
    """Values up the page between ``low`` and ``high`` over ``height``."""

    low: float
    high: float
    height: float
    step: float

    @classmethod
    def over(cls, values: Sequence[float], height: float) -> "Scale":
        """From the values' range, widened to whole grid lines."""
        low, high = min([0.0, *values]), max([0.0, *values])
        step = _grid_step(high - low)
        return cls(-step * -(low // step), step * -(-high // step) or step, height, step)

    def __call__(self, value: float) -> float:
        return 8 + (self.high - value) / (self.high - self.low) * self.height

    def grid(self) -> list[str]:
        """Lines with their values at the left."""
        count = round((self.high - self.low) / self.step)
        levels = [self.low + i * self.step for i in range(count + 1)]
        drawn = []
        for level in levels:
            kind = "axis" if abs(level) < self.step / 2 else "grid"
            drawn.append(_line(LEFT, self(level), WIDTH - RIGHT, self(level), kind, 1.0))
            drawn.append(_text(LEFT - 6, self(level) + 4, percent(level + 0.0, 0 if self.step >= 0.01 else 1), "end"))
        return drawn


@dataclass(frozen=True, slots=True)
class Across:
    """Values across the page, between the names and the figures."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Sequence[float]) -> "Across":
        low, high = min([0.0, *values]), max([0.0, *values])
        return cls(low, high if high > low else low + 1.0)

    def __call__(self, value: float) -> float:
        return NAMES + (value - self.low) / (self.high - self.low) * (WIDTH - NAMES - FIGURES - 8)


def _grid_step(width: float) -> float:
    """1, 2 or 5 times a power of ten, so that four to ten lines fill ``width``."""
    wanted = max(width, 1e-4) / 8
    power = 10.0**-8
    while True:
        for factor in (1.0, 2.0, 5.0):
            if factor * power >= wanted:
                return factor * power
        power *= 10


def _bar(place: int, name: str, start: float, end: float, kind: str, value: str) -> list[str]:
    top = place * ROW
    named, told = _text(NAMES - 6, top + 14, _short(name), "end"), _text(WIDTH, top + 14, value, "end")
    return [named, _rectangle(start, end, top + 3, ROW - 6, kind), told]


def _rectangle(start: float, end: float, top: float, height: float, kind: str) -> str:
    width = max(0.5, abs(end - start))
    return f'<rect x="{_n(min(start, end))}" y="{_n(top)}" width="{_n(width)}" height="{_n(height)}" class="{kind}"/>'


def _path(points: Sequence[tuple[float, float | None]], scale: Scale, kind: str) -> list[str]:
    """A line that is broken where a value is missing."""
    pieces: list[list[str]] = [[]]
    for x, value in points:
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{_n(x)},{_n(scale(value))}")
    return [f'<polyline points="{" ".join(piece)}" class="{kind}"/>' for piece in pieces if piece]


def _line(x1: float, y1: float, x2: float, y2: float, kind: str, width: float) -> str:
    ends = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"'
    return f'<line {ends} class="{kind}" stroke-width="{_n(width)}"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{escape(words)}</text>'


def _short(name: str) -> str:
    return name if len(name) <= CHARACTERS else name[: CHARACTERS - 1] + "\u2026"


def _side(value: float) -> str:
    return "whole" if value > 0 else "down"


def _n(value: float) -> str:
    """A coordinate to a tenth, without a needless zero."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
