"""Scenario models that are networks: the decoder of an autoencoder as a copula, and a diffusion that reads what came before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
from scipy.special import ndtri

from riskd.core.arrays import Floats, Floats32
from riskd.core.scenarios.model import Sampler
from riskd.core.scenarios.pool_margins import on_pool_margins
from riskd.errors import ModelError
from riskd.forecast.artefact import check_universe
from riskd.forecast.dependence_card import DependenceArtefact, Diffused
from riskd.forecast.rank_margins import RankMargins
from riskd.forecast.session import Provider, Session

WITHIN = 1 - 1e-9  # of a step of rank, drawn evenly: neither end has probability zero or one
Denoise = Callable[[Floats32, int, Floats32], Floats32]  # (x, time, features) -> v, rows of each


class LearntDependence:
    """What both have in common: a graph, the assets that it was trained on, and until when."""

    def __init__(self, artefact: DependenceArtefact, provider: Provider = "cpu") -> None:
        """Open the model on a device. Raises ModelError if ``cuda`` is not there."""
        self._card = artefact.card
        self._session = Session(artefact.model, provider)
        self.identity = artefact.identity

    @property
    def learnt_until(self) -> date:
        """The last session whose return the weights were found from: nothing up to it is out of sample."""
        return self._card.training.last

    def check_universe(self, symbols: tuple[str, ...]) -> None:
        """Raises ModelError unless the network was trained on just these symbols, in this order."""
        check_universe(self.identity, self._card.assets, symbols)

    def _checked(self, scores: Floats, least: int) -> None:
        if scores.shape[1] != len(self._card.assets) or len(scores) < least:
            wanted = f"at least {least} sessions of {len(self._card.assets)} assets"
            raise ModelError(f"{self.identity} draws from {wanted}, got scores of shape {scores.shape}")

    def _run(self, taken: dict[str, Floats32], given: dict[str, Floats32]) -> dict[str, Floats32]:
        """What the graph gives; raises ModelError where it is not finite."""
        self._session.run(taken, given)
        for name, array in given.items():
            if not np.isfinite(array.sum()):
                raise ModelError(f"{self.identity} gave {name} that is not finite; this session has no scenarios of it")
        return given


class VaeCopula(LearntDependence):
    """A scenario model: the decoder's draws, ranked anew, under the margins of the pool. Deterministic."""

    def __call__(self, scores: Floats, turn: int = 0) -> Sampler:
        """``scores`` (sessions, assets) give the margins; the dependence was learnt once and for all."""
        self._checked(scores, 2)
        return on_pool_margins(lambda _: self)(scores, turn)

    def draw(self, random: np.random.Generator, rows: int) -> Floats:
        """Normal scores (rows, assets); a value of rank i is drawn anywhere between ndtri(i / rows) and ndtri((i + 1) / rows)."""
        assets = len(self._card.assets)
        z = random.standard_normal((rows, self._card.latent or 0), dtype=np.float32)
        drawn = self._run({"z": z}, {name: np.empty((rows, assets), np.float32) for name in ("mean", "spread")})
        x = drawn["mean"] + drawn["spread"] * random.standard_normal((rows, assets), dtype=np.float32)
        ranks = x.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
        return np.asarray(ndtri((ranks + 0.5 + WITHIN * (random.random((rows, assets)) - 0.5)) / rows))


class Diffusion(LearntDependence):
    """A scenario model for the scores of its own margins: session after session, each path with its own past. Deterministic."""

    def __init__(self, artefact: DependenceArtefact, provider: Provider = "cpu") -> None:
        super().__init__(artefact, provider)
        if artefact.margins is None or artefact.card.diffused is None:
            raise ModelError(f"{artefact.folder}: a {artefact.card.system} is no diffusion; load it as what its card says")
        self.margins = RankMargins(artefact.margins, artefact.identity, self.learnt_until)
        self._back = artefact.card.diffused

    def __call__(self, scores: Floats, turn: int = 0) -> "DiffusedPaths":
        """The newest ``scores`` (sessions, assets), as many as the longest span has, are the past of every path."""
        span = max(self._back.spans)
        self._checked(scores, span)
        sizes = np.cumsum(np.abs(scores[-span:]), axis=0)
        totals = np.vstack([np.zeros((1, scores.shape[1])), sizes])
        return DiffusedPaths(self._v, self._back, tuple(totals[:, None]), scores[-1:])

    def _v(self, x: Floats32, time: int, features: Floats32) -> Floats32:
        taken = {"x": x, "time": np.full(len(x), time, np.float32), "features": features}
        return self._run(taken, {"v": np.empty_like(x)})["v"]


@dataclass(frozen=True, slots=True, eq=False)
class DiffusedPaths:
    """Draws of one day: ``totals`` (1, assets) of |score| up to each past session, and the ``newest`` scores (1, assets)."""

    denoise: Denoise
    back: Diffused
    totals: tuple[Floats, ...]
    newest: Floats

    def draw(self, random: np.random.Generator, sessions: int, paths: int) -> Floats:
        """Scores (sessions, paths, assets); a session's draw is the past of the next one."""
        totals, newest, drawn = list(self.totals), self.newest, []
        for _ in range(sessions):
            noise = random.standard_normal((len(self.back.times) - 1, paths, self.newest.shape[1]), dtype=np.float32)
            seen = features_of(totals, newest, self.back.spans).astype(np.float32)
            newest = self._diffused_back(noise, np.ascontiguousarray(np.broadcast_to(seen, (paths, seen.shape[1]))))
            totals.append(totals[-1] + np.abs(newest))
            drawn.append(newest)
        return np.array(drawn)

    def exact(self) -> None:
        """It must be drawn."""

    def _diffused_back(self, noise: Floats32, features: Floats32) -> Floats:
        """Scores (paths, assets) from pure ``noise`` (steps, paths, assets), of which every step but the last adds a share.

        With a = kept share of the signal now, b then, and c = a / b:  x0 = sqrt(a) x - sqrt(1 - a) v,
        x <- [sqrt(b) (1 - c) x0 + sqrt(c) (1 - b) x] / (1 - a) + sqrt(1 - c) e, the variance that is exact for a standard normal.
        """
        x = noise[0]
        for step, ((now, _), (a, b)) in enumerate(zip(pairwise(self.back.times), pairwise(self.back.kept), strict=True), start=1):
            c = a / b
            clean = a**0.5 * x - (1 - a) ** 0.5 * self.denoise(x, now, features)
            x = (b**0.5 * (1 - c) * clean + c**0.5 * (1 - b) * x) / (1 - a)
            if step < len(noise):
                x = x + (1 - c) ** 0.5 * noise[step]
        return np.asarray(x, dtype=np.float64)


def features_of(totals: Sequence[Floats], newest: Floats, spans: tuple[int, ...]) -> Floats:
    """What the network is told before a session (paths, assets * (spans + 1)): log mean |z| over each span, tanh(z / 3) of the
    newest; z are scores."""
    sizes = [np.log((totals[-1] - totals[-1 - span]) / span + 1e-3) for span in spans]
    return np.concatenate([*sizes, np.tanh(newest / 3)], axis=1)
