"""The deep allocation beside its rivals: ratios after costs with their intervals, what its weights are, and how seeds differ."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.core.measures.cvar import cvar
from riskd.core.validation.coverage import band
from riskd_models.papers.deep_allocation.conditions import CONDITIONS
from riskd_models.papers.deep_allocation.numbers import Numbers
from riskd_models.papers.deep_allocation.performance import (
    YEAR,
    distance_from_equal,
    drawdown,
    effective_number,
    growth,
    movement,
    sharpe,
    sortino,
)
from riskd_models.papers.deep_allocation.strategies import deep_name
from riskd_models.papers.deep_allocation.walk import Walked
from riskd_models.papers.finding import Cell, Table, cell_or_none
from riskd_models.papers.resampled import Interval, Statistic, interval, tail_means

DAYS, MONTHS = 25.0, 3.0  # mean lengths of the runs that are drawn, of sessions and of holding periods
FEWEST = 5  # decisions that a ratio is told of
DIGITS = 9  # of distances, below which a sum of weights is not exact
COLLAPSED = 0.05  # mean one-way distance from equal weights, or from a rule's own mean, below which it is no rule
Strategies = Mapping[str, Walked]


def main_names(strategies: Strategies, numbers: Numbers) -> list[str]:
    """All but the networks of further seeds."""
    further = {deep_name(price, seed) for price in numbers.prices for seed in numbers.seeds[1:]}
    return [name for name in strategies if name not in further]


def periods(daily: Floats, horizon: int) -> Floats:
    """Returns (periods,) of whole holding periods; a shorter last one is left out."""
    whole = len(daily) // horizon
    return np.asarray(np.prod(1 + daily[: whole * horizon].reshape(whole, horizon), axis=1) - 1)


def table_performance(strategies: Strategies, numbers: Numbers, where: str) -> Table:
    """Ratios after costs."""
    columns: tuple[str, ...] = ("strategy", "return a year", "Sharpe", "Sharpe, from", "Sharpe, to")
    columns += ("Sortino, negative", "Sortino, target", "drawdown", "daily CVaR 0.95", "turnover a year")
    rows: list[tuple[Cell, ...]] = []
    for name in main_names(strategies, numbers):
        walked = strategies[name]
        daily = walked.daily
        ratio = interval(daily[:, None], lambda rows: sharpe(rows[:, :, 0]), DAYS)
        ratios = (ratio.value, ratio.low, ratio.high, float(sortino(daily, "negative")), float(sortino(daily, "target")))
        turnover = float(walked.traded.sum()) / 2 / len(daily) * YEAR
        figures = (growth(daily), *ratios, drawdown(daily), cvar(-daily, numbers.level).value, turnover)
        rows.append((name, *map(cell_or_none, figures)))
    note = (
        f"After {numbers.cost:.2%} of what is traded, decided every {numbers.horizon} sessions. Ratios are of daily simple"
        f" returns times the root of {YEAR}, the riskless rate taken as zero; 95 % intervals by the stationary bootstrap, runs of"
        f" {DAYS:g} sessions on average. Sortino, negative: over the standard deviation of negative returns (the paper's);"
        " target: over the root of the mean of min(r, 0)^2. Turnover one way."
    )
    return Table(f"Performance: {where}", columns, tuple(rows), note)


def table_differences(strategies: Strategies, numbers: Numbers, where: str) -> Table:
    """Each network against each rival: Sharpe, and the very objective that it is trained on."""
    columns: tuple[str, ...] = ("network less rival", "Sharpe", "Sharpe, from", "Sharpe, to")
    columns += ("objective", "objective, from", "objective, to", "ahead")
    rows: list[tuple[Cell, ...]] = []
    for price in numbers.prices:
        ours = strategies[deep_name(price, numbers.seeds[0])]
        for name, rival in strategies.items():
            if name.startswith("deep"):
                continue
            ratio = interval(np.column_stack([ours.daily, rival.daily]), sharpe_difference, DAYS)
            months = np.column_stack([periods(walked.daily, numbers.horizon) for walked in (ours, rival)])
            worth = interval(months, objective_difference(price, numbers.level), MONTHS)
            figures = map(cell_or_none, (ratio.value, ratio.low, ratio.high, worth.value, worth.low, worth.high))
            rows.append((f"{deep_name(price, numbers.seeds[0])} - {name}", *figures, verdict(worth)))
    note = (
        "Objective: mean - price x CVaR of the returns of whole holding periods, after costs, which is what the network is"
        f" trained on; above zero it is ahead. 95 % intervals by the stationary bootstrap, runs of {DAYS:g} sessions or"
        f" {MONTHS:g} periods. Ahead: the interval of the objective lies above zero."
    )
    return Table(f"Differences: {where}", columns, tuple(rows), note)


def sharpe_difference(rows: Floats) -> Floats:
    """Of pairs of daily returns (draws, T, 2)."""
    return sharpe(rows[:, :, 0]) - sharpe(rows[:, :, 1])


def objective_difference(price: float, level: float) -> Statistic:
    """Of pairs of returns (draws, T, 2): mean - price CVaR of the first less that of the second."""

    def difference(rows: Floats) -> Floats:
        worth = rows.mean(axis=1) - price * tail_means(-rows, level)  # (draws, 2)
        return np.asarray(worth[:, 0] - worth[:, 1])

    return difference


def verdict(worth: Interval) -> str:
    """What an interval of a difference says."""
    return "cannot be told" if not worth.is_off_zero else ("yes" if worth.low > 0 else "behind")


def table_weights(strategies: Strategies, numbers: Numbers, where: str) -> Table:
    """How far each rule is from holding everything equally, and from never changing its mind."""
    columns = ("strategy", "effective number", "distance from 1/N", "at 1/N", "movement", "collapsed")
    rows: list[tuple[Cell, ...]] = []
    for name, walked in strategies.items():
        distances, moved = distance_from_equal(walked.weights), movement(walked.weights)
        apart, equal = float(distances.mean()), float((distances < COLLAPSED).mean())
        said = "to 1/N" if apart < COLLAPSED else "to constant weights" if moved < COLLAPSED else "no"
        rows.append(
            (name, float(effective_number(walked.weights).mean()), round(apart, DIGITS), equal, round(moved, DIGITS), said)
        )
    count, assets = next(iter(strategies.values())).weights.shape
    note = (
        f"Means over {count} decisions. Effective number: exp of the entropy of the weights, {assets} where they are equal."
        " Distance: what would have to be traded one way to hold everything equally. At 1/N: the share of decisions"
        f" where that is below {COLLAPSED:g}: a network that no step made better on later rows. Movement: the distance"
        f" to the rule's own mean. Collapsed: a mean distance below {COLLAPSED:g}."
    )
    return Table(f"Weights: {where}", columns, tuple(rows), note)


def table_seeds(strategies: Strategies, numbers: Numbers, where: str) -> Table:
    """How much of a result is the seed's."""
    columns = ("price of CVaR", "seeds", "Sharpe, least", "Sharpe, most", "distance between seeds")
    rows: list[tuple[Cell, ...]] = []
    for price in numbers.prices:
        found = [strategies[deep_name(price, seed)] for seed in numbers.seeds]
        ratios = [float(sharpe(walked.daily)) for walked in found]
        pairs = [(a, b) for place, a in enumerate(found) for b in found[place + 1 :]]
        apart = [float(0.5 * np.abs(a.weights - b.weights).sum(axis=1).mean()) for a, b in pairs]
        rows.append((f"{price:g}", len(found), min(ratios), max(ratios), float(np.mean(apart)) if apart else None))
    note = "Distance: mean one-way trade that would turn one seed's weights into another's. The other tables show the first seed."
    return Table(f"Seeds: {where}", columns, tuple(rows), note)


