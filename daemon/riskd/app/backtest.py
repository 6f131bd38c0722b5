"""The past as riskd would have told it: the daemon's own fold over a stretch of sessions, judged by the laboratory."""

import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from riskd import __version__
from riskd.app.kit import hand_clock, load_forecaster, market_of, rules_of
from riskd.app.piece import CHAMPION, Piece, folded, joined, keep, kept
from riskd.app.stretch import demand_unseen, learnt_until
from riskd.core.arrays import Floats
from riskd.core.canonical import digest
from riskd.core.crowd import crowd
from riskd.core.portfolio import Portfolio
from riskd.core.rules import Rules
from riskd.errors import ConfigError, RiskdError
from riskd.lab.track import Laboratory, Quantified, Track
from riskd.runtime.clock import SystemClock
from riskd.settings import FilesFeed, Settings

LEVELS = (0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.975, 0.99, 0.995)
CHUNK = 250  # sessions that are folded after a warm-up of their own
BASELINE = "gjr-fhs"
Progress = Callable[[int, int], None]
Taken = Callable[[int], None]  # hears of so many sessions more
Sessions = tuple[date, ...]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Sessions from ``first`` to ``last``, ``horizons`` in sessions, ``count`` random portfolios in each random group.

    A piece of ``chunk`` sessions is folded by itself, after a warm-up on what was known before it.
    """

    first: date
    last: date
    groups: tuple[str, ...]
    horizons: tuple[int, ...] = (1,)
    count: int = 8
    seed: int = 0
    in_sample: bool = False
    chunk: int = CHUNK


def backtest(
    settings: Settings, wanted: Wanted, folder: Path, jobs: int = 1, progress: Progress = lambda done, all: None
) -> Laboratory:
    """What the laboratory judges. Pieces that are done are kept in ``folder`` and not folded again; ``jobs`` processes.

    Every figure is the daemon's to the last bit, wherever a piece begins and whatever portfolios stand beside the given ones,
    with one exception: one session ahead alone, what is drawn at random (``garch-t-copula``, and scenario models that are
    copulas) has other random numbers than beside the configured longer horizons. Raises ConfigError where a model learnt
    from sessions it would be judged on, RiskdError where there is no session.
    """
    settings = _settings(settings, wanted)
    rules = rules_of(settings, load_forecaster(settings))
    if not wanted.in_sample:
        demand_unseen(settings, rules, wanted.first)
    sessions = market_of(settings, hand_clock(wanted.first)).calendar.sessions(wanted.first, wanted.last)
    if len(sessions) <= max(wanted.horizons):
        raise RiskdError(
            f"{len(sessions)} sessions from {wanted.first} to {wanted.last} show no outcome of a forecast over "
            f"{max(wanted.horizons)}: give an earlier --from or a later --to"
        )
    people = crowd(rules.portfolios, rules.symbols, wanted.groups, wanted.count, wanted.seed)
    rules = replace(rules, portfolios=tuple(portfolio for _, portfolio in people))
    key = piece_key(settings, rules)
    parts = [sessions[i : i + wanted.chunk] for i in range(0, len(sessions), wanted.chunk)]
    chunks = {folder / "pieces" / f"{key}-{part[0]}-{part[-1]}.npz": part for part in parts}
    _fold(settings, rules.portfolios, chunks, jobs, progress)
    whole = joined([kept(path) for path in chunks])
    tracks = [track for i in range(len(people)) for track in _tracks(settings, wanted, whole, i, *people[i])]
    said = _provenance(settings, rules, wanted) | {"pieces": key}
    title = f"riskd, {whole.sessions[0]} to {whole.sessions[-1]}{', in sample' if said['sample'].startswith('in ') else ''}"
    return Laboratory(title, LEVELS, tuple(tracks), CHAMPION, BASELINE, None, said)


def _settings(settings: Settings, wanted: Wanted) -> Settings:
    """At the laboratory's levels; the baseline is always there.

    Random numbers depend on all the horizons of a fold: the configured ones are kept where only some of them are wanted. One
    session alone draws none of the champion's, and is many times faster.
    """
    spec = settings.scenarios
    if any(rival.name == CHAMPION for rival in settings.rivals):
        raise ConfigError(f"rivals: {CHAMPION} is the champion's name in a backtest; give the rival another one")
    rivals = spec.challengers if BASELINE in spec.challengers else (BASELINE, *spec.challengers)
    kept_horizons = wanted.horizons != (1,) and set(wanted.horizons) <= set(spec.horizons)
    update = {"levels": LEVELS, "horizons": spec.horizons if kept_horizons else wanted.horizons, "challengers": rivals}
    model = settings.model.model_copy(update={"threads": 1})  # processes are more use; any number gives the same bytes
    return settings.model_copy(update={"scenarios": spec.model_copy(update=update), "model": model})


def _provenance(settings: Settings, rules: Rules, wanted: Wanted) -> dict[str, str]:
    learnt = learnt_until(rules)
    sample = "in" if wanted.first <= learnt else "out of"
    sources = (f.path.name if isinstance(f, FilesFeed) else f.type for f in settings.feeds)
    return {
        "model": rules.forecaster.identity,
        "sample": f"{sample} sample: models learnt from prices until {learnt}",
        "scenarios": rules.scenarios.model,
        "prices": ", ".join(sources),
        "rules": rules.identity,
        "version": __version__,
    }


def piece_key(settings: Settings, rules: Rules) -> str:
    """Names everything that a piece depends on but its sessions: rules, version, and which prices are read and how.

    A file counts by its content. What a service says may be another tomorrow: its pieces are good for a day.
    """
    service = settings.service.model_dump(mode="json", include={"calendar", "history_from", "settle_minutes"})
    read = settings.model_dump(mode="json", include={"feeds", "data", "listings", "rates"})
    contents = [sha256(path.read_bytes()).hexdigest() for feed in settings.feeds for path in _files(feed)]
    today = SystemClock().now().date() if settings.live else None
    return digest([rules.identity, __version__, service, read, contents, today])


def _files(feed: object) -> list[Path]:
    """The file of a feed, or every file in its folder; none where it is a service."""
    if not isinstance(feed, FilesFeed):
        return []
    return sorted(path for path in (feed.path, *feed.path.glob("*")) if path.is_file())


def _fold(
    settings: Settings, portfolios: tuple[Portfolio, ...], chunks: Mapping[Path, Sessions], jobs: int, progress: Progress
) -> None:
    """Make every piece that is not there; what is remarked of the prices is told once."""
    missing = {path: chunk for path, chunk in chunks.items() if not path.exists()}
    total = sum(map(len, chunks.values()))
    done, heard = total - sum(map(len, missing.values())), set[str]()

    def taken(sessions: int) -> None:
        nonlocal done
        done += sessions
        progress(done, total)

    taken(0)
    for remarks in _each(settings, portfolios, missing, jobs, taken):
        for kind, remark in remarks.items():
            if kind not in heard:
                log.warning("%s", remark)
        heard |= remarks.keys()


def _each(
    settings: Settings, portfolios: tuple[Portfolio, ...], missing: Mapping[Path, Sessions], jobs: int, taken: Taken
) -> Iterator[dict[str, str]]:
    """What was remarked while each missing piece was made."""
    if jobs == 1 or len(missing) < 2:
        for path, chunk in missing.items():
            yield _one(settings, portfolios, chunk, path, taken)
        return
    context = get_context("spawn")  # a fork would share ONNX Runtime's threads
    with context.Manager() as manager, ProcessPoolExecutor(min(jobs, len(missing)), mp_context=context) as pool:
        counts = manager.Queue()
        running = {pool.submit(_one, settings, portfolios, chunk, path, counts.put) for path, chunk in missing.items()}
        while running:
            finished, running = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            while not counts.empty():
                taken(counts.get())
            yield from (piece.result() for piece in finished)


class _Remarks(logging.Handler):
    """Warnings by kind: one of each is enough, whatever numbers are in it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        words = [a for a in record.args if isinstance(a, str)] if isinstance(record.args, tuple) else []
        self.found.setdefault(repr((record.msg, words)), record.getMessage())


