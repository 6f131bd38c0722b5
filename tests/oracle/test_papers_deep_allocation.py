"""What the deep allocation must do to be called working: the exact optimum where nothing can be read, more where it can."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from allocation_instances import random_problem
from riskd.core.allocation.answer import Ending
from riskd.core.allocation.certificate import violation
from riskd.core.allocation.problem import Problem, Tail
from riskd.core.arrays import Floats
from riskd.core.measures.cvar import cvar
from riskd.errors import ModelError
from riskd.forecast.allotter_card import AllotterSession
from riskd_models.papers.deep_allocation.allocator import DeepAllocation, MeanCvar
from riskd_models.papers.deep_allocation.graph import onnx_bytes
from riskd_models.papers.deep_allocation.numbers import Numbers
from riskd_models.papers.deep_allocation.training import Trained, train

pytestmark = pytest.mark.oracle

BARE = Numbers(steps=600, hidden=(8,), learning_rate=0.03, decay=0.0, validation=0.0, horizon=1, stride=1, cost=0.0)
ROWS = 1500


@pytest.fixture(scope="module")
def simulated() -> Floats:
    """Independent Student-t returns (ROWS, 4) of a month, riskier ones with larger means."""
    random = np.random.default_rng(3)
    spread = np.array([0.01, 0.02, 0.04, 0.06])
    return np.asarray(0.3 * spread + spread * random.standard_t(5, (ROWS, 4)) + 0.01 * random.standard_normal((ROWS, 1)))


def objective(returns: Floats, weights: Floats, price: float) -> float:
    """Mean less the price of CVaR."""
    return float((returns @ weights).mean() - price * cvar(-returns @ weights, 0.95).value)


def exact(returns: Floats, price: float, averse: bool = False) -> Floats:
    """The certified optimum's weights."""
    count = returns.shape[1]
    problem = Problem((Tail(returns, 0.95),), returns.mean(axis=0), np.zeros(count), np.ones(count))
    return MeanCvar(price, averse).allocate(problem).weights


@torch.no_grad()
def given(found: Trained, inputs: Floats) -> Floats:
    """The network's weights (rows, n)."""
    return found.network(torch.from_numpy(inputs).float()).double().numpy()


@pytest.mark.parametrize("price", [0.0, 0.15, 0.4])
def test_with_nothing_to_read_it_finds_the_exact_optimum(simulated: Floats, price: float) -> None:
    """Constant inputs and independent returns: mean less price times CVaR is within 2 % of the linear program's optimum, from
    the largest mean (price 0) to a mix."""
    found = train(np.ones((ROWS, 3)), simulated, BARE, price, seed=1)
    weights, best = given(found, np.ones((1, 3)))[0], exact(simulated, price)
    gap = objective(simulated, best, price) - objective(simulated, weights, price)
    assert -1e-9 <= gap < 0.02 * abs(objective(simulated, best, price))


def test_at_a_high_price_it_is_the_least_cvar(simulated: Floats) -> None:
    """With lambda of 100 CVaR is within 2 % of the least there is; with none the riskiest asset has it all."""
    found = train(np.ones((ROWS, 3)), simulated, BARE, 100.0, seed=1)
    least = cvar(-simulated @ exact(simulated, 1.0, averse=True), 0.95).value
    assert cvar(-simulated @ given(found, np.ones((1, 3)))[0], 0.95).value < 1.02 * least
    free = train(np.ones((ROWS, 3)), simulated, BARE, 0.0, seed=1)
    assert given(free, np.ones((1, 3)))[0, np.argmax(simulated.mean(axis=0))] > 0.98


def test_it_uses_what_there_is_to_read() -> None:
    """Where an input tells which of two assets will rise, it earns in later rows what no constant weights can."""
    random = np.random.default_rng(1)
    sign = random.choice([-1.0, 1.0], 2000)
    returns = 0.01 * np.column_stack([sign, -sign]) + 0.01 * random.standard_normal((2000, 2))
    numbers = replace(BARE, steps=200, validation=0.2, learning_rate=0.01)
    found = train(sign[:1500, None], returns[:1500], numbers, 0.1, seed=1)
    weights = given(found, sign[1500:, None])
    earned = (weights * returns[1500:]).sum(axis=1).mean()
    assert earned > 0.008 > returns[1500:].mean(axis=0).max() + 0.005