def table_risk(strategies: Strategies, numbers: Numbers, where: str) -> Table:
    """VaR and CVaR as they were told at each decision, and what came of them: the paper's figure 4 in numbers."""
    columns = ("strategy", "mean VaR", "mean CVaR", "periods", "beyond VaR", "mean loss beyond")
    rows: list[tuple[Cell, ...]] = []
    for name in main_names(strategies, numbers):
        walked = strategies[name]
        losses = -periods(walked.daily, numbers.horizon)
        beyond = losses > walked.var[: len(losses)]
        mean = float(losses[beyond].mean()) if beyond.any() else None
        rows.append((name, float(walked.var.mean()), float(walked.cvar.mean()), len(losses), int(beyond.sum()), mean))
    count = len(periods(next(iter(strategies.values())).daily, numbers.horizon))
    low, high = band(count, numbers.level)
    note = (
        f"Over {numbers.horizon} sessions at {numbers.level:g}, from the newest {numbers.history} sessions as they were; of"
        f" weights chosen on these very scenarios, but for 1/N and the networks."
        f" {round(low * count)} to {round(high * count)} periods"
        " beyond VaR are within luck."
    )
    return Table(f"Figure 4 in numbers: {where}", columns, tuple(rows), note)


def by_condition(strategies: Strategies, names: Sequence[str], places: NDArray[np.intp], horizon: int) -> Floats:
    """Annualised Sharpe ratio (names, CONDITIONS) of the sessions whose decision was made in each; NaN where there are none."""
    of_day = np.repeat(places, horizon)
    parts = [
        [strategies[name].daily[of_day[: len(strategies[name].daily)] == c] for c in range(len(CONDITIONS))] for name in names
    ]
    return np.array([[float(sharpe(part)) if len(part) >= FEWEST * horizon else np.nan for part in row] for row in parts])


def table_conditions(ratios: Floats, names: Sequence[str], places: NDArray[np.intp], where: str) -> Table:
    """The paper's figure 5 in numbers."""
    counts = [int((places == c).sum()) for c in range(len(CONDITIONS))]
    rows: list[tuple[Cell, ...]] = [("decisions", *counts)]
    rows += [(name, *map(cell_or_none, row)) for name, row in zip(names, ratios.tolist(), strict=True)]
    note = (
        "Annualised Sharpe ratios. A decision's market is told by what was known before it: volatile where the last 21 sessions'"
        " standard deviation is above four fifths of its past, else bull or bear by the last 252 sessions' return."
        " A dash: too few decisions."
    )
    return Table(f"Figure 5 in numbers: {where}", ("strategy", *CONDITIONS), tuple(rows), note)
