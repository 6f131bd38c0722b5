"""The past as riskd would have told it: the daemon's own fold over a stretch of sessions, judged by the laboratory."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from riskd import __version__
from riskd.app.kit import hand_clock, load_forecaster, market_of, rules_of
from riskd.app.piece import Piece, folded, joined, keep, kept
from riskd.core.arrays import Floats
from riskd.core.canonical import digest, plain
from riskd.core.crowd import crowd
from riskd.core.portfolio import Portfolio
from riskd.errors import ConfigError, RiskdError
from riskd.lab.track import Laboratory, Quantified, Track
from riskd.settings import Settings

LEVELS = (0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.975, 0.99, 0.995)
CHUNK = 125  # sessions that are folded after a warm-up of their own
CHAMPION, BASELINE = "riskd", "gjr-fhs"
Progress = Callable[[int, int], None]
Sessions = tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Sessions from ``first`` to ``last``, ``horizons`` in sessions, ``count`` random portfolios in each random group."""

    first: date
    last: date
    groups: tuple[str, ...]
    horizons: tuple[int, ...] = (1,)
    count: int = 8
    seed: int = 0
    in_sample: bool = False


def backtest(
    settings: Settings, wanted: Wanted, folder: Path, jobs: int = 1, progress: Progress = lambda done, all: None
) -> Laboratory:
    """What the laboratory judges. Pieces that are done are kept in ``folder`` and not folded again; ``jobs`` processes.

    Raises ConfigError where the model learnt from sessions it would be judged on, RiskdError where there is no session.
    """
    settings = _settings(settings, wanted)
    sessions = market_of(settings, hand_clock(wanted.first)).calendar.sessions(wanted.first, wanted.last)
    if not sessions:
        raise RiskdError(f"there is no session from {wanted.first} to {wanted.last}")
    people, key = _crowd(settings, wanted), _key(settings, wanted)
    chunks = {folder / "pieces" / f"{key}-{sessions[i]}.npz": sessions[i : i + CHUNK] for i in range(0, len(sessions), CHUNK)}
    missing = {path: chunk for path, chunk in chunks.items() if not path.exists()}
    done = len(sessions) - sum(map(len, missing.values()))
    progress(done, len(sessions))
    for path in _each(settings, tuple(p for _, p in people), missing, jobs):
        done += len(chunks[path])
        progress(done, len(sessions))
    whole = joined([kept(path) for path in chunks])
    tracks = [track for i in range(len(people)) for track in _tracks(settings, whole, i, *people[i])]
    title = f"riskd, {whole.sessions[0]} to {whole.sessions[-1]}"
    provenance = {"model": load_forecaster(settings).identity, "scenarios": settings.scenarios.model, "version": __version__}
    return Laboratory(title, LEVELS, tuple(tracks), CHAMPION, BASELINE, None, provenance | {"pieces": key})


def stretch(settings: Settings, first: date | None, last: date | None) -> tuple[date, date]:
    """From ``first`` to ``last``; what is None is the replay's own, but no session the model learnt from and none it warms up on.

    Raises ConfigError where that is not known.
    """
    plan = settings.replay
    if last is None and plan is not None:
        last = plan.last
    if first is None and plan is not None:
        forecaster = load_forecaster(settings)
        warm = rules_of(settings, forecaster).warm_up + 1
        known = market_of(settings, hand_clock(plan.last)).calendar.sessions(settings.service.history_from, plan.last)
        ready = max(plan.first, known[warm] if len(known) > warm else plan.last)
        first = max(ready, forecaster.learnt_until + timedelta(days=1))
    if first is None or last is None or first > last:
        raise ConfigError("give --from and --to: the model learnt from all these prices, they are few, or no feed is a replay")
    return first, last


def _settings(settings: Settings, wanted: Wanted) -> Settings:
    """At the laboratory's levels and the wanted horizons; the baseline is always there."""
    spec = settings.scenarios
    rivals = spec.challengers if BASELINE in spec.challengers else (BASELINE, *spec.challengers)
    update = {"levels": LEVELS, "horizons": wanted.horizons, "challengers": rivals}
    return settings.model_copy(update={"scenarios": spec.model_copy(update=update)})


def _crowd(settings: Settings, wanted: Wanted) -> tuple[tuple[str, Portfolio], ...]:
    forecaster = load_forecaster(settings)
    if wanted.first <= forecaster.learnt_until and not wanted.in_sample:
        raise ConfigError(
            f"model.artefact: {settings.model.artefact} learnt from prices until {forecaster.learnt_until}, and nothing before "
            "is out of sample: start later, take a model that learnt less, as models/artefacts/lstm-jsu-2014, or say --in-sample"
        )
    rules = rules_of(settings, forecaster)
    return crowd(rules.portfolios, rules.symbols, wanted.groups, wanted.count, wanted.seed)


def _key(settings: Settings, wanted: Wanted) -> str:
    """Another configuration, model, version or crowd makes other pieces."""
    return digest([__version__, settings.model_dump(mode="json"), load_forecaster(settings).identity, plain(wanted)])


def _each(settings: Settings, portfolios: tuple[Portfolio, ...], missing: dict[Path, Sessions], jobs: int) -> Iterator[Path]:
    """Every missing piece's path when it is kept."""
    if jobs == 1 or len(missing) < 2:
        for path, chunk in missing.items():
            yield _one(settings, portfolios, chunk, path)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:  # a fork would share ONNX Runtime's threads
        running = [pool.submit(_one, settings, portfolios, chunk, path) for path, chunk in missing.items()]
        for done in as_completed(running):
            yield done.result()


def _one(settings: Settings, portfolios: tuple[Portfolio, ...], chunk: Sessions, path: Path) -> Path:
    keep(folded(settings, portfolios, chunk), path)
    return path


def _tracks(settings: Settings, whole: Piece, place: int, group: str, portfolio: Portfolio) -> list[Track]:
    """One portfolio's losses over every horizon beside what was said before they began."""
    spec = settings.scenarios.rules()
    loss, pit, crps = whole.outturns[:, place].T
    found = []
    for h, horizon in enumerate(spec.horizons):
        said = whole.figures[:-horizon, place, h]  # (T - horizon, models, levels, 2)
        forecasts = {name: Quantified(said[:, i, :, 0], said[:, i, :, 1]) for i, name in enumerate((CHAMPION, *spec.challengers))}
        if horizon == 1 and not np.isnan(pit[1:]).all():
            forecasts[CHAMPION] = Quantified(said[:, 0, :, 0], said[:, 0, :, 1], pit[1:], crps[1:])
        found.append(Track(portfolio.name, group, horizon, whole.sessions[horizon:], summed(loss, horizon), forecasts))
    return found


def summed(loss: Floats, horizon: int) -> Floats:
    """Losses over ``horizon`` sessions (T - horizon,) of a portfolio held at constant weights: 1 - prod (1 - L)."""
    total = np.concatenate([[0.0], np.cumsum(np.log1p(-loss[1:]))])
    return np.asarray(-np.expm1(total[horizon:] - total[:-horizon]))
