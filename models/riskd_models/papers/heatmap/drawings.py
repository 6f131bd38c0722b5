"""Figures of the heat-map study: some images, forecasts against what came, and errors year by year."""

from datetime import date

import numpy as np
from matplotlib.axes import Axes

from riskd.lab.plots import SERIES, STAND_IN, drawn
from riskd_models.papers.finding import Figure
from riskd_models.papers.heatmap.image import Encoder
from riskd_models.papers.heatmap.judgement import squared
from riskd_models.papers.heatmap.pictures import REGIMES, Pictures
from riskd_models.papers.heatmap.walk import Walk

SHOWN = ("CNN", "HAR", "linear, image")
POINTS = 600  # of a scatter
IMAGES = 1.7  # inches that four images in a row are high, with their titles


def images(pictures: Pictures, encoder: Encoder) -> Figure:
    """Four images of the first series, from the calmest to the stormiest session that was tested."""
    mine = pictures.at(pictures.series == pictures.series.min())
    order = np.argsort(mine.newest("volatility-22"))
    picked = mine.at(order[np.linspace(0, len(order) - 1, 4).astype(np.int64)])
    pixels = encoder.images(picked.seen)
    bound = float(np.abs(pixels).max())

    def draw(axes: Axes) -> None:
        axes.set_axis_off()
        for place, image in enumerate(pixels):
            part = axes.inset_axes((place / 4 + 0.005, 0.0, 0.24, 0.82))
            part.imshow(image, cmap="RdBu_r", vmin=-bound, vmax=bound, interpolation="nearest")
            part.set_xticks([])
            part.set_yticks([])
            when, follows = date.fromordinal(int(picked.session[place])), np.exp(picked.target[place])
            part.set_title(f"{when}\nthen {100 * follows:.1f} % a day", fontsize=8, color=STAND_IN["ink"])

    shares = ", ".join(f"{share:.2f}" for share in encoder.explained[:4])
    caption = (
        f"Heat maps of {mine.names[int(picked.series[0])]}: {len(encoder.axes)} principal components from top to bottom (the "
        f"first four hold {shares} of the variance), ten sessions from left to right; red is above the mean of training, blue "
        "below."
    )
    return Figure("heatmap-images", "What the network sees", caption, drawn(draw, "heatmap-images", IMAGES))


def scatter(walk: Walk) -> Figure:
    """The network's forecasts against what came, by regime."""
    pictures, track = walk.pictures, walk.tracks["CNN"]

    def draw(axes: Axes) -> None:
        for place, name in enumerate(REGIMES):
            rows = np.flatnonzero(pictures.regime == place)
            rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), POINTS)).astype(np.int64)] if len(rows) else rows
            look = {"color": STAND_IN[SERIES[place]], "markersize": 2.0, "alpha": 0.6}
            axes.plot(np.exp(track.forecast[rows]), np.exp(pictures.target[rows]), ".", **look)  # type: ignore[arg-type]
            axes.plot([], [], "o", color=STAND_IN[SERIES[place]], markersize=5, label=name)
        low, high = np.exp(np.quantile(pictures.target, [0.001, 0.999]))
        axes.plot([low, high], [low, high], color=STAND_IN["quiet"], linewidth=0.8)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("forecast volatility of a day")
        axes.set_ylabel("realised, ten sessions")

    caption = "Forecasts of the untuned network against the volatility that came, by the regime at the time of the forecast."
    return Figure("heatmap-scatter", "Forecast and outcome", caption, drawn(draw, "heatmap-scatter"))


def years(walk: Walk) -> Figure:
    """RMSE of each year of the network and of two simple rivals."""
    pictures = walk.pictures
    year = np.array([date.fromordinal(int(session)).year for session in pictures.session])
    known = np.unique(year)

    def draw(axes: Axes) -> None:
        for place, name in enumerate(SHOWN):
            errors = squared(walk.tracks[name], pictures)
            means = [float(np.sqrt(errors[year == one].mean())) for one in known]
            axes.plot(known, means, marker="o", markersize=3, label=name, color=STAND_IN[SERIES[place]])
        axes.set_ylabel("RMSE of log volatility")

    caption = "Root mean squared error of each year's forecasts; every model had learnt only what had come true before its cut."
    return Figure("heatmap-years", "Errors by year", caption, drawn(draw, "heatmap-years"))
