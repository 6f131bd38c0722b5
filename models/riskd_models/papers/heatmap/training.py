"""Trains a heat-map network on older pictures and keeps the weights of the epoch that did best on newer ones."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from riskd.core.arrays import Floats, Floats32
from riskd_models.papers.heatmap.image import Encoder
from riskd_models.papers.heatmap.net import HeatNet, Numbers
from riskd_models.papers.heatmap.pictures import Pictures

TILE = 256  # images of one run without gradients


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to train."""

    epochs: int
    batch: int = 64
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Images (n, SIDE, SIDE), the target (n,) and the volatility (n,) of the 22 sessions before, both as logs."""

    images: Floats32
    target: Floats
    before: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A network and what its output is standardised by; ``errors`` are RMSEs on the judged lesson, one an epoch."""

    network: HeatNet
    centre: float
    scale: float
    errors: tuple[float, ...]

    @torch.no_grad()
    def predict(self, images: Floats32, before: Floats) -> Floats:
        """The target (n,) of images (n, SIDE, SIDE), on whatever device the network is."""
        self.network.eval()
        device = next(self.network.parameters()).device
        output = torch.cat([self.network(tile.to(device)).cpu() for tile in torch.split(torch.from_numpy(images), TILE)])
        moved = self.centre + self.scale * output.numpy().astype(np.float64)
        return np.asarray(moved + before if self.network.numbers.anchored else moved)


def lesson_of(pictures: Pictures, encoder: Encoder) -> Lesson:
    """Pictures as a network is taught them."""
    return Lesson(encoder.images(pictures.seen).astype(np.float32), pictures.target, pictures.newest("volatility-22"))


def train(
    learnt: Lesson,
    judged: Lesson,
    numbers: Numbers,
    budget: Budget,
    device: str = "cpu",
    told: Callable[[float], None] = lambda share: None,
) -> Trained:
    """A network trained from scratch on ``learnt``; its epoch is chosen on ``judged``. The output is standardised by ``learnt``.

    On the processor one thread and a seed give the same weights again.
    """
    torch.set_num_threads(1)
    torch.manual_seed(budget.seed)
    wanted = learnt.target - learnt.before if numbers.anchored else learnt.target
    centre, scale = float(wanted.mean()), float(wanted.std())
    network = HeatNet(numbers).to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=numbers.learning_rate, weight_decay=numbers.weight_decay)
    x, y = torch.from_numpy(learnt.images), torch.from_numpy((wanted - centre) / scale).float()
    errors: list[float] = []
    best = deepcopy(network.state_dict())
    for epoch in range(budget.epochs):
        network.train()
        for rows in torch.split(torch.randperm(len(x)), budget.batch):
            descend(network, optimiser, x[rows].to(device), y[rows].to(device))
        found = Trained(network, centre, scale, ()).predict(judged.images, judged.before)
        errors.append(float(np.sqrt(np.mean((found - judged.target) ** 2))))
        if errors[-1] == min(errors):
            best = deepcopy(network.state_dict())
        told((epoch + 1) / budget.epochs)
    network.load_state_dict(best)
    network.eval()
    return Trained(network, centre, scale, tuple(errors))


def descend(network: HeatNet, optimiser: torch.optim.Optimizer, images: Tensor, target: Tensor) -> None:
    """One step downhill on the mean squared error."""
    optimiser.zero_grad()
    mse_loss(network(images), target).backward()  # type: ignore[no-untyped-call]
    optimiser.step()
