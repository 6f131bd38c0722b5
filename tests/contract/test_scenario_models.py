"""Every scenario model keeps the promises of riskd.core.scenarios.model, whoever adds one."""

import numpy as np
import pytest

from riskd.core.arrays import Floats
from riskd.core.scenarios import SCENARIO_MODELS

pytestmark = pytest.mark.contract
PATHS = 20_000
every = pytest.mark.parametrize("name", sorted(SCENARIO_MODELS))


def scores(sessions: int, assets: int, seed: int = 1, weight: float = 0.6) -> Floats:
    """Normal scores that share one factor."""
    random = np.random.default_rng(seed)
    common = random.standard_normal((sessions, 1))
    return weight * common + np.sqrt(1 - weight**2) * random.standard_normal((sessions, assets))


def generator(seed: int = 3) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


@every
@pytest.mark.parametrize(("sessions", "assets"), [(400, 1), (400, 2), (400, 7), (60, 90)])
def test_draws_are_finite_and_near_standard_normal(name: str, sessions: int, assets: int) -> None:
    """One asset, several, more assets than sessions: the right shape, finite, mean near 0, deviation near 1."""
    draws = SCENARIO_MODELS[name](scores(sessions, assets)).draw(generator(), 1, PATHS)[0]
    assert draws.shape == (PATHS, assets)
    assert np.isfinite(draws).all()
    luck = 5 / np.sqrt(sessions)  # of the pool itself
    assert np.abs(draws.mean(axis=0)).max() < luck
    assert np.abs(draws.std(axis=0) - 1).max() < luck


@every
def test_dependence_is_kept(name: str) -> None:
    """Correlated scores give correlated draws, independent ones do not; opposite ones move against each other."""
    model = SCENARIO_MODELS[name]
    together = np.corrcoef(model(scores(1500, 3, weight=0.9)).draw(generator(), 1, PATHS)[0], rowvar=False)
    apart = np.corrcoef(model(scores(1500, 3, weight=0.0)).draw(generator(), 1, PATHS)[0], rowvar=False)
    assert together[0, 1] == pytest.approx(0.81, abs=0.07)
    assert abs(apart[0, 1]) < 0.1
    x = scores(1500, 1)
    opposed = model(np.hstack([x, -0.9 * x + 0.4 * scores(1500, 1, seed=2)])).draw(generator(), 1, PATHS)[0]
    assert np.corrcoef(opposed, rowvar=False)[0, 1] < -0.7


@every
def test_one_seed_one_answer(name: str) -> None:
    """The same scores and seed give the same bytes, another seed others."""
    pool = scores(300, 4)
    first, again = (SCENARIO_MODELS[name](pool).draw(generator(), 1, 500)[0] for _ in range(2))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != SCENARIO_MODELS[name](pool).draw(generator(4), 1, 500)[0].tobytes()


@every
def test_the_count_of_random_numbers_does_not_depend_on_the_fit(name: str) -> None:
    """After a draw the generator stands at the same place, whatever the scores were: banks of two days keep in step."""
    following = []
    for pool in (scores(300, 4), scores(300, 4, seed=9, weight=0.95), 3 * scores(700, 4, seed=2, weight=0.1)):
        random = generator()
        SCENARIO_MODELS[name](pool).draw(random, 1, 777)[0]
        following.append(random.random())
    assert len(set(following)) == 1


@every
def test_the_scores_are_left_alone(name: str) -> None:
    """The pool is read only: fitting and drawing write nothing into it."""
    pool = scores(300, 3)
    pool.flags.writeable = False
    before = pool.tobytes()
    SCENARIO_MODELS[name](pool).draw(generator(), 1, 100)[0]
    assert pool.tobytes() == before


@every
def test_one_more_session_is_a_small_change(name: str) -> None:
    """With common random numbers a pool that grew by one session draws nearly the same scores on most paths."""
    pool = scores(1200, 3)
    grown = pool.copy()
    grown[0] = scores(1, 3, seed=5)[0]
    before, after = (SCENARIO_MODELS[name](p).draw(generator(), 1, 5000)[0] for p in (pool, grown))
    assert np.quantile(np.abs(before - after), 0.95) < 0.05
