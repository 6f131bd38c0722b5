"""The paper's five figures, which it describes and does not label: weights, ratios, growth, risk told, and markets."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from riskd.core.arrays import Floats
from riskd.lab.plots import DASHES, SERIES, STAND_IN, drawn
from riskd_models.papers.deep_allocation.conditions import CONDITIONS
from riskd_models.papers.deep_allocation.judged import Strategies
from riskd_models.papers.finding import Figure, Table

TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)  # of a logarithmic scale of worth


def looks(names: Sequence[str]) -> Mapping[str, dict[str, Any]]:
    """A colour and a dash for each name."""
    return {
        name: {"color": STAND_IN[SERIES[place % len(SERIES)]], "linestyle": DASHES[place // len(SERIES) % len(DASHES)]}
        for place, name in enumerate(names)
    }


def years(sessions: Sequence[date]) -> Floats:
    """Sessions as decimal years."""
    return np.array([session.year + (session.timetuple().tm_yday - 1) / 365.25 for session in sessions])


def figure_weights(strategies: Strategies, name: str, sessions: Sequence[date], symbols: Sequence[str], key: str) -> Figure:
    """Weights at each decision, one on the other; the largest seven on average by name."""
    weights = strategies[name].weights
    order = np.argsort(-weights.mean(axis=0))
    shown = [*order[:7].tolist()]
    parts = [weights[:, place] for place in shown] + [weights[:, order[7:]].sum(axis=1)]
    labels = [symbols[place] for place in shown] + ["the others"]

    def draw(axes: Axes) -> None:
        times = years(sessions[:: max(1, -(-len(sessions) // len(weights)))][: len(weights)])
        colours = [STAND_IN[SERIES[place]] for place in range(8)]
        axes.stackplot(times, parts, labels=labels, colors=colours, linewidth=0, step="post")
        axes.set_ylim(0, 1)
        axes.set_ylabel("weight")

    return Figure(key, "Figure 1: weights over time", f"{name}: weights at each decision.", drawn(draw, key))


def figure_ratios(performance: Table, key: str) -> Figure:
    """Sharpe ratios with their intervals, and Sortino ratios by both definitions."""
    rows = performance.rows

    def draw(axes: Axes) -> None:
        places = np.arange(len(rows))
        value, low, high = (np.array([float(row[column] or 0.0) for row in rows]) for column in (2, 3, 4))
        axes.bar(
            places, value, 0.5, yerr=[value - low, high - value], color=STAND_IN["accent"], ecolor=STAND_IN["ink"], label="Sharpe"
        )
        for column, colour, label in ((5, "var", "Sortino, negative"), (6, "loss", "Sortino, target")):
            marks = [np.nan if row[column] is None else float(row[column]) for row in rows]  # type: ignore[arg-type]
            axes.plot(places, marks, "o", color=STAND_IN[colour], markersize=4, label=label)
        axes.axhline(0.0, color=STAND_IN["quiet"], linewidth=0.8)
        axes.set_xticks(places, [str(row[0]) for row in rows], rotation=30, ha="right")
        axes.set_ylabel("ratio, a year")

    caption = "Annualised, after costs; the lines are 95 % intervals of Sharpe ratios by the stationary bootstrap."
    return Figure(key, "Figure 2: risk-adjusted returns", caption, drawn(draw, key))


def figure_growth(strategies: Strategies, names: Sequence[str], sessions: Sequence[date], key: str) -> Figure:
    """What one unit became after costs, on a logarithmic scale."""

    def draw(axes: Axes) -> None:
        times, kept = years(sessions), slice(None, None, max(1, len(sessions) // 800))
        for name, look in looks(names).items():
            worth = np.cumprod(1 + strategies[name].daily)
            axes.plot(times[kept], worth[kept], linewidth=1.1, label=name, **look)
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.set_yticks([tick for tick in TICKS if low <= tick <= high], [f"{tick:g}" for tick in TICKS if low <= tick <= high])
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_ylabel("worth of 1, log")

    return Figure(key, "Figure 3: cumulative returns", "After costs, bought and held between decisions.", drawn(draw, key))


def figure_risk(strategies: Strategies, names: Sequence[str], history: int, key: str) -> Figure:
    """How VaR and CVaR as told at the decisions are spread: quartiles, and whiskers to 5 and 95 %."""

    def draw(axes: Axes) -> None:
        for shift, field, colour in ((-0.17, "var", "var"), (0.17, "cvar", "loss")):
            values = [getattr(strategies[name], field) for name in names]
            line = {"color": STAND_IN[colour], "linewidth": 1.0}
            boxes = axes.boxplot(
                values,
                positions=np.arange(len(names)) + shift,
                widths=0.26,
                whis=(5, 95),
                showfliers=False,
                boxprops=line,
                whiskerprops=line,
                capprops=line,
                medianprops=line | {"linewidth": 2.0},
            )
            boxes["boxes"][0].set_label(field.upper().replace("VAR", "VaR"))
        axes.set_xticks(np.arange(len(names)), list(names), rotation=30, ha="right")
        axes.set_ylabel("loss over the horizon")

    caption = (
        f"At each decision, of the weights chosen, from the newest {history} sessions; boxes are quartiles, whiskers 5 and 95 %."
    )
    return Figure(key, "Figure 4: VaR and CVaR told", caption, drawn(draw, key))


def figure_conditions(ratios: Floats, names: Sequence[str], key: str) -> Figure:
    """Sharpe ratios by market as a heat map."""
    largest = float(np.nanmax(np.abs(ratios)))

    def draw(axes: Axes) -> None:
        for (row, column), value in np.ndenumerate(ratios):
            if np.isfinite(value):
                colour, depth = STAND_IN["accent" if value > 0 else "alarm"], 0.7 * abs(value) / largest
                axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, alpha=depth, linewidth=0))
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=STAND_IN["ink"], fontsize=9)
        axes.set_xlim(-0.5, len(CONDITIONS) - 0.5)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xticks(range(len(CONDITIONS)), list(CONDITIONS))
        axes.set_yticks(range(len(names)), list(names))
        axes.grid(visible=False)

    caption = "Annualised Sharpe ratios after costs by the market at the decision, as it could be told then."
    return Figure(key, "Figure 5: performance under market conditions", caption, drawn(draw, key))
