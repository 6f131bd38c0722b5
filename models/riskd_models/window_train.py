"""Trains a window network on the older part of a panel and judges it on the newer part, which it never saw."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t as student
from torch import Tensor, nn

from riskd.core.arrays import Floats
from riskd.errors import ConfigError
from riskd_models.pool import Panel
from riskd_models.window_net import WindowNet, log_density, loss
from riskd_models.window_recipe import WindowRecipe


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Standardised returns ``z`` (sessions, assets) and the rows of what is to be predicted: ``learnt``, then ``judged``.

    ``centre`` and ``scale`` (assets,) standardise; they are of rows that no judged one is among.
    """

    z: Tensor
    centre: Floats
    scale: Floats
    learnt: range
    judged: range

    def batch(self, rows: NDArray[np.intp], columns: NDArray[np.intp] | None, window: int) -> tuple[Tensor, Tensor]:
        """Windows that end before ``rows`` and what followed them: all assets of a row together, or one column of each."""
        back = torch.from_numpy(rows[:, None] + np.arange(-window, 0))  # (batch, window)
        if columns is None:
            return self.z[back].permute(0, 2, 1), self.z[torch.from_numpy(rows)]
        column = torch.from_numpy(columns)
        return self.z[back, column[:, None]], self.z[torch.from_numpy(rows), column]


@dataclass(frozen=True, slots=True, eq=False)
class TrainedWindow:
    """A network, what it was trained on, and its scores on the rows it was not."""

    network: WindowNet
    samples: Samples
    scores: dict[str, float]


def samples_of(panel: Panel, recipe: WindowRecipe) -> Samples:
    """Chronological split; a joint network's scaler is of all learnt rows, a shared one's of each asset's first ``spin_up``.

    The latter is how the daemon standardises an asset that it has never seen. Raises ConfigError where too little is left.
    """
    returns = panel.returns if recipe.law.returns == "log" else np.expm1(panel.returns)
    split = len(returns) - round(len(returns) * recipe.training.validation)
    first = recipe.network.window if recipe.network.joint else recipe.law.spin_up
    if split <= first or split >= len(returns):
        raise ConfigError(f"{recipe.name}: {len(returns)} sessions leave none to learn from or to judge on; give longer history")
    fitted = returns[:split] if recipe.network.joint else returns[: recipe.law.spin_up]
    centre, scale = fitted.mean(axis=0), np.sqrt(fitted.var(axis=0) + recipe.law.variance_floor)
    z = torch.from_numpy((returns - centre) / scale).float()
    return Samples(z, centre, scale, range(first, split), range(split, len(returns)))


def train_window(
    panel: Panel,
    recipe: WindowRecipe,
    told: Callable[[int, float], None] = lambda step, loss: None,
    device: str = "cpu",
) -> TrainedWindow:
    """A network trained from scratch for a fixed number of steps; the same recipe on the same machine gives the same weights.

    On one thread: for so small a network more are slower, and how many there are would be seen in the last bits. What comes back
    is on the processor, whatever ``device`` it was trained on.
    """
    torch.set_num_threads(1)
    torch.manual_seed(recipe.seed)
    torch.use_deterministic_algorithms(True)
    samples = samples_of(panel, recipe)
    network = WindowNet(recipe.network, samples.z.shape[1] if recipe.network.joint else 1).to(device)
    moved = replace(samples, z=samples.z.to(device))
    numbers, random = recipe.training, np.random.default_rng(recipe.seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=numbers.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / numbers.steps)  # the last step's noise fades
    for step in range(numbers.steps):
        rows, columns = picked(samples, recipe, step, random)
        found = descended(network, optimiser, moved.batch(rows, columns, recipe.network.window), numbers.gradient_norm)
        schedule.step()
        told(step + 1, found)
    network.cpu().eval()
    return TrainedWindow(network, samples, judged(network, samples, recipe))


def picked(
    samples: Samples, recipe: WindowRecipe, step: int, random: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
    """The rows of one batch, and a column for each where the network is shared: by chance, or one after another in time."""
    count, learnt = recipe.training.batch, samples.learnt
    batches = math.ceil(len(learnt) / count)
    if recipe.training.shuffled:
        rows = random.integers(learnt.start, learnt.stop, count)
    else:
        start = learnt.start + step % batches * count
        rows = np.arange(start, min(start + count, learnt.stop))
    columns = None if recipe.network.joint else random.integers(samples.z.shape[1], size=len(rows))
    return rows, columns


def descended(network: WindowNet, optimiser: torch.optim.Optimizer, batch: tuple[Tensor, Tensor], norm: float) -> float:
    """One step downhill; its loss."""
    windows, target = batch
    found = loss(network(windows), target)
    optimiser.zero_grad()
    found.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), norm)
    optimiser.step()
    return float(found.detach())


def judged(network: WindowNet, samples: Samples, recipe: WindowRecipe) -> dict[str, float]:
    """Mean scores on the judged rows beside those of one constant law fitted on the learnt rows; lower is better.

    A mean is judged by its squared error, a Student-t by its negative log density; both of standardised returns.
    """
    past, later = samples.z[samples.learnt.start : samples.learnt.stop], samples.z[samples.judged.start :]
    params = predicted(network, samples, recipe)
    if recipe.network.head == "mean":
        errors = {"mse": params[0] - later, "mse_of_constant": past.mean(dim=0) - later}
        return {name: float((error.double() ** 2).mean()) for name, error in errors.items()}
    nu, mu, sigma = student.fit(past.numpy().astype(np.float64).ravel())
    constant = -student.logpdf(later.numpy().astype(np.float64), nu, mu, sigma).mean()
    own = -log_density(later.double(), *(value.double() for value in params)).mean()
    return {"nll": float(own), "nll_of_constant": float(constant)}


@torch.no_grad()
def predicted(network: WindowNet, samples: Samples, recipe: WindowRecipe) -> tuple[Tensor, ...]:
    """The parameters of every judged row, each (rows, assets)."""
    rows, assets = np.array(samples.judged), samples.z.shape[1]
    if recipe.network.joint:
        return tuple(network(samples.batch(rows, None, recipe.network.window)[0]))
    columns = (np.full(len(rows), column) for column in range(assets))
    found = [network(samples.batch(rows, column, recipe.network.window)[0]) for column in columns]
    return tuple(torch.stack(parts, dim=1) for parts in zip(*found, strict=True))
