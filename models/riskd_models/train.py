"""Trains the network from scratch in seconds: few steps on purpose, for twice as many gained nothing out of sample."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from riskd.errors import ConfigError
from riskd_models.features import INPUTS, history, input_count
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
    """Every series of every panel, past its warm-up and up to the end of training; no later return is touched.

    With ranges, the four inputs of them are NaN in a panel that has no bars.
    """
    found, plain = [], recipe.scale.model_copy(update={"ranges": None})
    for panel in panels:
        rows = sum(1 for session in panel.sessions if session <= recipe.pool.train_until)
        returns = torch.from_numpy(panel.returns[:rows].copy())
        ranges = None if panel.ranges is None else torch.from_numpy(panel.ranges[:rows].copy())
        inputs, base = history(returns, plain if ranges is None else recipe.scale, panel.market, ranges)
        inputs = pad(inputs, (0, input_count(recipe.scale) - inputs.shape[-1]), value=math.nan)
        first = recipe.pool.warm_up
        target = (returns / base)[first + 1 :].clamp(-recipe.training.target_clip, recipe.training.target_clip)
        known = inputs[first:-1].float()
        found += [Series(known[:, i], target[:, i].float()) for i in range(known.shape[1])]
    return found


def standardisation(series: list[Series]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every input over the training window; shapes (inputs,).

    Those of ranges are of the series that have them; raises ConfigError where none has.
    """
    everything = torch.cat([one.inputs for one in series]).double()
    plain, ranges = everything[:, :INPUTS], everything[:, INPUTS:]
    if not ranges.shape[1]:
        return plain.mean(0), plain.std(0)
    known = ranges[~ranges.isnan().all(dim=1)]
    if not len(known):
        raise ConfigError("no series has bars for long enough; train until a later day")
    return torch.cat([plain.mean(0), known.mean(0)]), torch.cat([plain.std(0), known.std(0)])


def balanced(series: list[Series], mean: Tensor, recipe: Recipe) -> list[Series]:
    """The series with ranges at their ``mean`` where there are none, and those that have them ``counted`` times among others.

    At the mean an input is zero to the network, whatever its weight: nothing is learnt of ranges from a series without.
    """
    lacking = [bool(one.inputs[:, INPUTS:].isnan().any()) for one in series]
    if recipe.scale.ranges is None or not any(lacking):
        return series
    absent = mean[INPUTS:].float()
    filled = [
        Series(torch.cat([one.inputs[:, :INPUTS], absent.expand(len(one.inputs), -1)], dim=1), one.target) if lacks else one
        for one, lacks in zip(series, lacking, strict=True)
    ]
    with_bars = [one for one, lacks in zip(series, lacking, strict=True) if not lacks]
    return filled + with_bars * (recipe.scale.ranges.counted - 1)


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
    mean, deviation = standardisation(series)
    losses, averaged = descend(LstmJsu(recipe.network, mean, deviation), balanced(series, mean, recipe), recipe, told)
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
