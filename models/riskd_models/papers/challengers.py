"""Every network of the papers, trained on the universe of one configuration, and the lines that put it beside the champion."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from riskd.forecast.artefact import CARD
from riskd.settings import Settings, load_settings
from riskd_models.papers.copula.artefact import train_challenger
from riskd_models.papers.copula.recipe import ChallengerRecipe, read_challenger_recipe
from riskd_models.papers.deep_allocation.artefact import train_allotter_artefact
from riskd_models.papers.deep_allocation.recipe import read_allotter_recipe
from riskd_models.papers.heatmap.artefact import train_heatmap_artefact
from riskd_models.papers.heatmap.recipe import read_heatmap_recipe
from riskd_models.papers.work import Told, silent
from riskd_models.window_artefact import train_window_artefact
from riskd_models.window_recipe import read_window_recipe

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
LINES = "challengers.toml"
PATHS = 1000  # of a rival's bank: networks that read a window are slow
Recipe = TypeVar("Recipe", bound=BaseModel)
Lines = Mapping[str, str | int | bool]  # keys of a section beside its name


@dataclass(frozen=True, slots=True)
class Job:
    """The configuration that the networks are for, where they are to be, and from what they learn."""

    settings: Settings
    prices: Path
    until: date
    out: Path
    steps: int | None = None  # of every network, where the recipes' own would take too long
    told: Told = silent

    def recipe(self, name: str, read: Callable[[Path], Recipe], **changes: object) -> Recipe:
        """The shipped recipe with ``changes`` and this job's steps."""
        found = read(RECIPES / f"{name}.toml")
        told = found.model_dump() | changes
        for section in (told, told.get("training", {})):
            if self.steps is not None and "steps" in section:
                section["steps"] = self.steps
        return type(found).model_validate(told)

    def trained(self, name: str, train: Callable[[Path], object]) -> str:
        """The folder of a network, which is trained unless it is there already."""
        folder = self.out.resolve() / name
        if not (folder / CARD).exists():
            train(folder)
        self.told(name, 1.0)
        return str(folder)

    def window(self, name: str, recipe: str, **changes: object) -> str:
        """A network that reads a window of returns."""
        made = self.recipe(recipe, read_window_recipe, **changes)
        return self.trained(name, lambda folder: train_window_artefact(made, self.prices, self.until, folder))

    def challenger(self, name: str, made: ChallengerRecipe, margins: str | None = None) -> str:
        """A network that only the copula paper has."""
        joined = Path(margins) if margins else None
        return self.trained(name, lambda folder: train_challenger(made, self.prices, self.until, folder, joined, self._of(name)))

    def _of(self, name: str) -> Told:
        """Progress of one network under its name."""
        return lambda _, share: self.told(name, min(share, 0.99))

    def share(self, name: str) -> Callable[[float], None]:
        """The same for who tells a share alone."""
        return lambda share: self.told(name, min(share, 0.99))


def train_challengers(config: Path, prices: Path, until: date, out: Path, steps: int | None = None, told: Told = silent) -> Path:
    """Train what is not there yet; the file with the sections to append to the configuration in ``config``.

    Raises ConfigError where the configuration is wrong, or prices or symbols do not suffice.
    """
    job = Job(load_settings(config), prices, until, out, steps, told)
    out.mkdir(parents=True, exist_ok=True)
    rivals = [_section("rivals", name, lines) for name, lines in _rivals(job)]
    allocators = [_section("allocators", name, lines) for name, lines in _allocators(job)]
    first = "# Every network of the papers beside the champion: append this to the configuration that it was trained for.\n"
    place = out / LINES
    place.write_text("\n".join([first, *rivals, *allocators]))
    return place


def _rivals(job: Job) -> Iterator[tuple[str, Lines]]:
    universe, alone = job.settings.symbols, {"paths": PATHS, "anchored": False}
    yield "lstm-copula", {"artefact": job.window("lstm-copula", "seed-1"), "model": "t-copula", **alone}
    yield "tcn-copula", {"artefact": job.window("tcn-copula", "tcn"), "model": "t-copula", **alone}
    margins = job.window("gru", "gru")
    copula = job.challenger("vae-copula", job.recipe("vae-copula", read_challenger_recipe, symbols=universe), margins)
    yield "gru-vae-copula", {"artefact": margins, "model": copula, "paths": PATHS}
    made = job.recipe("diffusion-risknet", read_challenger_recipe, symbols=universe)
    yield "diffusion-risknet", {"artefact": job.challenger("diffusion-risknet", made), "paths": PATHS}
    for portfolio in job.settings.portfolios:
        weights = {symbol: weight for symbol, weight in job.settings.held(portfolio).items() if weight}
        made = job.recipe("transformer-var", read_challenger_recipe, weights=weights)
        name = f"transformer-{portfolio.name}"
        yield name, {"artefact": job.challenger(name, made)}
    seen = job.recipe("seed-2", read_heatmap_recipe)
    maps = job.trained(
        "cnn-heatmap", lambda folder: train_heatmap_artefact(seen, job.prices, job.until, folder, job.share("cnn-heatmap"))
    )
    yield "cnn-heatmap", {"artefact": maps, "model": "t-copula", **alone}
    generator = job.window("generator", "seed-4-filtered", symbols=universe)
    yield "generator", {"artefact": generator, "model": "iid-bootstrap", "paths": PATHS}


def _allocators(job: Job) -> Iterator[tuple[str, Lines]]:
    made = job.recipe("seed-3", read_allotter_recipe, symbols=job.settings.tradeable)
    allotter = job.trained(
        "deep-allocation", lambda out: train_allotter_artefact(made, job.prices, job.until, out, job.share("deep-allocation"))
    )
    yield "deep-allocation", {"artefact": allotter}
    yield "markowitz", {}


def _section(kind: str, name: str, lines: Lines) -> str:
    """One section of TOML."""
    rows = {"name": name} | dict(lines)
    return "\n".join([f"[[{kind}]]", *(f"{key} = {json.dumps(value)}" for key, value in rows.items()), ""])
