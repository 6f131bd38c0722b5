"""The allocation network in torch, and the loss that makes it one: mean, CVaR by an auxiliary variable, and the cost of trading.

    loss = -mean(R_t' w_t) + lambda (tau + mean((-R_t' w_t - tau)_+) / (1 - alpha)) + k mean |w_{t+H} - drifted(w_t)|

with w_t = softmax(f(x_t)), R_t what each asset brings over H sessions and tau learnt with the weights (Rockafellar and Uryasev
2000): at the optimum of tau the second term is CVaR, so that the whole is the mean-CVaR problem over functions, not weights.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Allotter(nn.Module):
    """Feed-forward layers h = relu(W h + b) of standardised inputs, and a softmax over assets."""

    def __init__(self, centre: Tensor, scale: Tensor, hidden: Sequence[int], assets: int) -> None:
        """``centre`` and ``scale`` (inputs,) standardise, and are part of the network."""
        super().__init__()
        self.centre: Tensor
        self.scale: Tensor
        self.register_buffer("centre", centre.float())
        self.register_buffer("scale", scale.float())
        sizes = [len(centre), *hidden]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False))
        self.head = nn.Linear(sizes[-1], assets)
        nn.init.zeros_(self.head.weight)  # training begins at equal weights
        nn.init.zeros_(self.head.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Weights (rows, assets) of inputs (rows, inputs)."""
        h = (inputs - self.centre) / self.scale
        for layer in self.layers:
            h = torch.relu(layer(h))  # (rows, hidden)
        return torch.softmax(self.head(h), dim=1)


def drifted(weights: Tensor, returns: Tensor) -> Tensor:
    """Weights (rows, assets) after assets brought ``returns`` (rows, assets)."""
    grown = weights * (1 + returns)
    return grown / grown.sum(dim=1, keepdim=True)


def excess_cvar(brought: Tensor, tau: Tensor, level: float) -> Tensor:
    """tau + mean((-r - tau)_+) / (1 - alpha) of returns (rows,): at least CVaR, and equal to it where ``tau`` is VaR."""
    return tau + torch.relu(-brought - tau).mean() / (1 - level)


def loss(weights: Tensor, returns: Tensor, tau: Tensor, level: float, price: float, cost: float, gap: int) -> Tensor:
    """The loss above of weights and returns (rows, assets); ``gap`` rows on is the next decision."""
    brought = (weights * returns).sum(dim=1)  # (rows,)
    value = -brought.mean() + price * excess_cvar(brought, tau, level)
    if cost and len(weights) > gap:
        moved = weights[gap:] - drifted(weights[:-gap], returns[:-gap])
        value = value + cost * moved.abs().sum(dim=1).mean()
    return value
