"""Diffusion-RiskNet: a conditional denoising diffusion of the next session's return vector.

    x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) e,   v_t = sqrt(a_t) e - sqrt(1 - a_t) x_0,   e ~ N(0, I),   v_hat = net(x_t, t, context)

Returns are normal scores by the ranks of the learnt rows, so that a network that says nothing draws a standard normal vector
and all it learns is dependence, on other assets and on what came before. Draws go back from pure noise in DRAW_STEPS of the TIMES
steps. The paper only names its rival; sources of what stands here:
J. Ho, A. Jain, P. Abbeel, arXiv 2006.11239; the schedule of A. Nichol, P. Dhariwal, arXiv 2102.09672; v of T. Salimans,
J. Ho, arXiv 2202.00512; fewer steps back by J. Song, C. Meng, S. Ermon, arXiv 2010.02502.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from riskd.core.arrays import Floats
from riskd.core.normal_scores import NormalScores, normal_scores
from riskd_models.papers.copula.descent import Curve, begin, descend
from riskd_models.papers.copula.task import Task

TIMES, DRAW_STEPS = 100, 20
WIDTH, CONTEXT, EMBEDDING = 64, 24, 16
SPANS = (5, 20, 60)  # sessions whose mean size of returns is seen
RATE, BATCH, DROPOUT = 2e-3, 256, 0.1


def kept_signal() -> Tensor:
    """a_t (TIMES + 1,) from 1 to nearly 0: cos^2 of an angle that rises evenly."""
    angle = (torch.linspace(0, 1, TIMES + 1, dtype=torch.float64) + 0.008) / 1.008 * math.pi / 2
    kept = torch.cos(angle) ** 2
    return (kept / kept[0]).clamp(min=1e-4).float()


class Denoiser(nn.Module):
    """The v of a vector of returns, given how far it is diffused and what the market did before."""

    def __init__(self, assets: int) -> None:
        super().__init__()
        self.assets = assets
        self.context = nn.Sequential(nn.Linear(assets * (len(SPANS) + 1), CONTEXT), nn.Tanh(), nn.Dropout(DROPOUT))
        self.entry = nn.Linear(assets + EMBEDDING + CONTEXT, WIDTH)
        self.middle = nn.ModuleList(nn.Linear(WIDTH + EMBEDDING + CONTEXT, WIDTH) for _ in range(2))
        self.exit = nn.Linear(WIDTH, assets)
        nn.init.zeros_(self.exit.weight)
        nn.init.zeros_(self.exit.bias)

    def forward(self, x: Tensor, time: Tensor, features: Tensor) -> Tensor:
        """v (rows, assets) of x (rows, assets), time (rows,) in 0 .. TIMES and features (rows, assets * 4)."""
        beside = torch.cat([embedded(time), self.context(features)], dim=1)  # (rows, EMBEDDING + CONTEXT)
        h = nn.functional.silu(self.entry(torch.cat([x, beside], dim=1)))  # (rows, WIDTH)
        for layer in self.middle:
            h = h + nn.functional.silu(layer(torch.cat([h, beside], dim=1)))
        return self.exit(h)  # type: ignore[no-any-return]


def embedded(time: Tensor) -> Tensor:
    """Sines and cosines (rows, EMBEDDING) of the share of the way to pure noise."""
    rates = math.pi * 2.0 ** torch.arange(EMBEDDING // 2, device=time.device) / 8
    angles = (time / TIMES)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def features_of(z: Floats) -> Floats:
    """What is known before each row, and after the last (sessions + 1, assets * 4): log mean size over SPANS, and newest return.

    The first max(SPANS) rows, which have no full span, are NaN. ``z`` (sessions, assets) are normal scores.
    """
    total = np.vstack([np.zeros((1, z.shape[1])), np.cumsum(np.abs(z), axis=0)])
    columns = []
    for span in SPANS:
        mean = np.full_like(total, np.nan)
        mean[span:] = np.log((total[span:] - total[:-span]) / span + 1e-3)
        columns.append(mean)
    newest = np.vstack([np.full((1, z.shape[1]), np.nan), np.tanh(z / 3)])
    found = np.hstack([*columns, newest])
    found[: max(SPANS)] = np.nan
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Diffusion:
    """A trained denoiser of normal scores of returns; ``noise`` (DRAW_STEPS + 1, draws, assets) is common to all days."""

    network: Denoiser
    margins: NormalScores
    features: Tensor  # (sessions + 1, assets * 4)
    noise: Tensor
    curve: Curve
    device: str = "cpu"

    @torch.no_grad()
    def sample(self, day: int) -> Floats:
        """Simple returns (draws, assets) of row ``day``; the same draws on every call."""
        return np.asarray(np.expm1(self.margins.from_score(self.diffused_back(day).cpu().double().numpy())))

    def diffused_back(self, day: int) -> Tensor:
        """Normal scores (draws, assets): from noise back to a return, each step with a fresh share of noise."""
        signal, noise = kept_signal().to(self.device), self.noise.to(self.device)
        times = torch.linspace(TIMES, 0, DRAW_STEPS + 1).round().long()
        features = self.features[day].to(self.device).expand(noise.shape[1], -1)
        x = noise[0]
        for place, (now, then) in enumerate(zip(times[:-1], times[1:], strict=True), start=1):
            time = torch.full((len(x),), int(now), device=self.device)
            v = self.network(x, time, features)
            clean = signal[now].sqrt() * x - (1 - signal[now]).sqrt() * v
            kept = signal[now] / signal[then]
            toward = signal[then].sqrt() * (1 - kept) / (1 - signal[now])
            x = toward * clean + kept.sqrt() * (1 - signal[then]) / (1 - signal[now]) * x
            x = x + (1 - kept).sqrt() * noise[place] * bool(then)  # the variance that is exact for a standard normal vector
        return x


def diffusion(task: Task, seed: int | None = None) -> Diffusion:
    """Trained on the known rows of all the task's assets; any portfolio of them is read off its draws."""
    chosen = task.numbers.seed if seed is None else seed
    begin(chosen)
    past = task.returns[task.learnt.start : task.learnt.stop]
    margins = normal_scores(past)
    z = margins.score(task.returns)
    features = torch.from_numpy(features_of(z)).float()
    network = Denoiser(len(task.symbols)).to(task.device)
    curve = trained(network, torch.from_numpy(z).float().to(task.device), features.to(task.device), task, chosen)
    random = torch.Generator().manual_seed(chosen)
    noise = torch.randn((DRAW_STEPS + 1, task.numbers.diffused, len(task.symbols)), generator=random)
    return Diffusion(network, margins, features, noise, curve, task.device)


