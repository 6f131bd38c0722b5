"""How risk forecasts change with the number of assets: equal weights of many random subsets of one market."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.scenarios.model import Copula, ScenarioModel
from riskd.core.scenarios.pool_margins import on_pool_margins
from riskd.core.scenarios.t_copula import fit_t_copula
from riskd.core.validation.uniformity import cvar_accuracy, divergence
from riskd_models.papers.copula.diffusion import diffusion
from riskd_models.papers.copula.judged import reading
from riskd_models.papers.copula.margins import Quantiles, margins_of, quantiles_of
from riskd_models.papers.copula.market import Market
from riskd_models.papers.copula.rivals import BASELINE, gjr_fhs
from riskd_models.papers.copula.task import Task, walked
from riskd_models.papers.copula.vae import train_vae
from riskd_models.papers.finding import Table, cell_or_none
from riskd_models.papers.work import Arrays, kept
from riskd_models.study.joint import Combined
from riskd_models.study.single import Forecast
from riskd_models.study.systems import Run

COPULAS = ("lstm-copula", "tcn-copula", "gru-vae-copula")
COMPARED = (*COPULAS, "diffusion-risknet")
NETWORKS: Mapping[str, str] = {"lstm-copula": "seed-1", "tcn-copula": "tcn", "gru-vae-copula": "gru"}
PATHS = 2000
VAE_SHARE = 0.25  # of the steps of the autoencoder of ten assets
MEASURES = ("coverage", "CVaR accuracy", "KLD", "FZ0 against baseline")


@dataclass(frozen=True, slots=True, eq=False)
class Subsets:
    """Columns of a market, drawn without order; ``counts`` of assets with as many subsets each."""

    columns: tuple[tuple[int, ...], ...]

    def weights(self, assets: int) -> Floats:
        """Equal weights (subsets, assets) of each."""
        found = np.zeros((len(self.columns), assets))
        for row, chosen in zip(found, self.columns, strict=True):
            row[list(chosen)] = 1 / len(chosen)
        return found

    def of_size(self, count: int) -> list[int]:
        """The places of the subsets of ``count`` assets."""
        return [place for place, chosen in enumerate(self.columns) if len(chosen) == count]


def random_subsets(assets: int, counts: Sequence[int], each: int, seed: int) -> Subsets:
    """``each`` different subsets of every count; raises ValueError where there are not as many."""
    random, found = np.random.default_rng(seed), []
    for count in counts:
        some: set[tuple[int, ...]] = set()
        for _ in range(100 * each):
            some.add(tuple(sorted(random.choice(assets, count, replace=False).tolist())))
            if len(some) == each:
                break
        if len(some) < each:
            raise ValueError(f"{assets} assets have too few subsets of {count}; ask for fewer or give more assets")
        found += sorted(some)
    return Subsets(tuple(found))


class SubsetCopulas:
    """Equal weights of every subset under one run's margins, each subset joined by a copula of its own, fitted once."""

    def __init__(self, run: Run, subsets: Subsets, scenarios: Sequence[ScenarioModel], first: int, seed: int) -> None:
        pool = run.pool(first)
        self.run, self.columns = run, [list(chosen) for chosen in subsets.columns]
        self.scores = [
            model(pool[:, chosen]).draw(np.random.default_rng(seed), 1, PATHS)[0]
            for model, chosen in zip(scenarios, self.columns, strict=True)
        ]
        self.assets = pool.shape[1]

    def ordered(self, day: int) -> Floats:
        """Simple returns (subsets, PATHS), rising."""
        table = quantiles_of(self.run.forecast(day), self.assets).returns
        books = [Quantiles(table[c]).at(g).mean(axis=1) for c, g in zip(self.columns, self.scores, strict=True)]
        return np.sort(np.array(books), axis=1)


def forecast_of(name: str, task: Task, market: Market, subsets: Subsets) -> Forecast:
    """One system's forecast of all subsets; margins and the diffusion know all assets, of which a subset is a part."""
    if name == BASELINE:
        return gjr_fhs(task, market.panel)
    if name not in COPULAS:
        return Combined(diffusion(task), task.weights)
    run = margins_of(NETWORKS[name], task, market.panel)
    fits = [on_pool_margins(fit_t_copula)] * len(subsets.columns)
    if name == "gru-vae-copula":
        fits = [on_pool_margins(fit_of_vae(task, place, len(subsets.columns))) for place in range(len(subsets.columns))]
    return SubsetCopulas(run, subsets, fits, task.rows.start, task.numbers.seed)


