"""Trains the allocation network on what is known before a session; its newest part only chooses where to stop."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from riskd.core.arrays import Floats
from riskd.core.measures.tail import tail
from riskd_models.papers.deep_allocation.net import Allotter, loss
from riskd_models.papers.deep_allocation.numbers import Numbers

EVERY = 10  # steps between two looks at the later rows
GRADIENT_NORM = 1.0


@dataclass(eq=False)
class Trained:
    """The network at its best look, and the curves: loss on learnt and on later rows, (looks,)."""

    network: Allotter
    learnt: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)


def train(
    inputs: Floats,
    returns: Floats,
    numbers: Numbers,
    price: float,
    seed: int,
    device: str = "cpu",
    told: Callable[[float], None] = lambda share: None,
) -> Trained:
    """A network from ``inputs`` (rows, k) and what the assets then brought, ``returns`` (rows, n), of consecutive sessions.

    Every ``stride``-th row is used. Scaler and weights know the older rows alone. A gap of the horizon lies between them and the
    later ones, whose returns would overlap. Without validation the last step's network is taken. One thread: the same seed gives
    the same bits on one machine.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    inputs, returns = inputs[:: numbers.stride], returns[:: numbers.stride]
    x, r = (torch.from_numpy(np.ascontiguousarray(a)).float().to(device) for a in (inputs, returns))
    (older, later), gap = parted(len(x), numbers), numbers.horizon // numbers.stride
    centre, spread = x[older].mean(dim=0), x[older].std(dim=0)
    network = Allotter(centre, torch.where(spread > 0, spread, 1.0), numbers.hidden, returns.shape[1]).to(device)
    equal = -returns[older].mean(axis=1)
    tau = nn.Parameter(torch.tensor(tail(equal, numbers.level).threshold, dtype=torch.float32, device=device))

    def lost(rows: slice, at: Tensor) -> Tensor:
        return loss(network(x[rows]), r[rows], at, numbers.level, price, numbers.cost, gap)

    found = Trained(network)

    def judged() -> float:
        with torch.no_grad():
            return later_loss(network(x[later]), r[later], numbers, price)

    _descend(found, tau, numbers, lambda: lost(older, tau), judged, told)
    network.cpu().eval()
    return found


def _descend(
    found: Trained,
    tau: nn.Parameter,
    numbers: Numbers,
    older: Callable[[], Tensor],
    later: Callable[[], float],
    told: Callable[[float], None],
) -> None:
    """Adam with a rate that falls to nothing; ``found`` ends at its best look, or at its last where nothing is judged on."""
    network = found.network
    best, least = copy.deepcopy(network.state_dict()), later() if numbers.validation else float("inf")
    groups: list[dict[str, Any]] = [{"params": network.parameters(), "weight_decay": numbers.decay}, {"params": [tau]}]
    optimiser = torch.optim.Adam(groups, lr=numbers.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / numbers.steps)
    for step in range(1, numbers.steps + 1):
        value = older()
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
        optimiser.step()
        schedule.step()
        if step % EVERY == 0 or step == numbers.steps:
            found.learnt.append(float(value.detach()))
            told(step / numbers.steps)
            if numbers.validation:
                found.later.append(later())
                if found.later[-1] < least:
                    least, best = found.later[-1], copy.deepcopy(network.state_dict())
    if numbers.validation:
        network.load_state_dict(best)


def parted(rows: int, numbers: Numbers) -> tuple[slice, slice]:
    """The older rows, which are learnt from, and the later ones, which choose the step; what lies between is in neither."""
    cut = rows - round(numbers.validation * rows)
    return slice(0, max(0, cut - numbers.horizon // numbers.stride) if cut < rows else cut), slice(cut, rows)


def later_loss(weights: Tensor, returns: Tensor, numbers: Numbers, price: float) -> float:
    """The objective of weights and returns (rows, assets), with their own VaR as tau."""
    brought = (weights * returns).sum(dim=1)
    var = torch.tensor(tail(-brought.double().cpu().numpy(), numbers.level).threshold, dtype=torch.float32)
    gap = numbers.horizon // numbers.stride
    return float(loss(weights, returns, var.to(returns.device), numbers.level, price, numbers.cost, gap))
