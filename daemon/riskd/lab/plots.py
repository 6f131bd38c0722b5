"""Plots as SVG that takes its colours from the page around it; the door to matplotlib."""

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator, PercentFormatter

from riskd.core.arrays import Floats

# Each colour is drawn as a stand-in that occurs nowhere else and becomes the page's variable of that name.
SERIES = tuple(f"series-{i}" for i in range(8))
NAMES = ("ink", "quiet", "edge", "surface", "accent", "var", "loss", "alarm", "band", *SERIES)
STAND_IN = {name: f"#0a0b{i:02x}" for i, name in enumerate(NAMES)}
DASHES: tuple[str, ...] = ("-", "--", "-.", ":")
WIDTH, HEIGHT = 5.6, 3.1  # inches: legible at the width of a phone
COLUMNS = 3  # of the legend


def exceedances(sessions: Sequence[date], losses: Floats, var: Floats, cvar: Floats, label: str, key: str) -> str:
    """Realised losses, VaR and CVaR (sessions,), with a mark where the loss is above VaR."""
    with _style():
        figure, axes = _figure()
        days = _days(sessions)
        axes.plot(days, losses, color=STAND_IN["loss"], linewidth=0.6, label="loss")
        axes.plot(days, var, color=STAND_IN["var"], linewidth=1.1, label=f"VaR {label}")
        axes.plot(days, cvar, color=STAND_IN["accent"], linewidth=1.1, label=f"CVaR {label}")
        above = losses > var
        axes.plot(days[above], losses[above], ".", color=STAND_IN["alarm"], markersize=4, label="loss above VaR")
        _dated(axes)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
        return _svg(figure, axes, key)


def coverage(
    levels: Sequence[float], low: Floats, high: Floats, shares: Mapping[str, Floats], first: Sequence[str], key: str
) -> str:
    """Exceedances as a multiple of those expected, per confidence level, with the band of a perfect forecast.

    ``low``, ``high`` and each of ``shares`` are exceedance shares (levels,); ``first`` names models drawn strongly.
    """
    expected = 1 - np.asarray(levels)
    with _style():
        figure, axes = _figure()
        places = np.arange(len(levels))
        axes.fill_between(places, low / expected, high / expected, color=STAND_IN["band"], linewidth=0, label="95 % band")
        axes.axhline(1.0, color=STAND_IN["quiet"], linewidth=0.8)
        for model, look in _looks(list(shares), first).items():
            axes.plot(places, shares[model] / expected, marker="o", markersize=3, label=model, **look)
        axes.xaxis.set_major_locator(FixedLocator([float(p) for p in places]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: f"{100 * levels[int(place)]:g}"))
        axes.set_xlabel("confidence level, %")
        axes.set_ylabel("exceedances / expected")
        return _svg(figure, axes, key)


def histogram(counts: Floats, low: float, high: float, key: str) -> str:
    """Sessions per bin of the PIT, counts (bins,), with the band in which a bin of a perfect forecast lies."""
    with _style():
        figure, axes = _figure()
        edges = np.linspace(0, 1, len(counts) + 1)
        look: dict[str, Any] = {"color": STAND_IN["var"], "linewidth": 0.8, "edgecolor": STAND_IN["surface"]}
        axes.bar(edges[:-1], counts, np.diff(edges), align="edge", label="sessions", **look)
        axes.axhline(low, color=STAND_IN["ink"], linewidth=1.0, linestyle="--", label="95 % band of one bin")
        axes.axhline(high, color=STAND_IN["ink"], linewidth=1.0, linestyle="--")
        axes.axhline(float(counts.mean()), color=STAND_IN["quiet"], linewidth=0.8)
        axes.set_xlim(0, 1)
        axes.set_xlabel("PIT of the loss: 1 is the largest loss")
        axes.set_ylabel("sessions")
        return _svg(figure, axes, key)


