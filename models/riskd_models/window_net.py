"""The window network in torch: a recurrent layer or causal convolutions read the last returns, a head says what is next."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, softplus

from riskd.forecast.window_card import HEADS
from riskd_models.window_recipe import Network
from riskd_models.window_tcn import Tcn

Params = tuple[Tensor, ...]  # as HEADS names them


class WindowNet(nn.Module):
    """Maps windows of standardised returns to the parameters of the next one."""

    def __init__(self, numbers: Network, assets: int) -> None:
        """``assets`` read together by a joint network; 1 where each is read by itself."""
        super().__init__()
        self.numbers = numbers
        self.body = body_of(numbers, assets)
        self.head = nn.Linear(numbers.hidden, assets * len(HEADS[numbers.head]))

    def forward(self, window: Tensor) -> Params:
        """Of windows (paths, assets, sessions) parameters (paths, assets); shared: of (rows, sessions) parameters (rows,)."""
        rows = window if self.numbers.joint else window[:, None]  # (rows, inputs, sessions)
        output = self.head(self.newest(rows))
        if self.numbers.head == "mean":
            return (output if self.numbers.joint else output[:, 0],)
        mu, width, tail = output.unbind(-1)
        span = self.numbers.most_dof - self.numbers.least_dof
        return mu, softplus(width) + self.numbers.least_sigma, self.numbers.least_dof + span * torch.sigmoid(tail)

    def newest(self, rows: Tensor) -> Tensor:
        """What the body knows after the last step of (rows, inputs, sessions); shape (rows, hidden)."""
        if isinstance(self.body, Tcn):
            return self.body(rows)[:, :, -1]  # type: ignore[no-any-return]
        return self.body(rows.permute(2, 0, 1))[0][-1]  # type: ignore[no-any-return]


def body_of(numbers: Network, inputs: int) -> nn.Module:
    """The layer that reads a window, as the recipe's ``cell`` names it."""
    if numbers.cell == "tcn":
        return Tcn(inputs, numbers.hidden, numbers.kernel, numbers.window)
    return (nn.LSTM if numbers.cell == "lstm" else nn.GRU)(inputs, numbers.hidden)


def loss(params: Params, target: Tensor) -> Tensor:
    """Mean squared error of a mean, mean negative log density of a Student-t."""
    return mse_loss(params[0], target) if len(params) == 1 else -log_density(target, *params).mean()


def log_density(z: Tensor, mu: Tensor, sigma: Tensor, nu: Tensor) -> Tensor:
    """log f(z) with z = mu + sigma x, x ~ t_nu; the density of riskd.core.student_t."""
    x = (z - mu) / sigma
    constant = torch.lgamma((nu + 1) / 2) - torch.lgamma(nu / 2) - 0.5 * torch.log(nu * math.pi)
    return constant - torch.log(sigma) - (nu + 1) / 2 * torch.log1p(x**2 / nu)
