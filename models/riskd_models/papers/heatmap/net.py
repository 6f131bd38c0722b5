"""The convolutional network that reads a heat map, untuned and tuned, in torch."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

BLOCKS, FILTERS, DENSE = 5, 64, (128, 64)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a search may change: the square kernel, the pooling, and how the weights are found."""

    kernel: int
    pool: int
    stride: int
    pool_padding: int
    learning_rate: float
    weight_decay: float = 1e-4  # the L2 penalty, whose weight the paper does not give
    dropout: float = 0.5
    anchored: bool = (
        False  # whether the network says how far the target is from the last 22 sessions' volatility, not where it is
    )

    @property
    def padding(self) -> int:
        """What keeps a convolution's output as large as its input: 1 for 3 x 3, 2 for 5 x 5."""
        return self.kernel // 2

    def told(self) -> dict[str, Any]:
        """As values that JSON knows."""
        return asdict(self)


BASE = Numbers(kernel=3, pool=2, stride=2, pool_padding=0, learning_rate=1e-3)
ANCHORED = Numbers(kernel=3, pool=2, stride=2, pool_padding=0, learning_rate=1e-3, anchored=True)  # ours, not the paper's
# Without stride 2 and padding 1, pooling by 3 x 3 leaves nothing after the third block.
TUNED = Numbers(kernel=5, pool=3, stride=2, pool_padding=1, learning_rate=5e-4)


class HeatNet(nn.Module):
    """Five blocks of convolution, ReLU and pooling halve 32 pixels to one; two dense layers read what is left."""

    def __init__(self, numbers: Numbers) -> None:
        super().__init__()
        self.numbers = numbers
        channels = (1, *[FILTERS] * BLOCKS)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, numbers.kernel, padding=numbers.padding) for a, b in zip(channels, channels[1:], strict=False)
        )
        self.pool = nn.MaxPool2d(numbers.pool, numbers.stride, numbers.pool_padding)
        sizes = (FILTERS, *DENSE, 1)
        self.dense = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False))
        self.dropout = nn.Dropout(numbers.dropout)

    def forward(self, image: Tensor) -> Tensor:
        """The standardised target (n,) of images (n, SIDE, SIDE)."""
        x = image[:, None].contiguous(memory_format=torch.channels_last)  # (n, 1, 32, 32)
        for convolution in self.convolutions:
            x = self.pool(torch.relu(convolution(x)))  # 32 -> 16 -> 8 -> 4 -> 2 -> 1
        x = x.flatten(1)  # (n, FILTERS)
        for layer in self.dense[:-1]:
            x = self.dropout(torch.relu(layer(x)))  # (n, 128), (n, 64)
        return self.dense[-1](x)[:, 0]  # type: ignore[no-any-return]
