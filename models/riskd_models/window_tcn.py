"""A temporal convolutional network: causal dilated convolutions with residual connections, read at the newest step."""

from torch import Tensor, nn
from torch.nn.functional import pad, silu


def dilations(window: int, kernel: int) -> tuple[int, ...]:
    """1, 2, 4, ... until a stack of convolutions of ``kernel`` taps sees a whole window: 1 + (kernel - 1) sum(d) >= window."""
    found = [1]
    while 1 + (kernel - 1) * sum(found) < window:
        found.append(2 * found[-1])
    return tuple(found)


class Tcn(nn.Module):
    """Maps sequences (rows, inputs, sessions) to (rows, channels, sessions); step t knows the steps up to t and no later one.

    One convolution a level, where the source has two and weight normalisation: for so little data the smaller one is enough.
    Source: S. Bai, Z. Kolter, V. Koltun, arXiv 1803.01271, section 3.
    """

    def __init__(self, inputs: int, channels: int, kernel: int, window: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.dilations = dilations(window, kernel)
        self.entry = nn.Conv1d(inputs, channels, 1)
        self.levels = nn.ModuleList(nn.Conv1d(channels, channels, kernel, dilation=d) for d in self.dilations)

    @property
    def receptive_field(self) -> int:
        """Steps, the newest among them, that one output depends on."""
        return 1 + (self.kernel - 1) * sum(self.dilations)

    def forward(self, steps: Tensor) -> Tensor:
        """Padded on the side of the past alone, so that every level keeps the length."""
        x: Tensor = self.entry(steps)  # (rows, channels, sessions)
        for level, dilation in zip(self.levels, self.dilations, strict=True):
            x = x + silu(level(pad(x, (dilation * (self.kernel - 1), 0))))  # (rows, channels, sessions)
        return x
