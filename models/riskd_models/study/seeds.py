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
from riskd_models.study.joint import Combined
from riskd_models.study.kept import Arrays, kept
from riskd_models.study.laboratory import provenance, quantified
from riskd_models.study.quantified import LEVELS, read_off
from riskd_models.study.systems import SYSTEMS, Block, SystemSet
from riskd_models.study.walk import place, read_rows, walked

BESIDE = (CHAMPION, BASELINE, "joint-anchored", "garch-t-copula", "historical")
DAILY = tuple(name for name in SYSTEMS if name != "seed-4-block")  # a block of one session is a session
HELD = tuple(name for name in SYSTEMS if name.startswith("seed-4"))
HORIZON, HELD_PATHS = 21, 256  # a window network reads its whole window again for every session of every path
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
        """What is read off a system HORIZON sessions ahead, on every HORIZON-th row: ``day`` (origins,) and the fields."""
        return kept(self.folder / f"{name}.npz", lambda: self._held(name))

    def _held(self, name: str) -> Arrays:
        study, joint = self.study, self.joint(name)
        days = np.arange(self.rows.start, self.rows.stop - HORIZON + 1, HORIZON)
        found = []
        for done, day in enumerate(days):
            returns = joint.held(int(day), HORIZON, HELD_PATHS)
            found.append(read_off(np.sort(study.portfolios.weights @ returns.T, axis=1), realised(study, int(day))))
            self.told(name, done + 1)
        fields = {key: np.array([getattr(read, key) for read in found]) for key in ("var", "cvar", "pit", "crps")}
        return {"day": days} | fields


def realised(study: Study, day: int) -> Floats:
    """Simple returns (portfolios,) of buying before row ``day`` and holding for HORIZON sessions."""
    total = study.book.returns[day : day + HORIZON].sum(axis=0)
    return np.asarray(study.portfolios.weights @ np.expm1(total))


def seeds_laboratory(seeds: Seeds) -> Laboratory:
    """What the laboratory judges: every system, one session ahead beside the study's forecasts, or held beside each other."""
    study = seeds.study
    if seeds.plan == "months":
        found = {name: seeds.held(name) for name in HELD}
        days = [int(day) for day in found[HELD[0]]["day"]]
        losses, horizon = -np.array([realised(study, day) for day in days]), HORIZON
        champion, baseline, energy = "seed-4-filtered", "seed-4-open", None
    else:
        found = {name: seeds.beside(name) for name in BESIDE} | {name: seeds.daily(name) for name in DAILY}
        days, losses, horizon = list(seeds.rows), -np.expm1(study.returns[seeds.rows.start : seeds.rows.stop]), 1
        champion, baseline = CHAMPION, BASELINE
        energy = {name: np.asarray(read["energy"], dtype=np.float64) for name, read in found.items() if "energy" in read}
    sessions = tuple(study.book.sessions[day] for day in days)
    tracks = tuple(tracks_of(study, found, sessions, losses, horizon))
    title = f"The systems of two papers, book {study.book.name}"
    return Laboratory(title, LEVELS, tracks, champion, baseline, energy, provenance(study) | facts(seeds))


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