class fit_of_vae:
    """Trains an autoencoder for one subset."""

    def __init__(self, task: Task, place: int, count: int) -> None:
        self.task, self.place, self.count = task, place, count

    def __call__(self, scores: Floats) -> Copula:
        numbers = self.task.numbers
        found = train_vae(scores, round(VAE_SHARE * numbers.autoencoder_steps), numbers.seed, self.task.device)
        self.task.told("vae of every subset: training", (self.place + 1) / self.count)
        return found


def subset_readings(task: Task, market: Market, folder: Path) -> tuple[Subsets, dict[str, Arrays]]:
    """The subsets, and what is read off every system of COMPARED and the baseline for all of them; kept."""
    numbers = task.numbers
    subsets = random_subsets(len(task.symbols), numbers.counts, numbers.subsets, numbers.seed)
    asked = replace(task, weights=subsets.weights(len(task.symbols)))
    found = {}
    for name in (*COMPARED, BASELINE):

        def computed(name: str = name) -> Arrays:
            return walked(f"subsets, {name}", forecast_of(name, asked, market, subsets), asked)

        found[name] = kept(folder, f"subsets-{name}", computed)
    return subsets, found


def measured(found: Mapping[str, Arrays], losses: Floats) -> dict[str, Floats]:
    """MEASURES (subsets, measures) of each system of COMPARED; ``losses`` (sessions, subsets)."""
    base = [reading(found[BASELINE], place).fz0(column, 0.95) for place, column in enumerate(losses.T)]
    measures = {}
    for name in COMPARED:
        rows = []
        for place, column in enumerate(losses.T):
            read = reading(found[name], place)
            var, cvar = read.at(0.95)
            scores, beside = read.fz0(column, 0.95), base[place]
            ahead = np.nan if scores is None or beside is None else float((scores - beside).mean())
            rows.append(
                (float((column <= var).mean()), cvar_accuracy(column, var, cvar).value, divergence(read.pit).value, ahead)
            )
        measures[name] = np.array(rows)
    return measures


def summary(values: Floats) -> tuple[float, float, float]:
    """Mean, tenth and ninetieth per cent of what is there of ``values`` (subsets,); NaN where nothing is."""
    known = values[np.isfinite(values)]
    if not len(known):
        return (np.nan,) * 3
    low, high = np.quantile(known, [0.1, 0.9])
    return float(known.mean()), float(low), float(high)


def table_2(subsets: Subsets, measures: Mapping[str, Floats], counts: Sequence[int], note: str) -> Table:
    """The mean over subsets of each count, with the tenth and ninetieth per cent of them."""
    columns = ("system and assets", *(f"{m}{part}" for m in MEASURES for part in ("", ", 10 %", ", 90 %")))
    rows = []
    for name, values in measures.items():
        for count in counts:
            chosen = values[subsets.of_size(count)]
            cells = [cell_or_none(figure) for k in range(len(MEASURES)) for figure in summary(chosen[:, k])]
            rows.append((f"{name}, {count}", *cells))
    return Table("Figure 2: the number of assets", columns, tuple(rows), note)


def assets_lesson(subsets: Subsets, measures: Mapping[str, Floats], counts: Sequence[int]) -> str:
    """How far sizes differ in the LSTM-Copula's CVaR accuracy, beside how far subsets of one size do."""
    accuracy = measures[COPULAS[0]][:, MEASURES.index("CVaR accuracy")]
    found = {count: summary(accuracy[subsets.of_size(count)]) for count in counts}
    known = {count: three for count, three in found.items() if np.isfinite(three[0])}
    if not known:
        return f"{COPULAS[0]}: no subset has a loss beyond VaR, and so no CVaR accuracy."
    means = {count: mean for count, (mean, _, _) in known.items()}
    best, span = max(means, key=lambda count: means[count]), np.mean([high - low for _, low, high in known.values()])
    return (
        f"{COPULAS[0]}: CVaR accuracy is {means[best]:.3f} with {best} assets, its best; sizes differ by"
        f" {max(means.values()) - min(means.values()):.3f}, the middle 80 % of subsets of one size by {span:.3f}."
    )
