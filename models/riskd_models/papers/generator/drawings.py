"""The generator's figure by limit: profits expected and realised, realised shortfall against the limit, and losses beyond VaR."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from riskd.core.validation.coverage import band
from riskd.lab.plots import SERIES, STAND_IN, drawn
from riskd_models.papers.finding import Figure
from riskd_models.papers.generator.judged import cvar_interval, mean_interval
from riskd_models.papers.generator.months import Months
from riskd_models.papers.generator.numbers import Numbers


def percents(axes: Axes, numbers: Numbers) -> None:
    """Limits and values as percents."""
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.set_xticks(numbers.limits[1::2])
    axes.set_xlabel("limit on CVaR")


def figure_profits(months: Months, numbers: Numbers, name: str, key: str) -> Figure:
    """The paper's figure, over all months; faint, as the paper has it, over the feasible ones."""
    limits = np.array(numbers.limits)
    spreads = [mean_interval(months.realised[:, place]) for place in range(len(limits))]
    weight = np.where(months.feasible > 0, 1.0, np.nan)
    seen = np.isfinite(weight).any(axis=0)

    def draw(axes: Axes) -> None:
        low, high = [s.low for s in spreads], [s.high for s in spreads]
        axes.fill_between(limits, low, high, color=STAND_IN["band"], linewidth=0, label="95 % interval")
        for field, colour, label in (("expected", "var", "expected"), ("realised", "accent", "realised")):
            values = getattr(months, field)
            axes.plot(limits, values.mean(axis=0), color=STAND_IN[colour], linewidth=1.6, label=label)
            theirs = np.nanmean(values[:, seen] * weight[:, seen], axis=0)
            axes.plot(limits[seen], theirs, color=STAND_IN[colour], linewidth=1.0, linestyle=":", label=f"{label}, feasible")
        percents(axes, numbers)
        axes.set_ylabel(f"profit of {numbers.horizon} sessions")

    shares = zip(limits, months.feasible.mean(axis=0), strict=True)
    words = ", ".join(f"{1 - share:.0%} at {limit:.0%}" for limit, share in shares if share < 1) or "none"
    caption = f"The same {len(months.feasible)} months at every limit; infeasible ones hold the least CVaR ({words})."
    return Figure(key, f"Figure 1, {name}: profit by limit", caption, drawn(draw, key))


def figure_shortfall(found: Mapping[str, Months], numbers: Numbers, key: str) -> Figure:
    """Realised CVaR against the limit."""
    limits = np.array(numbers.limits)

    def draw(axes: Axes) -> None:
        axes.plot(limits, limits, color=STAND_IN["ink"], linewidth=1.0, linestyle="--", label="the limit")
        for place, (name, months) in enumerate(found.items()):
            spreads = [cvar_interval(-months.realised[:, k], numbers.level) for k in range(len(limits))]
            value, low, high = (np.array([getattr(s, part) for s in spreads]) for part in ("value", "low", "high"))
            look = {"color": STAND_IN[SERIES[place]], "linewidth": 1.2, "elinewidth": 0.8, "marker": "o", "markersize": 3}
            shift = 0.0012 * (place - (len(found) - 1) / 2)
            axes.errorbar(limits + shift, value, [value - low, high - value], label=name, **look)  # type: ignore[arg-type]
        percents(axes, numbers)
        axes.set_ylabel("realised CVaR")

    caption = f"The mean of the worst {1 - numbers.level:.0%} of months; 95 % intervals by the stationary bootstrap."
    return Figure(key, "What the paper lacks: realised CVaR against the limit", caption, drawn(draw, key))


def figure_beyond(found: Mapping[str, Months], numbers: Numbers, key: str) -> Figure:
    """The share of months beyond VaR, with the binomial band, and beyond the limit."""
    limits = np.array(numbers.limits)
    low, high = band(len(next(iter(found.values())).feasible), numbers.level)

    def draw(axes: Axes) -> None:
        axes.fill_between(limits, low, high, color=STAND_IN["band"], linewidth=0, label="VaR, 95 % band")
        for place, (name, months) in enumerate(found.items()):
            losses, colour = -months.realised, STAND_IN[SERIES[place]]
            axes.plot(limits, (losses > months.var).mean(axis=0), color=colour, linewidth=1.3, label=f"{name}, VaR")
            over = (losses > limits).mean(axis=0)
            axes.plot(limits, over, color=colour, linewidth=1.0, linestyle=":", label=f"{name}, limit")
        percents(axes, numbers)
        axes.set_ylabel("share of months beyond")

    caption = "Losses beyond VaR and beyond the limit itself; inside the band VaR is within luck."
    return Figure(key, "What the paper lacks: losses beyond VaR and limit", caption, drawn(draw, key))