def _one(settings: Settings, portfolios: tuple[Portfolio, ...], chunk: Sessions, path: Path, taken: Taken) -> dict[str, str]:
    """Fold and keep one piece; what the fold would have logged, by kind."""
    remarks, root = _Remarks(), logging.getLogger("riskd")
    propagated, root.propagate = root.propagate, False
    root.addHandler(remarks)
    try:
        keep(folded(settings, portfolios, chunk, taken), path)
    finally:
        root.removeHandler(remarks)
        root.propagate = propagated
    return remarks.found


def _tracks(settings: Settings, wanted: Wanted, whole: Piece, place: int, group: str, portfolio: Portfolio) -> list[Track]:
    """One portfolio's losses over every wanted horizon beside what was said before they began."""
    horizons = settings.scenarios.rules().horizons
    loss, pit, crps = whole.outturns[:, place].T
    found = []
    for horizon in wanted.horizons:
        said = whole.figures[:-horizon, place, horizons.index(horizon)]  # (T - horizon, models, levels, 2)
        forecasts = {name: Quantified(said[:, i, :, 0], said[:, i, :, 1]) for i, name in enumerate(whole.models)}
        if horizon == 1 and not np.isnan(pit[1:]).all():
            forecasts[CHAMPION] = replace(forecasts[CHAMPION], pit=pit[1:], crps=crps[1:])
        found.append(Track(portfolio.name, group, horizon, whole.sessions[horizon:], summed(loss[1:], horizon), forecasts))
    return found


def summed(loss: Floats, horizon: int) -> Floats:
    """Losses (T - horizon + 1,) over every ``horizon`` consecutive sessions of ``loss`` (T,), at constant weights.

    1 - prod (1 - L), NaN where one of them is not known.
    """
    if horizon == 1:
        return loss
    growth = np.lib.stride_tricks.sliding_window_view(np.log1p(-loss), horizon)
    return np.asarray(-np.expm1(growth.sum(axis=1)))
