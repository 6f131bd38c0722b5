"""Trains the network from scratch in seconds: few steps on purpose, for twice as many gained nothing out of sample."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from riskd.errors import ConfigError
from riskd_models.features import history
from riskd_models.network import LstmJsu, negative_log_density
from riskd_models.pool import Panel
from riskd_models.recipe import Recipe, Training


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One asset or portfolio: inputs known after session t (sessions, inputs) and the next session's z (sessions,)."""

    inputs: Tensor
    target: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A network and what training saw: the number of series and the mean loss of the last tenth of the steps."""

    network: LstmJsu
    series: int
    loss: float


def learnable(panels: tuple[Panel, ...], recipe: Recipe) -> tuple[Panel, ...]:
    """The panels with more than a training window past their warm-up; raises ConfigError where none has."""
    least, until = recipe.pool.warm_up + recipe.training.window + 1, recipe.pool.train_until
    found = tuple(panel for panel in panels if panel.between(date.min, until).stop > least)
    if not found:
        raise ConfigError(f"{recipe.name}: no panel has more than {least} sessions until {until}; train until a later day")
    return found


def training_series(panels: tuple[Panel, ...], recipe: Recipe) -> list[Series]:
    """Every series of every panel, past its warm-up and up to the end of training; no later return is touched."""
    found = []
    for panel in panels:
        rows = sum(1 for session in panel.sessions if session <= recipe.pool.train_until)
        returns = torch.from_numpy(panel.returns[:rows].copy())
        inputs, base = history(returns, recipe.scale, panel.market, ranges_of(panel, recipe, rows))
        first = recipe.pool.warm_up
        target = (returns / base)[first + 1 :].clamp(-recipe.training.target_clip, recipe.training.target_clip)
        known = inputs[first:-1].float()
        found += [Series(known[:, i], target[:, i].float()) for i in range(known.shape[1])]
    return found


def ranges_of(panel: Panel, recipe: Recipe, rows: int) -> Tensor | None:
    """The first ``rows`` range variances of a panel, or None for a recipe without; raises ConfigError where they are missing."""
    if recipe.scale.ranges is None:
        return None
    if panel.ranges is None:
        raise ConfigError(f"{recipe.name}: panel {panel.name} has no highs and lows; train without scale.ranges")
    return torch.from_numpy(panel.ranges[:rows].copy())


def standardisation(series: list[Series]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every input over the training window; shapes (inputs,)."""
    everything = torch.cat([one.inputs for one in series]).double()
    return everything.mean(0), everything.std(0)


def batch_of(series: list[Series], numbers: Training, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random windows of random series: inputs (batch, window, inputs) and targets (batch, window)."""
    picks = torch.randint(len(series), (numbers.batch,), generator=random).tolist()
    inputs, targets = [], []
    for pick in picks:
        one = series[pick]
        start = int(torch.randint(len(one.target) - numbers.window, (1,), generator=random))
        inputs.append(one.inputs[start : start + numbers.window])
        targets.append(one.target[start : start + numbers.window])
    return torch.stack(inputs), torch.stack(targets)


def rate(step: int, numbers: Training) -> float:
    """The share of the learning rate at a step: a linear rise, then half a cosine down to ``last_rate``."""
    if step < numbers.rise:
        return (step + 1) / numbers.rise
    progress = (step - numbers.rise) / max(1, numbers.steps - numbers.rise)
    return numbers.last_rate + (1 - numbers.last_rate) * 0.5 * (1 + math.cos(math.pi * progress))


def train(panels: tuple[Panel, ...], recipe: Recipe, told: Callable[[int, float], None] = lambda step, loss: None) -> Trained:
    """A network trained from scratch; the same recipe on the same machine gives the same weights.

    ``told`` hears the step and its mean negative log score.
    """
    torch.manual_seed(recipe.seed)
    torch.use_deterministic_algorithms(True)
    series = training_series(panels, recipe)
    network = LstmJsu(recipe.network, *standardisation(series))
    losses, averaged = descend(network, series, recipe, told)
    last = losses[-max(1, len(losses) // 10) :]
    return Trained(averaged, len(series), sum(last) / len(last))


def descend(
    network: LstmJsu, series: list[Series], recipe: Recipe, told: Callable[[int, float], None]
) -> tuple[list[float], LstmJsu]:
    """Every step's loss, and the exponential average of the weights over the second half of the steps."""
    numbers = recipe.training
    random = torch.Generator().manual_seed(recipe.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=numbers.learning_rate, weight_decay=numbers.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate(step, numbers))
    averaging = get_ema_multi_avg_fn(numbers.average_decay)  # type: ignore[no-untyped-call]
    average = AveragedModel(network, multi_avg_fn=averaging)
    losses = []
    for step in range(numbers.steps):
        losses.append(descended(network, optimiser, batch_of(series, numbers, random), numbers))
        schedule.step()
        if step >= numbers.steps // 2:
            average.update_parameters(network)
        told(step + 1, losses[-1])
    network.load_state_dict(average.module.state_dict())
    return losses, network.eval()


def descended(network: LstmJsu, optimiser: torch.optim.Optimizer, batch: tuple[Tensor, Tensor], numbers: Training) -> float:
    """One step downhill; its mean negative log score over the scored part of the windows."""
    inputs, target = batch
    params = network(inputs)
    loss = negative_log_density(target, params)[:, numbers.unscored :].mean()
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), numbers.gradient_norm)
    optimiser.step()
    return float(loss.detach())
