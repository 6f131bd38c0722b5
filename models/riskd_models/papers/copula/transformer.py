"""Transformer-VaR: a causally masked encoder that gives quantiles of one portfolio's loss and its tail mean, without a copula.

It learns from the history of the weights that it was trained with. Of other weights it knows nothing: it cannot answer what a
trade would change, and must be trained again for every portfolio.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention, softplus

from riskd.core.arrays import Floats
from riskd.errors import ModelError
from riskd_models.papers.copula.curve import KNOTS, losses_of, tail_means
from riskd_models.papers.copula.descent import Curve, begin, descend
from riskd_models.papers.copula.task import Task, windows_before
from riskd_models.study.quantified import LEVELS

WIDTH, HEADS, LAYERS, DROPOUT = 16, 2, 2, 0.1
RATE = 5e-3
BURN_IN = 20  # steps of a window whose outputs are not trained on: they have seen too little
FZ0_SHARE = 0.1
LEAST = 1e-3  # of the portfolio's standard deviation: between two knots, and of the first VaR above the mean
FIRST = KNOTS.index(LEVELS[0])  # the knot from which the curve is built up and down


class Encoder(nn.Module):
    """One layer: attention to the past and itself, then a small network, both on normalised inputs and added to them."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mixed, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.small = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.SiLU(), nn.Dropout(DROPOUT), nn.Linear(2 * WIDTH, WIDTH))
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        """(rows, sessions, WIDTH) to the same shape; no output knows a later step."""
        parts = self.mixed(self.before(x)).unflatten(2, (3, HEADS, WIDTH // HEADS))  # (rows, sessions, 3, heads, part)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (rows, heads, sessions, part)
        seen = scaled_dot_product_attention(query, key, value, is_causal=True)  # (rows, heads, sessions, part)
        x = x + self.drop(self.out(seen.transpose(1, 2).flatten(2)))
        return x + self.small(self.between(x))  # type: ignore[no-any-return]


class TransformerVar(nn.Module):
    """Windows of standardised returns to the loss's quantiles at KNOTS and its mean beyond the last one."""

    def __init__(self, inputs: int, window: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(inputs, WIDTH)
        self.place = nn.Parameter(0.02 * torch.randn(window, WIDTH))
        self.layers = nn.ModuleList(Encoder() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, len(KNOTS) + 1)
        nn.init.normal_(self.head.weight, std=0.02)
        with torch.no_grad():
            self.head.bias.copy_(first_bias())

    def forward(self, window: Tensor) -> tuple[Tensor, Tensor]:
        """(rows, sessions, inputs) to quantiles (rows, sessions, knots), rising, and the last tail mean (rows, sessions)."""
        x = self.embedding(window) + self.place  # (rows, sessions, WIDTH)
        for layer in self.layers:
            x = layer(x)
        steps = softplus(self.head(self.norm(x))) + LEAST  # (rows, sessions, knots + 1), all positive
        first, body, tail = steps[..., :1], steps[..., 1 : FIRST + 1], steps[..., FIRST + 1 : -1]
        above = first + torch.cumsum(tail, dim=-1)
        below = (first - torch.cumsum(body, dim=-1)).flip(-1)
        quantiles = torch.cat([below, first, above], dim=-1)
        return quantiles, quantiles[..., -1] + steps[..., -1]


def first_bias() -> Tensor:
    """The head's bias with which the curve begins as a standard normal one."""
    normal = torch.special.ndtri(torch.tensor(KNOTS, dtype=torch.float64))
    gaps = torch.diff(normal)
    steps = torch.cat([normal[FIRST : FIRST + 1], gaps[:FIRST].flip(0), gaps[FIRST:], torch.tensor([0.3], dtype=torch.float64)])
    return torch.log(torch.expm1(steps - LEAST)).float()


def score(quantiles: Tensor, last: Tensor, loss: Tensor) -> Tensor:
    """Mean pinball over all knots, plus FZ0_SHARE of the mean FZ0 over LEVELS; ``loss`` and ``last`` (rows, steps)."""
    knots = torch.tensor(KNOTS, device=loss.device)
    error = loss[..., None] - quantiles
    pinball = torch.maximum(knots * error, (knots - 1) * error).mean()
    var, levels = quantiles[..., FIRST:], knots[FIRST:]
    cvar = tail_means(var, last)
    excess = (loss[..., None] - var).clamp(min=0) / ((1 - levels) * cvar)
    return pinball + FZ0_SHARE * (excess + var / cvar + cvar.log() - 1).mean()


@dataclass(frozen=True, slots=True, eq=False)
class PortfolioForecast:
    """The trained network as a forecast of its one portfolio; ``quantiles`` (rows, knots) and ``last`` (rows,) are losses."""

    first: int
    weights: Floats
    quantiles: Floats
    last: Floats
    network: TransformerVar
    curve: Curve
    inputs: Tensor  # (sessions, 2)

    def ordered(self, day: int) -> Floats:
        """Simple returns (1, outcomes), rising."""
        place = day - self.first
        return -losses_of(self.quantiles[place], self.last[place])[None, ::-1]

    def of_weights(self, weights: Floats) -> "PortfolioForecast":
        """Itself for the weights that it was trained with; raises ModelError for any other: there is no what-if."""
        if weights.shape != self.weights.shape or not np.allclose(weights, self.weights, rtol=0, atol=1e-12):
            raise ModelError(
                "transformer-var forecasts the one portfolio that it was trained for; train it again for other weights"
            )
        return self


def transformer_var(task: Task) -> PortfolioForecast:
    """Trained on the known rows of the task's one portfolio; raises ModelError where the task has several."""
    network, curve, seen = learnt_network(task)
    with torch.no_grad():
        places = torch.from_numpy(windows_before(task.rows, task.numbers.window))
        quantiles, last = (part[:, -1].double().numpy() for part in network(seen.inputs[places]))
    centre, scale = seen.centre[0], seen.scale[0]
    return PortfolioForecast(
        task.rows.start, task.weights, centre + scale * quantiles, centre + scale * last, network, curve, seen.inputs
    )


def learnt_network(task: Task) -> tuple[TransformerVar, Curve, "Seen"]:
    """The network, how it learnt and what it saw; raises ModelError where the task has several portfolios."""
    if len(task.weights) != 1:
        raise ModelError(f"transformer-var is trained for one portfolio, the task has {len(task.weights)}; give it one at a time")
    begin(task.numbers.seed)
    seen = standardised(task)
    network = TransformerVar(seen.inputs.shape[1], task.numbers.window).to(task.device)
    inputs = seen.inputs.to(task.device)
    curve = trained(network, inputs, inputs[:, 0], task)
    return network.cpu(), curve, seen


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """``inputs`` (sessions, 2): the portfolio's loss and its size, less ``centre``, in units of ``scale`` (2,)."""

    inputs: Tensor
    centre: Floats
    scale: Floats


def standardised(task: Task) -> Seen:
    """What the network reads, scaled by the learnt rows alone."""
    loss = -task.realised[:, 0]
    columns = np.column_stack([loss, np.abs(loss)])
    past = columns[task.learnt.start : task.learnt.stop]
    centre, scale = past.mean(axis=0), past.std(axis=0)
    return Seen(torch.from_numpy((columns - centre) / scale).float(), centre, scale)


def trained(network: TransformerVar, inputs: Tensor, loss: Tensor, task: Task) -> Curve:
    """Descends on windows of the learnt rows; every step of a window past BURN_IN predicts the row after it."""
    numbers, random = task.numbers, np.random.default_rng(task.numbers.seed)
    length, known = numbers.window, task.block.known

    def scored(places: Tensor) -> Tensor:
        quantiles, last = network(inputs[places])  # of each step: the row after it
        return score(quantiles[:, BURN_IN:], last[:, BURN_IN:], loss[places + 1][:, BURN_IN:])

    def learnt() -> Tensor:
        ends = random.integers(known.start + length, task.learnt.stop, numbers.batch // 2)
        return scored(torch.from_numpy(windows_before(ends, length)))

    later = torch.from_numpy(windows_before(range(task.learnt.stop, known.stop), length))

    def judged() -> Tensor:
        quantiles, last = network(inputs[later])
        return score(quantiles[:, -1], last[:, -1], loss[later[:, -1] + 1])

    told: Callable[[float], None] = lambda share: task.told("transformer-var: training", share)  # noqa: E731
    return descend(network, learnt, judged, numbers.transformer_steps, RATE, told)
