"""How much of the heat-map study is run: which prices, when the models are fitted anew, and how long they train."""

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np

from riskd_models.papers.heatmap.image import Encoder, fitted_encoder
from riskd_models.papers.heatmap.markets import Market, licensed_markets, shared_markets
from riskd_models.papers.heatmap.net import ANCHORED, BASE, TUNED, Numbers
from riskd_models.papers.heatmap.pictures import AHEAD, Pictures, joined, pictures_of
from riskd_models.papers.heatmap.rivals import Split
from riskd_models.papers.heatmap.training import Budget
from riskd_models.papers.preset import Preset
from riskd_models.study.books import DATA

KEPT = 0.99  # of the variance, by the components of an image
JUDGED = 0.15  # the newest sessions of what may be learnt from
CRISES = {"2008": (date(2008, 1, 1), date(2008, 12, 31)), "2020": (date(2020, 1, 1), date(2020, 12, 31))}
NETWORKS: dict[str, Numbers] = {"CNN": BASE, "CNN, tuned": TUNED, "CNN, anchored": ANCHORED}


@dataclass(frozen=True, slots=True)
class Plan:
    """``cuts``: for ``years`` from each one on, forecasts are of models fitted on what had come true before it."""

    cuts: tuple[date, ...]
    years: int
    stocks: int
    images: int  # at most, that a network learns from
    vectors: int  # at most, that support vectors learn from
    epochs: int
    batch: int
    trials: int
    trial_images: int
    trial_epochs: int
    shared: bool  # whether bonds, funds and currencies are taken from the shared data, if these are there

    @property
    def budget(self) -> Budget:
        return Budget(self.epochs, self.batch)


SMALL = Plan((date(2008, 1, 1), date(2020, 1, 1)), 1, 4, 128, 80, 3, 16, 3, 64, 2, shared=False)
FULL = Plan(tuple(date(year, 1, 1) for year in range(2000, 2021, 4)), 4, 20, 2500, 2000, 5, 16, 8, 1000, 3, shared=True)


def plan_of(preset: Preset) -> Plan:
    """The plan that a preset asks for."""
    return preset.of(SMALL, FULL)


def markets_of(plan: Plan) -> tuple[Market, ...]:
    """The licensed markets, and the shared ones where wanted and there."""
    there = plan.shared and DATA.is_dir()
    return licensed_markets(plan.stocks) + (shared_markets(DATA) if there else ())


@cache
def pictures_for(plan: Plan) -> Pictures:
    """Every picture of every market; their targets do not overlap."""
    return joined([pictures_of(market, AHEAD) for market in markets_of(plan)])


def split_at(pictures: Pictures, cut: date, vectors: int) -> Split:
    """What had come true before ``cut``: the oldest pictures to learn from, the newest to judge by, none that overlap between."""
    known = pictures.at(pictures.until < cut.toordinal())
    border = np.quantile(known.session, 1 - JUDGED)
    return Split(known.at(known.until < border), known.at(known.session >= border), vectors)


def tested_at(pictures: Pictures, plan: Plan, cut: date) -> Pictures:
    """The pictures of the years after ``cut``."""
    return pictures.at(pictures.between(cut, cut.replace(year=cut.year + plan.years)))


def some_of(pictures: Pictures, count: int, seed: int = 0) -> Pictures:
    """At most ``count`` of them, drawn by chance."""
    rows = np.random.default_rng(seed).permutation(len(pictures))[:count]
    return pictures.at(np.sort(rows))


def encoder_of(split: Split) -> Encoder:
    """Scaler and axes of everything that may be learnt from."""
    return fitted_encoder(split.learnt.seen, KEPT)
