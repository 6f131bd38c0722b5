"""The copula of GRU + VAE-Copula: a variational autoencoder of normal scores whose draws are ranked anew.

    z ~ N(0, I_d),   x | z ~ N(m(z), diag s(z)^2),   u_i = (rank of x_i - 1/2) / S

Margins are then exactly uniform and all that the network contributes is dependence. Its spread s moves with z: with a constant
one the draws would be nearly Gaussian and have no dependence left in the tails. Source of the autoencoder: D. Kingma, M. Welling,
arXiv 1312.6114.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor, nn

from riskd.core.arrays import Floats
from riskd.core.scenarios.model import Copula
from riskd_models.papers.copula.descent import Curve, begin, descend

LATENT, HIDDEN = 4, 48
RATE, BATCH = 3e-3, 256
ACTIVE = 0.1  # nats of a latent that carries something
LEAST_SPREAD = 0.02  # of a score


class Autoencoder(nn.Module):
    """Encoder and decoder of normal scores (rows, assets), each with one hidden layer."""

    def __init__(self, assets: int, latent: int = LATENT) -> None:
        super().__init__()
        self.latent = latent
        self.encoder = nn.Sequential(nn.Linear(assets, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, 2 * latent))
        self.decoder = nn.Sequential(
            nn.Linear(latent, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, 2 * assets)
        )

    def encoded(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of z given x, both (rows, latent)."""
        coded: Tensor = self.encoder(x)
        mean, log_variance = coded.chunk(2, dim=1)
        return mean, log_variance.clamp(-8, 8)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation of x given z, both (rows, assets); this half is all that draws need."""
        mean, spread = self.decoder(z).chunk(2, dim=1)
        return mean, nn.functional.softplus(spread) + LEAST_SPREAD

    def divergences(self, x: Tensor) -> Tensor:
        """KL(q(z_k | x) || N(0, 1)) in nats, mean over rows; shape (latent,)."""
        mean, log_variance = self.encoded(x)
        return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean(dim=0)

    def loss(self, x: Tensor, noise: Tensor, weight: float = 1.0) -> Tensor:
        """Minus the evidence lower bound per row, up to a constant; ``noise`` (rows, latent), ``weight`` of the divergence."""
        mean, log_variance = self.encoded(x)
        centre, spread = self(mean + noise * (0.5 * log_variance).exp())
        misfit: Tensor = (0.5 * ((x - centre) / spread) ** 2 + spread.log()).sum(dim=1).mean()
        return misfit + weight * self.divergences(x).sum()


@dataclass(frozen=True, slots=True, eq=False)
class VaeCopula:
    """A trained decoder as a copula; ``divergences`` (latent,) in nats show whether its latents carry anything."""

    network: Autoencoder
    divergences: Floats
    curve: Curve

    @property
    def active(self) -> int:
        """Latents of more than ACTIVE nats; none: the posterior has collapsed and the assets are drawn apart."""
        return int((self.divergences > ACTIVE).sum())

    @torch.no_grad()
    def draw(self, random: np.random.Generator, rows: int) -> Floats:
        """Normal scores (rows, assets); every column holds the same values, ndtri((i - 1/2) / rows), in an order of its own."""
        z = torch.from_numpy(random.standard_normal((rows, self.network.latent))).float()
        mean, spread = self.network(z)  # (rows, assets)
        x = mean.numpy() + spread.numpy() * random.standard_normal(mean.shape)
        return np.asarray(grid(rows)[ranks(x)])


def grid(rows: int) -> Floats:
    """Normal quantiles of the middles of ``rows`` equal steps."""
    return np.asarray(ndtri((np.arange(rows) + 0.5) / rows))


def ranks(x: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    """0 .. rows - 1 in every column; of equal values the earlier is the lower."""
    return x.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")


def train_vae(
    scores: Floats, steps: int, seed: int, device: str = "cpu", told: Callable[[float], None] = lambda share: None
) -> VaeCopula:
    """Learns from ``scores`` (sessions, assets), each column turned to normal scores by its ranks; the newest fifth chooses.

    The divergence's weight rises over the first third of the steps, so that the latents are used before they cost anything.
    """
    begin(seed)
    x = torch.from_numpy(grid(len(scores))[ranks(scores)]).float().to(device)
    cut = len(x) - len(x) // 5
    network = Autoencoder(scores.shape[1]).to(device)
    random = torch.Generator().manual_seed(seed)
    fixed = torch.randn((len(x) - cut, network.latent), generator=random).to(device)
    step = 0

    def learnt() -> Tensor:
        nonlocal step
        step += 1
        rows = torch.randint(cut, (BATCH,), generator=random)
        noise = torch.randn((BATCH, network.latent), generator=random)
        return network.loss(x[rows.to(device)], noise.to(device), min(1.0, 3 * step / steps))

    curve = descend(network, learnt, lambda: network.loss(x[cut:], fixed), steps, RATE, told)
    with torch.no_grad():
        divergences = network.divergences(x).cpu().numpy().astype(np.float64)
    return VaeCopula(network.cpu(), divergences, curve)


class TrainedOnce:
    """A fit of a copula that trains at its first call and answers with the same one at every later call."""

    def __init__(self, steps: int, seed: int, device: str, told: Callable[[float], None]) -> None:
        self.steps, self.seed, self.device, self.told = steps, seed, device, told
        self.copula: VaeCopula | None = None

    def __call__(self, scores: Floats) -> Copula:
        """The copula of the first ``scores`` (sessions, assets) that this was called with."""
        if self.copula is None:
            self.copula = train_vae(scores, self.steps, self.seed, self.device, self.told)
        return self.copula
