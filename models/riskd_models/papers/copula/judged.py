"""The paper's table from readings of the same sessions: its own three figures beside what they are worth, and proper scores."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.validation.compare import DieboldMariano, diebold_mariano
from riskd.core.validation.coverage import band, christoffersen, dynamic_quantile, exceedances
from riskd.core.validation.scores import fz0, pinball
from riskd.core.validation.uniformity import cvar_accuracy, divergence, kolmogorov_smirnov
from riskd_models.papers.copula.rivals import BASELINE, RIVALS
from riskd_models.papers.finding import Cell, Table, cell_or_none
from riskd_models.papers.work import Arrays
from riskd_models.study.quantified import LEVELS

THEIRS: Mapping[str, tuple[float, float, float]] = {
    "LSTM-Copula": (0.962, 0.948, 0.0012),
    "TCN-Copula": (0.947, 0.931, 0.0017),
    "Transformer-VaR": (0.925, 0.902, 0.025),
    "GRU + VAE-Copula": (0.954, 0.937, 0.0015),
    "Diffusion-RiskNet": (0.918, 0.895, 0.0031),
}  # VaR coverage, CVaR accuracy, KLD
JUDGED = (0.95, 0.975, 0.99)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One forecast of one portfolio: var and cvar (sessions, levels), pit and crps (sessions,)."""

    var: Floats
    cvar: Floats
    pit: Floats
    crps: Floats

    def at(self, level: float) -> tuple[Floats, Floats]:
        """VaR and CVaR (sessions,) at one of LEVELS."""
        place = LEVELS.index(level)
        return np.ascontiguousarray(self.var[:, place]), np.ascontiguousarray(self.cvar[:, place])

    def fz0(self, losses: Floats, level: float) -> Floats | None:
        """Scores (sessions,), or None where a CVaR is not above 0."""
        var, cvar = self.at(level)
        return fz0(losses, var, cvar, level) if (cvar > 0).all() else None


def reading(arrays: Arrays, portfolio: int = 0) -> Reading:
    """One portfolio of what :func:`riskd_models.papers.copula.task.walked` gave."""
    return Reading(*(np.asarray(arrays[key][:, portfolio], dtype=np.float64) for key in ("var", "cvar", "pit", "crps")))


def against(ours: Floats | None, baseline: Floats | None) -> DieboldMariano | None:
    """Whether scores differ; None where either is missing or they are one forecast."""
    if ours is None or baseline is None or np.array_equal(ours, baseline):
        return None
    return diebold_mariano(ours - baseline)


def t_of(found: DieboldMariano | None) -> float | None:
    return None if found is None else cell_or_none(found.t)


def table_1(readings: Mapping[str, Reading], losses: Floats, title: str) -> Table:
    """The paper's figures, theirs and ours: coverage at 0.95, CVaR accuracy and KLD, each with what luck alone allows."""
    columns: tuple[str, ...] = ("model", "coverage, theirs", "coverage")
    columns += ("CVaR accuracy, theirs", "CVaR accuracy", "accuracy, from", "accuracy, to", "KLD, theirs", "KLD", "KLD p")
    rows = []
    floor = divergence(np.linspace(0, 1, len(losses)))
    for name, read in readings.items():
        var, cvar = read.at(0.95)
        theirs: tuple[Cell, ...] = THEIRS.get(RIVALS[name].theirs or "", (None,) * 3) if name in RIVALS else (None,) * 3
        accuracy, found = cvar_accuracy(losses, var, cvar), divergence(read.pit)
        ours = (1 - exceedances(losses, var).mean(), *(cell_or_none(a) for a in (accuracy.value, accuracy.low, accuracy.high)))
        kld = (theirs[2], found.value, found.p)
        rows.append((name, theirs[0], float(ours[0] or 0.0), theirs[1], *ours[1:], *kld))
    low, high = band(len(losses), 0.95)
    note = (
        f"{len(losses)} sessions, fractions. Coverage: the share of losses up to VaR at 0.95, a level that the paper does not"
        f" give; {1 - high:.3f} to {1 - low:.3f} is within luck. CVaR accuracy, which it does not define: 1 - |mean loss - mean"
        f" CVaR| / mean loss on the sessions beyond VaR, with a 95 % bootstrap interval. KLD: of the PIT in {floor.bins} bins;"
        f" a perfect forecast shows {floor.floor:.4f} on average and more than {floor.high:.4f} once in twenty."
    )
    return Table(title, columns, tuple(rows), note)