def trained(network: Denoiser, z: Tensor, features: Tensor, task: Task, seed: int) -> Curve:
    """Descends on the squared error of v; later rows are judged under noise that is drawn once, eight times each."""
    random, signal = torch.Generator().manual_seed(seed), kept_signal().to(z.device)
    first, stop = task.block.known.start + max(SPANS), task.learnt.stop

    def error(rows: Tensor, time: Tensor, noise: Tensor) -> Tensor:
        kept = signal[time][:, None]
        x = kept.sqrt() * z[rows] + (1 - kept).sqrt() * noise
        v = kept.sqrt() * noise - (1 - kept).sqrt() * z[rows]
        return nn.functional.mse_loss(network(x, time, features[rows]), v)

    def drawn(count: int) -> tuple[Tensor, Tensor]:
        time = torch.randint(1, TIMES + 1, (count,), generator=random)
        return time.to(z.device), torch.randn((count, z.shape[1]), generator=random).to(z.device)

    later = torch.arange(stop, task.block.known.stop, device=z.device).repeat(8)
    fixed = drawn(len(later))

    def learnt() -> Tensor:
        return error(torch.randint(first, stop, (BATCH,), generator=random).to(z.device), *drawn(BATCH))

    told: Callable[[float], None] = lambda share: task.told("diffusion-risknet: training", share)  # noqa: E731
    return descend(network, learnt, lambda: error(later, *fixed), task.numbers.diffusion_steps, RATE, told)
