"""What the paper's table does not show of its generators: whether they learnt anything, how fast they draw, how they spread."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.scenarios.t_copula import fit_t_copula
from riskd_models.papers.copula.diffusion import diffusion
from riskd_models.papers.copula.judged import reading
from riskd_models.papers.copula.margins import margins_of
from riskd_models.papers.copula.task import Task, walked
from riskd_models.papers.copula.vae import ACTIVE, train_vae
from riskd_models.papers.finding import Cell, Table, cell_or_none
from riskd_models.papers.work import kept
from riskd_models.pool import Panel
from riskd_models.study.joint import Combined

DRAWS = 10_000
EVERY = 4  # rows between two that a seed is judged on


def tail_dependence(scores: Floats, share: float = 0.05) -> float:
    """Mean over pairs of the chance that both are among their lowest ``share``, given that one is; ``scores`` (rows, assets)."""
    low = (scores.argsort(axis=0).argsort(axis=0) < share * len(scores)).astype(np.float64)
    both = low.T @ low / low.sum(axis=0)
    return float(both[np.triu_indices(len(both), 1)].mean())


def copulas_seen(task: Task, panel: Panel) -> dict[str, Any]:
    """The autoencoder and the t-copula on the GRU's scores before the first forecast: dependence of draws beside the data's."""
    run = margins_of("gru", task, panel)
    pool = run.pool(task.rows.start)
    found = train_vae(pool, task.numbers.autoencoder_steps, task.numbers.seed, task.device)
    later = run.scores[len(pool) :]
    rows = {"scores before": pool, "scores after": later}
    for name, copula in (("autoencoder", found), ("t-copula", fit_t_copula(pool))):
        rows[name] = copula.draw(np.random.default_rng(task.numbers.seed), DRAWS)
    return {
        "tails": {name: tail_dependence(scores) for name, scores in rows.items()},
        "correlations": {name: mean_correlation(scores) for name, scores in rows.items()},
        "divergences": found.divergences.tolist(),
    }


def mean_correlation(scores: Floats) -> float:
    """Of all pairs, by ranks."""
    ranks = scores.argsort(axis=0).argsort(axis=0)
    correlation = np.asarray(np.corrcoef(ranks, rowvar=False))
    return float(correlation[np.triu_indices(scores.shape[1], 1)].mean())


def table_copulas(seen: dict[str, Any]) -> Table:
    """What the autoencoder's draws keep of the dependence."""
    rows: list[tuple[Cell, ...]] = [(name, seen["correlations"][name], tail) for name, tail in seen["tails"].items()]
    each = ", ".join(f"{nats:.2f}" for nats in sorted(seen["divergences"], reverse=True))
    active = sum(nats > ACTIVE for nats in seen["divergences"])
    note = (
        f"Means over pairs: rank correlation, and the chance that one is among its lowest 5 % given that the other is. The"
        f" autoencoder's latents carry {each} nats: {active} of {len(seen['divergences'])} are active (above {ACTIVE:g})."
    )
    return Table("Copulas: what draws keep of the dependence", ("of", "rank correlation", "tail dependence"), tuple(rows), note)


def seeds_seen(task: Task, folder: Path) -> list[list[float | None]]:
    """The diffusion trained with several seeds, judged on every EVERY-th row, and the seconds of DRAWS draws; kept one by one."""
    rows = []
    for place in range(task.numbers.seeds):
        seed = task.numbers.seed + place
        rows.append(kept(folder, f"diffusion-seed-{seed}", lambda seed=seed: seed_seen(task, seed)))  # type: ignore[misc]
        task.told("diffusion: several seeds", (place + 1) / task.numbers.seeds)
    return rows


def seed_seen(task: Task, seed: int) -> list[float | None]:
    """First and least loss on later sessions, coverage at 0.95, mean CVaR at 0.95, FZ0 at 0.95, seconds of DRAWS draws."""
    model = diffusion(task, seed)
    every = replace(task, block=replace(task.block, rows=task.rows[::EVERY]))
    losses = -task.realised[list(every.rows), 0]
    read = reading(walked(f"seed {seed}", Combined(model, task.weights), every))
    var, cvar = read.at(0.95)
    scores = read.fz0(losses, 0.95)
    many = replace(model, noise=model.noise.repeat(1, -(-DRAWS // model.noise.shape[1]), 1)[:, :DRAWS])
    begun = time.perf_counter()
    many.sample(task.rows.start)
    spent = time.perf_counter() - begun
    fz = float("nan") if scores is None else float(scores.mean())
    figures = (model.curve.later[0], min(model.curve.later), (losses <= var).mean(), cvar.mean(), fz, spent)
    return [cell_or_none(figure) for figure in figures]


def table_seeds(rows: Sequence[Sequence[float | None]], first: int) -> Table:
    """The spread over seeds, which is what the paper calls training instability."""
    columns = ("seed", "first later loss", "least later loss", "coverage 0.95", "mean CVaR 0.95", "FZ0 0.95", "seconds")
    cells: list[tuple[Cell, ...]] = [(str(first + place), *row) for place, row in enumerate(rows)]
    spread = np.ptp(np.array(rows, dtype=np.float64), axis=0)  # NaN where a seed has no figure
    cells.append(("spread (max - min)", *map(cell_or_none, spread.tolist())))
    note = f"Every {EVERY}th session. Later loss: of v, on sessions that only choose. Seconds: {DRAWS:,} draws of one session."
    return Table("Diffusion: the spread over seeds", columns, tuple(cells), note)