def differences(
    sessions: Sequence[date],
    cumulative: Mapping[str, Floats],
    crises: Mapping[str, tuple[date, date]],
    first: Sequence[str],
    key: str,
) -> str:
    """Cumulative score differences (sessions,) of each model, crises shaded: falling is better."""
    with _style():
        figure, axes = _figure()
        days = _days(sessions)
        for i, (start, end) in enumerate(crises.values()):
            label = "crisis" if i == 0 else None
            axes.axvspan(*_days([start, end]), color=STAND_IN["band"], linewidth=0, label=label)
        axes.axhline(0.0, color=STAND_IN["quiet"], linewidth=0.8)
        for model, look in _looks(list(cumulative), first).items():
            axes.plot(days, cumulative[model], label=model, **look)
        axes.set_xlim(days[0], max(days[-1], days[0] + 1))
        _dated(axes)
        axes.set_ylabel("cumulative FZ0 difference")
        return _svg(figure, axes, key)


def drawn(draw: Callable[[Axes], None], key: str, height: float = HEIGHT) -> str:
    """Any drawing in the manner of the others: ``draw`` fills the axes in colours of STAND_IN; ``key`` begins every id.

    ``height`` is in inches, of one as wide as all others.
    """
    with _style():
        figure, axes = _figure()
        draw(axes)
        return _svg(figure, axes, key, height)


def _looks(models: Sequence[str], first: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour, width and dash of each model's line; those in ``first`` are strong, every other one differs from its neighbours."""
    strong = {m: {"color": STAND_IN[c], "linewidth": 2.2, "zorder": 3} for m, c in zip(first, ("accent", "ink"), strict=False)}
    others = [m for m in models if m not in strong]
    thin = {
        m: {
            "color": STAND_IN[SERIES[i % len(SERIES)]],
            "linewidth": 1.1,
            "linestyle": DASHES[(i // len(SERIES) + i) % len(DASHES)],
        }
        for i, m in enumerate(others)
    }
    return {m: {**strong, **thin}[m] for m in models}


def _style() -> AbstractContextManager[None]:
    """Text stays text; lines lose what no screen can show; nothing of it outlives the plot."""
    return mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "riskd", "path.simplify_threshold": 0.4, "font.size": 10.0})


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    figure.patch.set_alpha(0.0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0.0)
    axes.grid(axis="y", color=STAND_IN["edge"], linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(STAND_IN["edge"])
    axes.tick_params(color=STAND_IN["edge"], labelcolor=STAND_IN["quiet"])
    axes.xaxis.label.set_color(STAND_IN["quiet"])
    axes.yaxis.label.set_color(STAND_IN["quiet"])
    return figure, axes


def _days(sessions: Sequence[date]) -> Floats:
    """Days since 1970, which is where matplotlib begins to count."""
    return np.array(sessions, dtype="datetime64[D]").astype(np.float64)


def _dated(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.get_offset_text().set_color(STAND_IN["quiet"])


def _svg(figure: Figure, axes: Axes, key: str, height: float = HEIGHT) -> str:
    """The drawing for inlining: ids begin with ``key``, colours are variables, it takes the width that it is given."""
    lines, labels = axes.get_legend_handles_labels()
    rows = math.ceil(len(labels) / COLUMNS)
    figure.set_figheight(height + 0.19 * (rows - 1))
    figure.legend(lines, labels, loc="outside upper left", ncols=COLUMNS, frameon=False, labelcolor=STAND_IN["ink"], fontsize=9)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{key}-", svg)
    svg = re.sub(r'<svg ([^>]*?)height="[^"]*" ', r'<svg \1aria-hidden="true" ', svg, count=1)
    svg = re.sub(r'(<svg [^>]*?)width="[^"]*" ', r"\1", svg, count=1)
    for name, stand_in in STAND_IN.items():
        svg = svg.replace(stand_in, f"var(--{name})")
    return svg