def table_scores(readings: Mapping[str, Reading], losses: Floats, title: str) -> Table:
    """Proper scores, and Diebold and Mariano's t of their difference from the baseline's; below zero is better."""
    columns: tuple[str, ...] = ("model", "FZ0", "FZ0 t", "FZ0 0.99 t", "pinball t", "CRPS t")
    columns += tuple(f"beyond {level:g}" for level in JUDGED) + ("CC p", "DQ p", "KS p", "worse than baseline")
    base = readings[BASELINE]
    rows: list[tuple[Cell, ...]] = []
    for name, read in readings.items():
        var, _ = read.at(0.95)
        scores, deep = read.fz0(losses, 0.95), read.fz0(losses, 0.99)
        fz = against(scores, base.fz0(losses, 0.95))
        tests = [against(deep, base.fz0(losses, 0.99))]
        tests += [against(pinball(losses, var, 0.95), pinball(losses, base.at(0.95)[0], 0.95)), against(read.crps, base.crps)]
        beyond = [int(exceedances(losses, read.at(level)[0]).sum()) for level in JUDGED]
        p_values = [christoffersen(losses, var, 0.95)[1].p, dynamic_quantile(losses, var, 0.95).p]
        p_values.append(kolmogorov_smirnov(read.pit).p)
        mean = None if scores is None else float(scores.mean())
        worse = "yes" if scores is None or (fz is not None and fz.t > 0 and fz.p < 0.05) else "no"
        rows.append((name, mean, t_of(fz), *map(t_of, tests), *beyond, *map(p_of, p_values), worse))
    bands = ", ".join(f"{round(a * len(losses))} to {round(b * len(losses))}" for a, b in (band(len(losses), v) for v in JUDGED))
    note = (
        f"FZ0 at 0.95, lower is better; t of Diebold and Mariano with Newey and West's variance against {BASELINE}, below zero is"
        f" ahead of it. Losses beyond VaR within luck: {bands}. CC, DQ: p of conditional coverage and dynamic quantiles at 0.95."
        " Worse: FZ0 at 0.95 behind the baseline at 5 %, or a CVaR that is no loss."
    )
    return Table(title, columns, tuple(rows), note)


def p_of(p: float | None) -> float | None:
    return None if p is None or math.isnan(p) else p


def table_levels(readings: Mapping[str, Reading], losses: Floats, title: str) -> Table:
    """The paper's figure 3 as numbers: the share of losses up to VaR at each of LEVELS, and the band of luck."""
    shares = {name: coverages(read, losses) for name, read in readings.items()}
    bands = [band(len(losses), level) for level in LEVELS]
    rows: list[tuple[Cell, ...]] = [
        ("band, low", *(1 - high for _, high in bands)),
        ("band, high", *(1 - low for low, _ in bands)),
    ]
    rows += [(name, *(float(share) for share in shares[name])) for name in shares]
    return Table(title, ("model", *(f"{level:g}" for level in LEVELS)), tuple(rows), "Exact binomial bands of 95 %, two-sided.")


def coverages(read: Reading, losses: Floats) -> Floats:
    """Shares of losses up to VaR (levels,)."""
    return np.asarray((losses[:, None] <= read.var).mean(axis=0))


def worse_ones(table: Table) -> Sequence[str]:
    """The models of :func:`table_scores` that are behind their simplest rival."""
    return [name for name, said in table.column("worse than baseline").items() if said == "yes" and name in RIVALS]
