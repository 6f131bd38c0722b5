"""What a session brought, held against what had been forecast for it."""

from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.book_forecast import BookForecast
from riskd.core.portfolio import Portfolio
from riskd.core.validation.scores import crps_sorted


@dataclass(frozen=True, slots=True)
class Outturn:
    """``loss``, a fraction of value; ``pit`` is the share of the forecast that lost less, ``crps`` its score, lower is better."""

    loss: float | None
    pit: float | None = None
    crps: float | None = None


NONE = Outturn(None)


def outturn(portfolio: Portfolio, log_returns: Floats, forecast: BookForecast | None) -> Outturn:
    """The loss of ``log_returns`` (symbols,); a price that is not known has not moved yet. ``forecast`` was made before."""
    r = np.nan_to_num(log_returns, nan=0.0)
    seen = r if portfolio.view is None else portfolio.view.log_returns(r)
    loss = -float(np.expm1(seen) @ portfolio.weights)
    if forecast is None:
        return Outturn(loss)
    sample = forecast.losses[1]
    below, up_to = np.searchsorted(sample, [loss], "left")[0], np.searchsorted(sample, [loss], "right")[0]
    return Outturn(loss, float(below + up_to) / (2 * len(sample)), crps_sorted(loss, sample))
