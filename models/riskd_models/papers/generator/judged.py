"""The generator's months judged: profits beside those expected, and losses beside what was promised."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import binom

from riskd.core.arrays import Floats
from riskd.core.validation.compare import DieboldMariano, diebold_mariano
from riskd.core.validation.coverage import band
from riskd.core.validation.scores import fz0
from riskd_models.papers.finding import Cell, Table, cell_or_none
from riskd_models.papers.generator.generators import HISTORY
from riskd_models.papers.generator.months import Months
from riskd_models.papers.generator.numbers import Numbers
from riskd_models.papers.resampled import Interval, interval, tail_means

RUN = 3.0  # months that are drawn together, on average


def mean_interval(values: Floats) -> Interval:
    """The mean of a month's figures (months,)."""
    return interval(values[:, None], lambda rows: np.asarray(rows[:, :, 0].mean(axis=1)), RUN)


def cvar_interval(losses: Floats, level: float) -> Interval:
    """The mean of the worst 1 - level of realised losses (months,)."""
    return interval(losses[:, None], lambda rows: tail_means(rows, level)[:, 0], RUN)


def table_profits(months: Months, numbers: Numbers, name: str, where: str) -> Table:
    """The paper's figure in numbers: on all months, and as it is drawn there, on the feasible ones alone."""
    columns: tuple[str, ...] = ("limit", "infeasible", "expected", "realised", "realised, from", "realised, to")
    columns += ("expected, theirs", "realised, theirs", "apart")
    rows: list[tuple[Cell, ...]] = []
    for place, limit in enumerate(numbers.limits):
        feasible = months.feasible[:, place] > 0
        expected, realised = months.expected[:, place], months.realised[:, place]
        spread = mean_interval(realised)
        apart = "no" if spread.low <= expected.mean() <= spread.high else "yes"
        theirs = [float(part[feasible].mean()) if feasible.any() else None for part in (expected, realised)]
        figures = (float((~feasible).mean()), float(expected.mean()), spread.value, spread.low, spread.high)
        rows.append((f"{limit:.0%}", *figures, *theirs, apart))
    note = (
        f"Mean profits of {numbers.horizon} sessions, bought and held, no costs, {len(months.feasible)} months that do not"
        " overlap, the same for every limit. Infeasible: the share of months in which no weights meet the limit; those of"
        " the least CVaR are held then. Theirs: over feasible months alone. 95 % intervals by the stationary bootstrap, runs of"
        f" {RUN:g} months. Apart: what was expected lies outside."
    )
    return Table(f"Figure 1 in numbers, {name}: {where}", columns, tuple(rows), note)


def table_losses(months: Months, numbers: Numbers, name: str, where: str) -> Table:
    """The panel that the paper lacks: what was promised of losses, and what they came to."""
    columns: tuple[str, ...] = ("limit", "promised", "CVaR told", "verified", "realised CVaR", "CVaR, from", "CVaR, to")
    columns += ("beyond VaR", "p", "beyond limit", "likely", "held")
    rows: list[tuple[Cell, ...]] = []
    for place, limit in enumerate(numbers.limits):
        losses = -months.realised[:, place]
        spread = cvar_interval(losses, numbers.level)
        beyond = int((losses > months.var[:, place]).sum())
        told, verified = float(months.cvar[:, place].mean()), cell_or_none(float(months.verified[:, place].mean()))
        figures = (spread.value, spread.low, spread.high)
        over, likely = int((losses > limit).sum()), float(months.beyond[:, place].sum())
        promise = promised(months, place, limit)
        held = "broken" if spread.low > promise else "yes" if spread.high <= promise else "cannot be told"
        chance = binomial_tail(beyond, len(losses), 1 - numbers.level)
        rows.append((f"{limit:.0%}", promise, told, verified, *map(cell_or_none, figures), beyond, chance, over, likely, held))
    low, high = band(len(months.feasible), numbers.level)
    count = len(months.feasible)
    note = (
        f"Of all {count} months. Promised: the limit, or where it is infeasible the least CVaR, on average."
        " CVaR told: on the scenarios that weights were"
        " chosen on; verified: on others that the optimiser did not see. Realised CVaR: the mean of the worst"
        f" {1 - numbers.level:.0%} of months. Beyond VaR: {round(low * count)} to {round(high * count)} months are within luck;"
        " p of so many or more. Beyond limit: months with a larger loss, and how many the scenarios made likely. Held: whether"
        " the interval of realised CVaR is above what was promised, below it, or across it."
    )
    return Table(f"Losses, {name}: {where}", columns, tuple(rows), note)


def promised(months: Months, place: int, limit: float) -> float:
    """What the answers said: the limit where it could be met, else the least CVaR that there is."""
    return float(np.where(months.feasible[:, place] > 0, limit, months.cvar[:, place]).mean())


def binomial_tail(count: int, of: int, chance: float) -> float:
    """The chance of at least ``count``."""
    return float(binom.sf(count - 1, of, chance))


def table_common(found: Mapping[str, Months], numbers: Numbers, where: str) -> Table:
    """The generators on one portfolio that none of them chose: equal weights, by proper scores."""
    columns = ("generator", "FZ0", "FZ0 t", "CRPS", "CRPS t", "beyond VaR", "mean CVaR", "clamped a bank", "worse than history")
    base = found[HISTORY]
    rows: list[tuple[Cell, ...]] = []
    for name, months in found.items():
        fz, crps = scores(months, numbers.level), months.equal_crps
        pairs = ((fz, scores(base, numbers.level)), (crps, base.equal_crps))
        tests = [None if name == HISTORY else compared(ours, theirs) for ours, theirs in pairs]
        worse = "yes" if fz is None or any(test is not None and test.t > 0 and test.p < 0.05 for test in tests) else "no"
        beyond = int((-months.equal_realised > months.equal_var).sum())
        t = [None if test is None else cell_or_none(test.t) for test in tests]
        means = (float(months.equal_cvar.mean()), float(months.clamped.mean()))
        rows.append((name, None if fz is None else float(fz.mean()), t[0], float(crps.mean()), t[1], beyond, *means, worse))
    low, high = band(len(base.equal_var), numbers.level)
    note = (
        f"Equal weights held for {numbers.horizon} sessions, {len(base.equal_var)} months, level {numbers.level:g}; lower scores"
        " are better. t of Diebold and Mariano with Newey and West's variance against history, below zero is ahead of it."
        f" {round(low * len(base.equal_var))} to {round(high * len(base.equal_var))} months beyond VaR are within luck. Worse: a"
        " score behind history's at 5 %, or a CVaR that is no loss, for which there is no FZ0. Clamped:"
        " daily returns of one bank that the paper's bound of 20 % changed."
    )
    return Table(f"One common portfolio: {where}", columns, tuple(rows), note)


def compared(ours: Floats | None, theirs: Floats | None) -> DieboldMariano | None:
    """Whether scores differ; None where either is missing."""
    return None if ours is None or theirs is None else diebold_mariano(ours - theirs)


def scores(months: Months, level: float) -> Floats | None:
    """FZ0 (months,) of equal weights; None where a CVaR is no loss, for which it is not defined."""
    if not (months.equal_cvar > 0).all():
        return None
    return fz0(-months.equal_realised, months.equal_var, months.equal_cvar, level)
