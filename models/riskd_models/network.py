"""The network: twelve inputs or sixteen, one LSTM layer and a Johnson-SU head, the same weights for every asset."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from riskd.forecast.contract import HEAD
from riskd_models.features import State, advanced
from riskd_models.recipe import Network, Scale

Params = tuple[Tensor, Tensor, Tensor, Tensor]  # mu, sigma, delta, eps


class LstmJsu(nn.Module):
    """Maps inputs after session t to the distribution of z = r / S of session t + 1."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, numbers: Network, mean: Tensor, deviation: Tensor) -> None:
        """``mean`` and ``deviation`` (inputs,) standardise the inputs; they are of the training window alone."""
        super().__init__()
        self.numbers = numbers
        self.register_buffer("mean", mean.float())
        self.register_buffer("deviation", deviation.float())
        self.lstm = nn.LSTM(len(mean), numbers.hidden, batch_first=True)
        self.head = nn.Linear(numbers.hidden + len(mean), 4)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, inputs: Tensor) -> Params:
        """The parameters after every session of ``inputs`` (series, sessions, inputs), h = c = 0 at the start."""
        params, _ = self.run(inputs, None)
        return params

    def run(self, inputs: Tensor, memory: tuple[Tensor, Tensor] | None) -> tuple[Params, tuple[Tensor, Tensor]]:
        """As :meth:`forward`, from a memory (h, c) of shapes (1, series, hidden); also the memory afterwards."""
        clip = self.numbers.input_clip
        x = ((inputs.float() - self.mean) / self.deviation).clamp(-clip, clip)
        hidden, after = self.lstm(x, memory)  # (series, sessions, hidden)
        return self.parameters_of(self.head(torch.cat([hidden, x], dim=-1))), after

    def parameters_of(self, output: Tensor) -> Params:
        """mu, sigma, delta, eps of the four linear outputs, each within its bounds."""
        o0, o1, o2, o3 = output.unbind(-1)
        location, log_scale = self.numbers.largest_location, self.numbers.largest_log_scale
        sigma = torch.exp(log_scale * torch.tanh(o1 / log_scale))
        return location * torch.tanh(o0), sigma, 1 + softplus(o2 + self.numbers.tail_shift), torch.tanh(o3)


def negative_log_density(z: Tensor, params: Params) -> Tensor:
    """-log f(z) of the Johnson SU distribution; the same formula as riskd.core.johnson_su, for torch."""
    mu, sigma, delta, eps = params
    g = delta * torch.asinh((z - mu) / (sigma * delta) + torch.sinh(eps / delta)) - eps
    return 0.5 * g**2 + 0.5 * math.log(2 * math.pi) + torch.log(sigma * torch.cosh((g + eps) / delta))


def drawn(state: State, scores: Tensor) -> Tensor:
    """Log returns of normal scores under the state's forecast, all (paths, assets); the inverse of the score in the density."""
    mu, sigma, delta, eps = (state[name] for name in HEAD)
    lift = torch.sinh((scores + eps) / delta) - torch.sinh(eps / delta)
    return state["G"].sqrt() * (mu + sigma * delta * lift)


@torch.no_grad()
def stepped(network: LstmJsu, state: State, r: Tensor, scale: Scale, market: int, rv: Tensor | None = None) -> State:
    """One session with explicit state, as the exported graph does it; ``r`` has shape (paths, columns), ``market`` assets first.

    Takes the recursive arrays of riskd.forecast.contract and gives them with the head's parameters added. ``rv`` as in
    :func:`~riskd_models.features.advanced`.
    """
    paths, assets = r.shape
    new, inputs = advanced(state, r, scale, market, rv)
    memory = (state["h"].reshape(1, paths * assets, -1), state["c"].reshape(1, paths * assets, -1))
    params, (h, c) = network.run(inputs.reshape(paths * assets, 1, inputs.shape[-1]), memory)
    new |= {"h": h.reshape(paths, assets, -1), "c": c.reshape(paths, assets, -1)}
    return new | {name: value.reshape(paths, assets) for name, value in zip(HEAD, params, strict=True)}
