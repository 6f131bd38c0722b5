"""Made-up worlds whose truth is known: losses are normal, one model knows their scale and another takes it 20 % too small."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm

from riskd.core.arrays import Floats
from riskd.lab.track import Laboratory, Quantified, Track

LEVELS = (0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.975, 0.99, 0.995)
MODELS = {"perfect": 1.0, "small": 0.8}


def weekdays(count: int, first: date = date(2006, 1, 2)) -> tuple[date, ...]:
    """``count`` weekdays from ``first`` on."""
    days = (first + timedelta(days=i) for i in range(count * 7 // 5 + 7))
    return tuple([d for d in days if d.weekday() < 5][:count])


def quantified(losses: Floats, scale: Floats) -> Quantified:
    """The forecast of a normal loss with standard deviation ``scale`` (sessions,), in closed form."""
    z = ndtri(LEVELS)
    u = losses / scale
    crps = scale * (u * (2 * norm.cdf(u) - 1) + 2 * norm.pdf(u) - 1 / np.sqrt(np.pi))
    return Quantified(scale[:, None] * z, scale[:, None] * norm.pdf(z) / (1 - np.array(LEVELS)), norm.cdf(u), crps)


def track(
    portfolio: str = "book",
    group: str = "equal",
    horizon: int = 1,
    count: int = 1500,
    seed: int = 1,
    models: Mapping[str, float] = MODELS,
) -> Track:
    """One portfolio whose scale swings slowly between 0.5 % and 2 %."""
    random = np.random.default_rng(seed)
    scale = 0.0125 + 0.0075 * np.sin(np.arange(count) / 60 + seed)
    losses = scale * random.standard_normal(count)
    forecasts = {m: quantified(losses, factor * scale) for m, factor in models.items()}
    return Track(portfolio, group, horizon, weekdays(count), losses, forecasts)


def laboratory(*tracks: Track, title: str = "A made-up world", champion: str = "perfect", baseline: str = "small") -> Laboratory:
    return Laboratory(title, LEVELS, tracks or (track(),), champion, baseline, None, {"data": "made up", "seed": "1"})