def test_weights_are_a_simplex_and_onnx_says_the_same(simulated: Floats) -> None:
    """For ordinary and absurd inputs weights are at least 0 and sum to 1 within 1e-6, in torch and in ONNX Runtime, which agree
    to 1e-6; other inputs are refused."""
    inputs = np.random.default_rng(2).standard_normal((ROWS, 5))
    found = train(inputs, simulated, replace(BARE, steps=30, hidden=(16, 8)), 0.1, seed=2)
    tried = np.vstack([inputs[:200], 1e4 * inputs[:20], np.zeros((1, 5))])
    session = AllotterSession(onnx_bytes(found.network))
    by_torch, by_onnx = given(found, tried), session.weights(tried)
    for weights in (by_torch, by_onnx):
        assert (weights >= 0).all()
        assert weights.sum(axis=1) == pytest.approx(np.ones(len(tried)), abs=1e-6)
    assert by_onnx == pytest.approx(by_torch, abs=1e-6)
    for bad in (np.ones((1, 4)), np.full((1, 5), np.nan)):
        with pytest.raises(ModelError, match="takes 5 finite inputs"):
            session.weights(bad)


def test_the_same_seed_gives_the_same_bytes_and_later_rows_no_gradient(simulated: Floats) -> None:
    """Trained twice the file is the same; other returns in the later fifth change what is chosen, not what is learnt."""
    inputs = np.random.default_rng(4).standard_normal((ROWS, 3))
    numbers = replace(BARE, steps=40, validation=0.2)
    changed = simulated.copy()
    changed[-ROWS // 5 :] *= -3
    one, two, other = (train(inputs, r, numbers, 0.1, seed=5) for r in (simulated, simulated, changed))
    assert onnx_bytes(one.network) == onnx_bytes(two.network)
    assert one.learnt == other.learnt and one.later != other.later


def network(assets: int) -> AllotterSession:
    """An untrained network that has been pushed off equal weights."""
    inputs = np.random.default_rng(6).standard_normal((60, 2))
    returns = 0.01 * np.random.default_rng(7).standard_normal((60, assets)) + 0.01 * np.arange(assets)
    return AllotterSession(onnx_bytes(train(inputs, returns, replace(BARE, steps=15), 0.0, seed=1).network))


@pytest.mark.parametrize("seed", range(0, 40, 5))
def test_as_an_allocator_it_keeps_every_constraint(seed: int) -> None:
    """On problems with bounds, cash, groups and turnover the nearest weights to the network's are proved, or there are none."""
    _, problem = random_problem(seed, lambda _: None)
    answer = DeepAllocation(network(problem.assets), np.zeros(2)).allocate(problem)
    if answer.status is Ending.INFEASIBLE:
        assert np.isnan(answer.weights).all()
        return
    assert answer.status is Ending.OPTIMAL
    free = replace(problem, tails=())
    assert violation(free, answer.weights, np.zeros(0)) < 1e-6


def test_where_nothing_binds_the_allocator_gives_the_networks_weights(simulated: Floats) -> None:
    """Long only and fully invested they are the same to 1e-6; a network of another universe is refused."""
    session = network(4)
    problem = Problem((Tail(simulated, 0.95),), simulated.mean(axis=0), np.zeros(4), np.ones(4))
    answer = DeepAllocation(session, np.zeros(2)).allocate(problem)
    assert answer.weights == pytest.approx(session.weights(np.zeros((1, 2)))[0], abs=1e-6)
    with pytest.raises(ModelError, match="trained on 3 assets, the problem has 4"):
        DeepAllocation(network(3), np.zeros(2)).allocate(problem)
