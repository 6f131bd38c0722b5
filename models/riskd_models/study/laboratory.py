"""From kept forecasts to the laboratory's judgement of them, and the whole study of one book as one call."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from riskd.errors import ConfigError
from riskd.lab.track import Laboratory, Quantified, Track
from riskd_models.recipe import Recipe
from riskd_models.study.books import Book
from riskd_models.study.forecasts import BASELINE, CHAMPION, Study
from riskd_models.study.kept import Arrays
from riskd_models.study.quantified import LEVELS
from riskd_models.study.years import last_year


def study_of(book: Book, recipe: Recipe, out: Path) -> Study:
    """The study of a book in ``out``; raises ConfigError where the folder holds a study of other prices or another recipe."""
    rules = hashlib.sha256(
        repr((recipe.seed, recipe.pool.panels, recipe.scale, recipe.network, recipe.training)).encode()
    ).hexdigest()
    folder = out / book.name
    claim(folder / "inputs.sha256", hashlib.sha256(f"{rules}{digest(book)}".encode()).hexdigest())
    return Study(book, recipe, folder, out / f"networks-{rules[:12]}")


def digest(book: Book) -> str:
    """SHA-256 of sessions, symbols and log returns to 1e-9."""
    total = hashlib.sha256(repr((book.symbols, book.sessions, book.first)).encode())
    total.update(np.rint(book.returns * 1e9).astype("<i8").tobytes())
    return total.hexdigest()


def claim(path: Path, inputs: str) -> None:
    """Writes down what a folder's results rest on, or finds it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.read_text().strip() != inputs:
        raise ConfigError(f"{path.parent}: holds a study of other prices or of another recipe; name another folder with --out")
    path.write_text(f"{inputs}\n")


def laboratory(study: Study, walked: Mapping[str, Arrays]) -> Laboratory:
    """What the laboratory judges: a track a portfolio; losses are minus simple returns."""
    losses = -np.expm1(study.returns[study.book.first :])
    portfolios = study.portfolios
    tracks = tuple(
        Track(name, group, 1, study.book.tested, losses[:, place], {model: quantified(w, place) for model, w in walked.items()})
        for place, (name, group) in enumerate(zip(portfolios.names, portfolios.groups, strict=True))
    )
    energy = {model: np.asarray(w["energy"], dtype=np.float64) for model, w in walked.items() if "energy" in w}
    return Laboratory(
        title=f"Walk-forward study of book {study.book.name}",
        levels=LEVELS,
        tracks=tracks,
        champion=CHAMPION,
        baseline=BASELINE,
        energy=energy,
        provenance=provenance(study),
    )


def quantified(walked: Arrays, place: int) -> Quantified:
    """One portfolio's share of a forecast."""
    var, cvar, pit, crps = (np.asarray(walked[key][:, place], dtype=np.float64) for key in ("var", "cvar", "pit", "crps"))
    return Quantified(var, cvar, pit, crps)


def provenance(study: Study) -> dict[str, str]:
    """What the figures rest on."""
    book = study.book
    replaced = int(np.logical_not(study.gjr.fits["fitted"]).sum())
    return {
        "assets": " ".join(book.symbols),
        "first session": book.sessions[0].isoformat(),
        "first forecast": book.tested[0].isoformat(),
        "last forecast": book.tested[-1].isoformat(),
        "sha256 of the returns": digest(book),
        "networks": f"{study.recipe.name}, one from scratch every year, the last one of {last_year()}",
        "GJR fits": f"{study.gjr.fits['fitted'].size}, {replaced} of them replaced by fixed parameters",
    }
