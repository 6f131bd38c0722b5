"""VaR and CVaR by champion and challengers; a figure that is stale vanishes rather than freezes."""

import math
from collections.abc import Callable, Iterator
from datetime import datetime

from riskd.core.report import Figure, PortfolioReport, Rival
from riskd.observe.families.family import Family, Labels, Sample, gauge, level_label
from riskd.observe.freshness import figures_at
from riskd.observe.snapshot import Snapshot

PLACE = ("portfolio", "level", "horizon")
Shown = tuple[PortfolioReport, Figure]


def figure_families(snapshot: Snapshot, now: datetime) -> Iterator[Family]:
    """The figures that may be shown at ``now``, as fractions of value, loss positive; horizons in sessions."""
    shown = [(r, f) for r in snapshot.reports for f in figures_at(snapshot, r, now)]
    text = "of the portfolio as a fraction of its value, loss positive; horizon in sessions."
    yield _by_method("riskd_portfolio_var_ratio", f"VaR {text}", shown, lambda f: f.var)
    yield _by_method("riskd_portfolio_cvar_ratio", f"CVaR {text}", shown, lambda f: f.cvar)
    for end, number in (("low", lambda f: f.cvar_low), ("high", lambda f: f.cvar_high)):
        yield _of_champion(f"riskd_portfolio_cvar_{end}_ratio", f"{end.title()} end of the champion's CVaR, 95 %.", shown, number)
    text = "Median CVaR of the challengers that answer a change of volatility."
    yield _of_champion("riskd_portfolio_challenger_cvar_ratio", text, shown, lambda f: f.challenger_cvar)
    yield _challenger_family(shown)


def place_of(report: PortfolioReport, figure: Figure) -> Labels:
    """Values of :data:`PLACE`."""
    return report.portfolio, level_label(figure.level), str(figure.horizon)


def _by_method(name: str, text: str, shown: list[Shown], number: Callable[[Figure | Rival], float]) -> Family:
    samples: list[Sample] = []
    for report, figure in shown:
        place, champion = place_of(report, figure), report.provenance.model.partition("@")[0]
        samples.append(((*place, champion, "champion"), number(figure)))
        samples += [((*place, rival.name, "challenger"), number(rival)) for rival in figure.challengers]
    return gauge(name, text, (*PLACE, "method", "role"), samples)


def _of_champion(name: str, text: str, shown: list[Shown], number: Callable[[Figure], float]) -> Family:
    return gauge(name, text, PLACE, [(place_of(report, figure), number(figure)) for report, figure in shown])


def _challenger_family(shown: list[Shown]) -> Family:
    """Whether each challenger and rival has all its figures."""
    answers: dict[Labels, bool] = {}
    for report, figure in shown:
        for rival in figure.challengers:
            key, found = (report.portfolio, rival.name), math.isfinite(rival.var) and math.isfinite(rival.cvar)
            answers[key] = answers.get(key, True) and found
    text = "1 if the challenger or rival has every figure, 0 if one is missing."
    return gauge("riskd_challenger_working", text, ("portfolio", "method"), [(k, float(v)) for k, v in answers.items()])
