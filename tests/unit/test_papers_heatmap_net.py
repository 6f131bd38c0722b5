"""Seed 2's networks: their shapes, what they can learn, and that training is repeated to the bit."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from riskd_models.papers.heatmap.image import SIDE
from riskd_models.papers.heatmap.net import ANCHORED, BASE, TUNED, HeatNet, Numbers
from riskd_models.papers.heatmap.training import Budget, Lesson, train

pytestmark = pytest.mark.unit


@cache
def lesson(count: int, seed: int = 3) -> Lesson:
    """Noise images whose target hangs on nothing in them: what is learnt of it is learnt by heart."""
    random = np.random.default_rng(seed)
    target = random.standard_normal(count) * 0.4 - 4.5
    return Lesson(random.standard_normal((count, SIDE, SIDE)).astype(np.float32), target, target + 0.1)


@pytest.mark.parametrize("numbers", [BASE, TUNED, ANCHORED])
def test_five_blocks_end_in_one_pixel(numbers: Numbers) -> None:
    """32 pixels are halved five times to 64 x 1 x 1; dense layers of 128 and 64 follow; one number comes out."""
    network = HeatNet(numbers)
    x, sides = torch.zeros(2, 1, SIDE, SIDE), []
    for convolution in network.convolutions:
        x = network.pool(convolution(x))
        sides.append(tuple(x.shape[1:]))
    assert sides == [(64, 16, 16), (64, 8, 8), (64, 4, 4), (64, 2, 2), (64, 1, 1)]
    assert [layer.out_features for layer in network.dense] == [128, 64, 1]
    assert network(torch.zeros(2, SIDE, SIDE)).shape == (2,)
    assert network.dropout.p == 0.5


def test_the_tuned_network_cannot_be_pooled_as_written() -> None:
    """Windows of three that move by three leave nothing to pool after the third block."""
    network = HeatNet(replace(TUNED, stride=3, pool_padding=0))
    with pytest.raises(RuntimeError, match="Output size is too small|too small"):
        network(torch.zeros(1, SIDE, SIDE))


def test_it_learns_64_images_by_heart() -> None:
    """Without dropout and penalty the untuned network explains more than 0.95 of 64 targets that no image tells."""
    own = lesson(64)
    numbers = replace(BASE, dropout=0.0, weight_decay=0.0)
    trained = train(own, own, numbers, Budget(epochs=26, batch=16))
    assert 1 - min(trained.errors) ** 2 / own.target.var() > 0.95
    found = trained.predict(own.images, own.before)
    assert np.sqrt(np.mean((found - own.target) ** 2)) == pytest.approx(min(trained.errors))  # the best epoch is the one kept


def test_the_same_seed_gives_the_same_weights() -> None:
    """Trained twice the forecasts are the same bytes; with another seed they are not."""
    few = lesson(48)
    one, again, other = (train(few, few, BASE, Budget(1, 16, seed)).predict(few.images, few.before) for seed in (0, 0, 1))
    assert one.tobytes() == again.tobytes() != other.tobytes()


def test_an_anchored_network_moves_with_its_anchor() -> None:
    """The volatility before is added to what the network says, so twice the volatility is forecast twice as high."""
    few = lesson(48)
    trained = train(few, few, ANCHORED, Budget(1, 16))
    shifted = trained.predict(few.images, few.before + np.log(2))
    assert np.allclose(shifted - trained.predict(few.images, few.before), np.log(2), atol=1e-6)
