"""One way to train the networks of this paper: Adam with a falling rate, and the weights that did best on later sessions."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

Loss = Callable[[], Tensor]
LOOKS = 20  # at the later sessions, evenly over the training
GRADIENT_NORM = 1.0


@dataclass(slots=True)
class Curve:
    """Mean training loss since the look before, and loss on later sessions, one of each a look; ``best`` is the look kept.

    ``start`` is the loss on later sessions before the first step.
    """

    learnt: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)
    best: int = 0
    start: float = math.nan


def begin(seed: int) -> None:
    """Sets torch up so that the same seed gives the same bits on one machine: for nets so small one thread is fastest too."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)


def descend(network: nn.Module, learnt: Loss, later: Loss, steps: int, rate: float, told: Callable[[float], None]) -> Curve:
    """Takes ``steps`` on the loss ``learnt`` and keeps the weights with the least loss ``later``; the network is left in eval."""
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    curve = Curve(start=looked(network, later))
    least, kept, total, count = float("inf"), copy.deepcopy(network.state_dict()), 0.0, 0
    every = max(1, steps // LOOKS)
    for step in range(1, steps + 1):
        network.train()
        found = learnt()
        optimiser.zero_grad()
        found.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
        optimiser.step()
        schedule.step()
        total, count = total + float(found.detach()), count + 1
        if step % every == 0:
            value = looked(network, later)
            curve.learnt.append(total / count)
            curve.later.append(value)
            total, count = 0.0, 0
            if value < least:
                least, kept, curve.best = value, copy.deepcopy(network.state_dict()), len(curve.later) - 1
            told(step / steps)
    network.load_state_dict(kept)
    network.eval()
    return curve


@torch.no_grad()
def looked(network: nn.Module, later: Loss) -> float:
    """The loss on later sessions, without what is random in training."""
    network.eval()
    return float(later())
