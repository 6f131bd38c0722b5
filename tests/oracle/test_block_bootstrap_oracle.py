"""The stationary bootstrap against what its definition implies."""

import numpy as np
import pytest

from riskd.core.scenarios.block_bootstrap import BLOCK, block_rows, fit_block_bootstrap

pytestmark = pytest.mark.oracle


def rows(sessions: int, paths: int, pool: int) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    return block_rows(np.random.default_rng(6), sessions, paths, pool)


def test_blocks_have_the_mean_length() -> None:
    """A path goes on to the session after with probability 1 - 1/BLOCK, a jump that happens to land there included."""
    drawn = rows(101, 2000, 700)
    goes_on = (drawn[1:] == (drawn[:-1] + 1) % 700).mean()
    expected = 1 - 1 / BLOCK + 1 / BLOCK / 700
    assert goes_on == pytest.approx(expected, abs=5 * np.sqrt(expected * (1 - expected) / 200_000))


def test_block_lengths_are_geometric() -> None:
    """As many jumps right after a jump as at any other time: how long a block has lasted says nothing."""
    drawn = rows(401, 1000, 10_000)
    jumps = drawn[1:] != (drawn[:-1] + 1) % 10_000
    after_jump = jumps[1:][jumps[:-1]]
    assert after_jump.mean() == pytest.approx(1 / BLOCK, abs=5 * np.sqrt(1 / BLOCK / len(after_jump)))


@pytest.mark.parametrize("day", [0, 1, 30])
def test_every_past_session_is_equally_likely_on_every_day(day: int) -> None:
    """Also the oldest and the newest, because the newest is followed by the oldest."""
    counts = np.bincount(rows(31, 50_000, 20)[day], minlength=20)
    assert np.abs(counts - 2500).max() < 5 * np.sqrt(2500)


def test_what_follows_what_is_kept() -> None:
    """Scores that swing with a period of eight keep swinging in drawn paths; drawn one by one they would not."""
    wave = np.sin(np.arange(800) * np.pi / 4)[:, None]
    drawn = fit_block_bootstrap(wave).draw(np.random.default_rng(1), 60, 2000)[:, :, 0]
    found = np.mean(drawn[8:] * drawn[:-8]) / np.mean(drawn**2)
    assert found == pytest.approx((1 - 1 / BLOCK) ** 8, abs=0.02)
