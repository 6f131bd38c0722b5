"""The figures of the study of highs and lows, as the tables of models/STUDY.md print them."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.validation.compare import diebold_mariano
from riskd.core.validation.coverage import kupiec
from riskd.errors import ConfigError
from riskd_models.recipe import Recipe
from riskd_models.study.bars import BARRED
from riskd_models.study.books import DATA, load_book
from riskd_models.study.kept import Arrays
from riskd_models.study.laboratory import study_of
from riskd_models.study.quantified import LEVELS
from riskd_models.study.range_paths import HORIZONS, STRIDE, RangePaths, horizon_compared, horizon_losses
from riskd_models.study.ranges import JUDGED, RangeStudy, losses_of

RIVALS = (
    ("shared-ranges", "shared-closes"),
    ("shared-ranges", "shared-portfolios"),
    ("shared-ranges", "licensed"),
    ("licensed-ranges", "licensed"),
    ("indices-ranges", "indices-closes"),
    ("indices-ranges", "licensed"),
)
TAILS = (0.95, 0.99)
SIMULATED = ("shared-ranges", "shared-closes")


def range_study(name: str, plain: Recipe, recipe: Recipe, out: Path, data: Path | None) -> RangeStudy:
    """The study of one book in ``out``, beside its plain study of ``plain``; raises ConfigError for a book without bars."""
    if name not in BARRED:
        raise ConfigError(f"{name}: no bars of this book are known; name one of {', '.join(BARRED)}")
    if recipe.scale.ranges is None:
        raise ConfigError(f"{recipe.name}: a recipe without scale.ranges; give --recipe one with them")
    book = load_book(name, plain.pool.warm_up, data or DATA)
    return RangeStudy(study_of(book, plain, out), recipe, data or DATA)


def told(study: RangeStudy) -> Iterator[str]:
    """Every line of the three tables, each when it is known."""
    judged = study.judged()
    yield from daily(study, judged)
    yield from against(study, judged)
    yield from ahead(study)


def daily(study: RangeStudy, judged: Mapping[str, Arrays]) -> Iterator[str]:
    """One session ahead: mean FZ0 and t against GJR-FHS at three levels, CRPS, and what was beyond VaR."""
    realised = -study.study.book.simple[study.study.book.first :]
    yield "| forecast | FZ0 5 / 2.5 / 1 % | t against gjr-fhs | beyond 5 / 1 % |\n|---|---|---|---|"
    for name, read in judged.items():
        means = " / ".join(f"{losses_of(study, read, level).mean():.4f}" for level in JUDGED)
        shares = [
            100 * (realised > np.asarray(read["var"], dtype=np.float64)[:, :, LEVELS.index(level)]).mean() for level in TAILS
        ]
        yield f"| {name} | {means} | {triple(study, judged, name, 'gjr-fhs')} | {shares[0]:.2f} / {shares[1]:.2f} |"


def against(study: RangeStudy, judged: Mapping[str, Arrays]) -> Iterator[str]:
    """Pairs that differ in their inputs alone, by themselves and averaged with GJR-FHS."""
    yield "| pair | alone | CRPS | averaged | CRPS |\n|---|---|---|---|---|"
    for one, other in RIVALS:
        cells = []
        for end in ("", "+gjr"):
            ours, theirs = (np.asarray(judged[name + end]["crps"], dtype=np.float64).mean(axis=1) for name in (one, other))
            cells += [triple(study, judged, one + end, other + end), f"{diebold_mariano(ours - theirs).t:+.2f}"]
        yield f"| {one} : {other} | {' | '.join(cells)} |"


def triple(study: RangeStudy, judged: Mapping[str, Arrays], one: str, other: str) -> str:
    """t at 5 % and, in brackets, at 2.5 and 1 %."""

    def loss(name: str) -> Callable[[float], Floats]:
        return lambda level: losses_of(study, judged[name], level).mean(axis=1)

    if one == other:
        return "-"
    t = [diebold_mariano(loss(one)(level) - loss(other)(level)).t for level in JUDGED]
    return f"{t[0]:+.2f} ({t[1]:+.2f}, {t[2]:+.2f})"


def ahead(study: RangeStudy) -> Iterator[str]:
    """Several sessions ahead: both families simulated with what they see carried along every path."""
    paths = {name: RangePaths(study, name) for name in SIMULATED}
    walked = {name: one.walked() for name, one in paths.items()}
    days, (one, other) = paths[SIMULATED[0]].days, SIMULATED
    yield f"| sessions | t of {one} : {other} | CRPS | beyond 5 / 1 % | {other} | Kupiec 5 / 1 % | {other} |"
    yield "|---|---|---|---|---|---|---|"
    for h in HORIZONS:
        scored = {(name, a): horizon_losses(study, days, read, h, a) for name, read in walked.items() for a in JUDGED}
        t = [horizon_compared({name: scored[name, a][0] for name in SIMULATED}, one, other, h).t for a in JUDGED]
        crps = horizon_compared({name: np.asarray(read[f"{h}/crps"]) for name, read in walked.items()}, one, other, h).t
        cells = [f"{t[0]:+.2f} ({t[1]:+.2f}, {t[2]:+.2f})", f"{crps:+.2f}"]
        beyond = {name: [scored[name, a][1] for a in (0.95, 0.99)] for name in SIMULATED}
        cells += [" / ".join(f"{100 * hits.mean():.2f}" for hits in beyond[name]) for name in SIMULATED]
        cells += [
            " / ".join(f"{passed(hits, h, a):.0f}" for hits, a in zip(beyond[n], (0.95, 0.99), strict=True)) for n in SIMULATED
        ]
        yield f"| {h} | {' | '.join(cells)} |"


def passed(hits: Floats, horizon: int, level: float) -> float:
    """Percent of assets with p > 0.05 by Kupiec; ``hits`` (origins, assets), of which only horizons apart count."""
    apart = hits[:: -(-horizon // STRIDE)]
    return 100 * float(np.mean([kupiec(column, np.full(len(column), 0.5), level).p > 0.05 for column in apart.T]))
