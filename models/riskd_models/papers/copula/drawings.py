"""The paper's two figures of results: coverage by confidence level, and figures by the number of assets."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from riskd.core.arrays import Floats
from riskd.core.validation.coverage import band
from riskd.lab.plots import SERIES, STAND_IN, coverage, drawn
from riskd_models.papers.copula.judged import Reading, coverages
from riskd_models.papers.copula.subsets import MEASURES, Subsets, summary
from riskd_models.papers.finding import Figure
from riskd_models.study.quantified import LEVELS


def figure_levels(readings: Mapping[str, Reading], losses: Floats, first: Sequence[str], name: str, where: str) -> Figure:
    """Exceedances as a multiple of those expected at every level of LEVELS, with the binomial band."""
    low, high = np.array([band(len(losses), level) for level in LEVELS]).T
    shares = {model: 1 - coverages(read, losses) for model, read in readings.items()}
    caption = f"{where}: losses above VaR over their expected number; inside the band is within luck."
    return Figure(name, "Figure 3: coverage by confidence level", caption, coverage(LEVELS, low, high, shares, first, name))


def figure_assets(subsets: Subsets, measures: Mapping[str, Floats], counts: Sequence[int], measure: str) -> Figure:
    """One of MEASURES over the number of assets: the mean over subsets, and bars from the tenth to the ninetieth per cent."""
    column, name = MEASURES.index(measure), f"assets-{MEASURES.index(measure)}"

    def draw(axes: Axes) -> None:
        for place, (system, values) in enumerate(measures.items()):
            mean, low, high = np.array([summary(values[subsets.of_size(count), column]) for count in counts]).T
            x = np.arange(len(counts)) + 0.14 * (place - (len(measures) - 1) / 2)
            look = {"color": STAND_IN[SERIES[place]], "marker": "o", "markersize": 3, "linewidth": 1.0, "elinewidth": 0.8}
            axes.errorbar(x, mean, [mean - low, high - mean], label=system, **look)  # type: ignore[arg-type]
        axes.set_xticks(np.arange(len(counts)), [str(count) for count in counts])
        axes.set_xlabel("assets")
        axes.set_ylabel(measure)

    each = len(subsets.of_size(counts[0]))
    caption = f"Means over {each} random subsets of each size and the span of the middle 80 % of them."
    return Figure(name, f"Figure 2: {measure} by the number of assets", caption, drawn(draw, name))
