"""Judges the systems of two papers beside the daemon's forecasts: one session ahead, and held for twenty-one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from riskd.core.arrays import Floats
from riskd.lab.track import Laboratory, Track
from riskd_models.study.books import Book
from riskd_models.study.forecasts import BASELINE, CHAMPION, Study
from riskd_models.study.horizon_walk import FIELDS, fields_of, held, walk_horizons
from riskd_models.study.joint import Combined
from riskd_models.study.kept import Arrays, kept
from riskd_models.study.laboratory import claim, provenance, quantified
from riskd_models.study.quantified import LEVELS, read_off
from riskd_models.study.systems import SYSTEMS, Block, SystemSet, recipes_digest
from riskd_models.study.walk import place, read_rows, walked

BESIDE = (CHAMPION, BASELINE, "joint-anchored", "garch-t-copula", "historical")
DAILY = tuple(name for name in SYSTEMS if name != "seed-4-block")  # a block of one session is a session
HELD = tuple(name for name in SYSTEMS if name.startswith("seed-4"))
HORIZON = 21  # sessions that a portfolio is held, as in the second paper, and from one origin to the next: none overlap
HELD_PATHS = 256  # a window network reads its whole window again for every session of every path
BESIDE_HELD = (CHAMPION, BASELINE, "joint-anchored", "riskd-sqrt", "historical")
LEARNT = 0.8  # the share of the sessions before the first forecast, as in the papers
YEARS = 3  # from one training to the next, walking forward
SPANS: Mapping[str, tuple[date, date]] = {"M": (date(2013, 1, 1), date(2023, 12, 31))}  # the first paper's years
Plan = Literal["split", "forward", "months"]


def split(book: Book) -> tuple[Block, ...]:
    """One training on LEARNT of the sessions and at least on those before the book's first forecast; then the rest."""
    first, last = SPANS.get(book.name, (date.min, date.max))
    inside = [row for row, session in enumerate(book.sessions) if first <= session <= last]
    begin, stop = inside[0], inside[-1] + 1
    cut = max(book.first, begin + round(LEARNT * len(inside)))
    return (Block(range(begin, cut), range(cut, stop)),)


def forward(book: Book) -> tuple[Block, ...]:
    """Every tested session; trained again, on everything before, at every third turn of the year."""
    year = book.tested[0].year
    turns = range(year + YEARS, book.tested[-1].year + 1, YEARS)
    later = [next(row for row, session in enumerate(book.sessions) if session.year >= turn) for turn in turns]
    cuts = [book.first, *later, len(book.sessions)]
    return tuple(Block(range(cut), range(cut, end)) for cut, end in zip(cuts, cuts[1:], strict=False))


@dataclass(frozen=True, eq=False)
class Seeds:
    """One study's book, the blocks that each system is trained for, and where what is computed stays."""

    study: Study
    plan: Plan
    told: Callable[[str, int], None]

    @property
    def blocks(self) -> tuple[Block, ...]:
        return split(self.study.book) if self.plan == "split" else forward(self.study.book)

    @property
    def rows(self) -> range:
        """The forecast rows."""
        return range(self.blocks[0].rows.start, self.blocks[-1].rows.stop)

    @property
    def folder(self) -> Path:
        return self.study.folder / f"seeds-{self.plan}"

    def joint(self, name: str) -> SystemSet:
        """One system over all blocks; its networks are kept, and shared by the plans."""
        return SystemSet(self.study.book, self.blocks, SYSTEMS[name], self.study.folder / "systems")

    def beside(self, name: str) -> Arrays:
        """What is read off one of the study's own forecasts on the same rows."""
        study = self.study
        whole = kept(place(study, name), lambda: walked(study, name, self.told))
        first = self.rows.start - study.book.first
        return {key: value[first : first + len(self.rows)] for key, value in whole.items()}

    def daily(self, name: str) -> Arrays:
        """What is read off a system one session ahead."""

        def computed() -> Arrays:
            forecast = Combined(self.joint(name), self.study.portfolios.weights)
            return read_rows(self.study, forecast, self.rows, partial(self.told, name))

        return kept(self.folder / f"{name}.npz", computed)

    def held(self, name: str) -> Arrays:
        """What is read off a system HORIZON sessions ahead, on every HORIZON-th row."""
        return kept(self.folder / f"{name}.npz", lambda: self._held(name))

    @property
    def origins(self) -> list[int]:
        """The rows from which portfolios are held."""
        return list(range(self.rows.start, self.rows.stop - HORIZON + 1, HORIZON))

    def _held(self, name: str) -> Arrays:
        study, joint, found = self.study, self.joint(name), []
        for done, day in enumerate(self.origins):
            returns = joint.held(day, HORIZON, HELD_PATHS)
            ordered = np.sort(study.portfolios.weights @ returns.T, axis=1)
            found.append(read_off(ordered, held(study.book, study.portfolios.weights, day, HORIZON)))
            self.told(name, done + 1)
        return {field: np.array([getattr(read, field) for read in found]) for field in FIELDS}

    def beside_held(self) -> dict[str, Arrays]:
        """What is read off the study's own forecasts HORIZON sessions ahead, on the same rows."""
        walked = walk_horizons(self.study, HORIZON, self.told)
        return {name: fields_of(walked, name, HORIZON) for name in BESIDE_HELD}


def seeds_laboratory(seeds: Seeds) -> Laboratory:
    """What the laboratory judges: every system, beside the study's own forecasts of the same sessions.

    Raises ConfigError where the study's folder holds systems of other recipes.
    """
    study = seeds.study
    claim(study.folder / "systems" / "recipes.sha256", recipes_digest())
    if seeds.plan == "months":
        found = seeds.beside_held() | {name: seeds.held(name) for name in HELD}
        days, horizon = seeds.origins, HORIZON
        losses = -np.array([held(study.book, study.portfolios.weights, day, HORIZON) for day in days])
    else:
        found = {name: seeds.beside(name) for name in BESIDE} | {name: seeds.daily(name) for name in DAILY}
        days, losses, horizon = list(seeds.rows), -np.expm1(study.returns[seeds.rows.start : seeds.rows.stop]), 1
    energy = {name: np.asarray(read["energy"], dtype=np.float64) for name, read in found.items() if "energy" in read}
    sessions = tuple(study.book.sessions[day] for day in days)
    tracks = tuple(tracks_of(study, found, sessions, losses, horizon))
    title = f"The systems of two papers, book {study.book.name}"
    return Laboratory(title, LEVELS, tracks, CHAMPION, BASELINE, energy or None, provenance(study) | facts(seeds))


def tracks_of(
    study: Study, found: Mapping[str, Arrays], sessions: tuple[date, ...], losses: Floats, horizon: int
) -> Iterator[Track]:
    """A track a portfolio; ``losses`` (sessions, portfolios)."""
    for row, (name, group) in enumerate(zip(study.portfolios.names, study.portfolios.groups, strict=True)):
        forecasts = {model: quantified(read, row) for model, read in found.items()}
        yield Track(name, group, horizon, sessions, losses[:, row], forecasts)


def facts(seeds: Seeds) -> dict[str, str]:
    """How the systems came to their forecasts."""
    sessions = seeds.study.book.sessions
    trained = ", ".join(f"{sessions[b.known.start]} to {sessions[b.known.stop - 1]}" for b in seeds.blocks)
    rows = f"{sessions[seeds.rows.start]} to {sessions[seeds.rows.stop - 1]}"
    return {"systems trained and judged on": trained, "systems forecast": rows}
