"""The charts of one portfolio, from the facts: losses against forecasts, what moved CVaR, where it comes from, weights."""

from collections.abc import Mapping
from typing import Any

from riskd.reporting import chart
from riskd.reporting.chart import ROW, Day, figure, percent

Row = dict[str, Any]
MOST = 12  # bars of components and weights; what is smaller is added up


def history(told: Row, level: str) -> str:
    """Realised losses of the newest sessions against one-session VaR and CVaR at ``level``."""
    days = [_day(date, row, level) for date, row in sorted(told["history"].items())]
    known = [day for day in days if day.loss is not None or day.var is not None]
    if not known:
        return '<p class="quiet">No forecast was held against a loss yet.</p>'
    beyond = [day for day in days if day.beyond]
    worst = max((day for day in days if day.loss is not None), key=lambda day: day.loss or 0.0, default=None)
    count = f"{len(days)} session{'s' if len(days) != 1 else ''}"
    words = f"{count} to {days[-1].date}: {len(beyond)} losses beyond the VaR {level} forecast the day before"
    words += f", the newest on {beyond[-1].date}" if beyond else ""
    words += f"; the largest loss was {percent(worst.loss)} on {worst.date}" if worst and worst.loss is not None else ""
    words += ". Needles: losses, gains downwards; lower line VaR, upper line CVaR; a ring marks a loss beyond VaR."
    return figure("Losses against forecasts", words, chart.PLOT + 36, chart.losses(days))


def _day(date: str, row: Row, level: str) -> Day:
    ahead = row["forecast"].get(level) or {"var": None, "cvar": None}
    return Day(date, row["loss"], ahead["var"], ahead["cvar"], level in row["beyond"])


def waterfall(name: str, limit: Row) -> str:
    """What moved a limit's CVaR, the largest part first; nothing where it is not explained."""
    told = limit["explanation"]
    if told is None:
        return ""
    parts = sorted(told["parts"].items(), key=lambda part: (-abs(part[1]), part[0]))
    named = [(part.replace("_", " "), value) for part, value in parts]
    said = ", ".join(f"{part} {100 * value:+.2f}" for part, value in named).replace("-", chart.MINUS)
    words = (
        f"CVaR {percent(told['before'])} on {told['since']}, {percent(told['after'])} now; in percentage points: {said}. "
        f"The upright line is the limit, {percent(limit['max_cvar'])}."
    )
    drawn = chart.waterfall(told["before"], named, told["after"], limit["max_cvar"])
    return figure(f"What moved {name}", words, ROW * (len(named) + 2) + 8, drawn)


def components(name: str, limit: Row) -> str:
    """What each holding adds to a limit's CVaR; nothing without figures."""
    parts = {symbol: row["component_cvar"] for symbol, row in limit["components"].items()}
    if not parts:
        return ""
    rows = _largest(parts)
    words = f"CVaR {percent(sum(parts.values()))} is the sum of its components: "
    words += ", ".join(f"{symbol} {percent(value)}" for symbol, value in rows) + "."
    return figure(f"Where {name} comes from", words, ROW * len(rows) + 6, chart.bars(rows))


def weights(told: Row) -> str:
    """Weights now and as proposed, the largest change first; nothing without a proposal."""
    both = {n: (row["now"], row["proposed"]) for n, row in told["weights"].items() if row["proposed"] is not None}
    if not both:
        return ""
    ordered = sorted(both, key=lambda n: (-abs(both[n][1] - both[n][0]), n))
    rows = [(n, *both[n]) for n in ordered[:MOST]]
    if rest := ordered[MOST:]:
        rows.append((f"{len(rest)} more", sum(both[n][0] for n in rest), sum(both[n][1] for n in rest)))
    said = ", ".join(f"{n} {percent(now, 1)} to {percent(then, 1)}" for n, now, then in rows)
    words = f"Upper bars: held now; lower bars: as proposed. {said}."
    return figure("Weights before and after", words, ROW * len(rows) + 6, chart.pairs(rows))


def _largest(parts: Mapping[str, float]) -> list[tuple[str, float]]:
    """The largest, and the sum of the others."""
    ordered = sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
    rest = ordered[MOST:]
    return ordered[:MOST] + ([(f"{len(rest)} more", sum(v for _, v in rest))] if rest else [])
