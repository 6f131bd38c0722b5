"""What the generator and its optimiser must do to be called working: from simulated months to certified weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from riskd.core.allocation.answer import Ending
from riskd.core.allocation.frontier import frontier
from riskd.core.measures.cvar import cvar
from riskd_models.papers.generator.generators import Bank, Task, generators, network_of
from riskd_models.papers.generator.judged import promised, table_common
from riskd_models.papers.generator.months import Months, month, problem_of, sweep, walk
from riskd_models.papers.generator.numbers import SMALL
from riskd_models.papers.market import Market, market_of
from riskd_models.papers.work import silent
from riskd_models.study.systems import run_of
from window_systems import correlated, driven

pytestmark = pytest.mark.oracle

ROOT = Path(__file__).resolve().parents[2]
LIMITS = tuple(np.arange(1, 13) / 100)
LEVEL = 0.95
NUMBERS = replace(SMALL, changed={**SMALL.changed, "steps": 40}, limits=LIMITS)


def task_of(market: Market, folder: Path) -> Task:
    return Task(market, NUMBERS, folder, "cpu", silent)


@pytest.fixture(scope="module")
def stocks() -> Market:
    """Three stocks; 2022 is walked through."""
    prices = pd.read_csv(ROOT / "examples" / "prices" / "us-stocks-1990-2022.csv.gz", index_col="date")[["JPM", "KO", "XOM"]]
    prices.index = pd.to_datetime(prices.index)
    return market_of("three", "stocks", prices.loc["2014":], 2022)


@pytest.fixture(scope="module")
def task(stocks: Market, tmp_path_factory: pytest.TempPathFactory) -> Task:
    return task_of(stocks, tmp_path_factory.mktemp("generator"))


@pytest.fixture(scope="module", params=["as written", "filtered", "history"])
def bank(request: pytest.FixtureRequest, task: Task) -> Bank:
    """Months that a generator makes of the first decision."""
    return generators(task)[request.param](task.origins[0])


def test_a_sweep_of_limits_rises_and_switches_once(bank: Bank) -> None:
    """From 1 to 12 % the expected return never falls, feasibility is a single switch, and nothing is called optimal that breaks
    its limit by more than 1e-6; an answer without weights to trade carries the least CVaR, the same for all."""
    answers = sweep(bank, LIMITS, LEVEL)
    feasible = [answer.status is not Ending.INFEASIBLE for answer in answers]
    assert feasible == sorted(feasible) and feasible[-1]
    means = [float(bank.chosen_on.mean(axis=0) @ answer.weights) for answer in answers if answer.status is Ending.OPTIMAL]
    assert (np.diff(means) >= -1e-9).all()
    least = []
    for limit, answer in zip(LIMITS, answers, strict=True):
        reached = cvar(-bank.chosen_on @ answer.weights, LEVEL).value
        assert answer.cvars[0] == pytest.approx(reached, abs=1e-6)
        if answer.status is Ending.INFEASIBLE:
            assert answer.least_cvar is not None and limit < answer.least_cvar[0]
            least.append(reached)
        else:
            assert reached <= limit + 1e-6
    assert np.ptp(least or [0.0]) < 1e-6


def test_no_point_of_a_grid_is_better(bank: Bank) -> None:
    """Three assets in steps of a half per cent: at limits half-way to the loosest none that holds is worth 1e-9 more, and the
    best of them comes within 1e-4."""
    steps = np.arange(201) / 200
    grid = np.array([(a, b, 1 - a - b) for a in steps for b in steps if a + b <= 1 + 1e-12])
    risks = np.array([cvar(-bank.chosen_on @ weights, LEVEL).value for weights in grid])
    means = grid @ bank.chosen_on.mean(axis=0)
    limit = float((risks.min() + risks[np.argmax(means)]) / 2)
    (answer,) = frontier(problem_of(bank, LEVEL), (limit,))
    best = means[risks <= limit].max()
    assert answer.value >= best - 1e-9
    assert answer.value == pytest.approx(best, abs=1e-4)


def test_a_limit_that_binds_has_a_price(bank: Bank) -> None:
    """Where CVaR is at the limit its multiplier is positive and is what a little more of it earns; beyond the CVaR of the largest
    mean it is zero."""
    problem = problem_of(bank, LEVEL)
    (free,) = frontier(problem, (1.0,))
    least = sweep(bank, (1e-4,), LEVEL)[0].cvars[0]
    limit, more = 0.5 * (least + free.cvars[0]), 1e-5
    tight, looser = frontier(problem, (limit, limit + more))
    assert tight.cvars[0] == pytest.approx(limit, abs=1e-6)
    assert tight.multipliers is not None and free.multipliers is not None
    assert tight.multipliers.tails[0] > 0 and free.multipliers.tails[0] == pytest.approx(0.0, abs=1e-9)
    assert looser.value - tight.value == pytest.approx(more * tight.multipliers.tails[0], rel=0.2)


def test_the_same_seed_gives_the_same_bank(task: Task) -> None:
    """Generated twice, by networks loaded twice, the months are the same bits; another day's are not."""
    one, two = (generators(task)["as written"] for _ in range(2))
    first, later = task.origins[0], task.origins[1]
    assert np.array_equal(one(first).chosen_on, two(first).chosen_on)
    assert not np.array_equal(one(first).chosen_on, one(later).chosen_on)
    assert one(first).unseen.shape == (NUMBERS.unseen, 3)


@pytest.mark.parametrize("name", ["filtered", "history"])
def test_a_bank_knows_nothing_of_its_month(task: Task, stocks: Market, tmp_path: Path, name: str) -> None:
    """Trained anew on prices that differ from the third decision on, the banks of the first three are the same bits."""
    day, panel = task.origins[2], stocks.panel
    changed = panel.returns.copy()
    changed[day:] *= -2
    other = task_of(replace(stocks, panel=replace(panel, returns=changed)), tmp_path)
    for origin in task.origins[:3]:
        assert np.array_equal(generators(task)[name](origin).chosen_on, generators(other)[name](origin).chosen_on)
    assert not np.array_equal(
        generators(task)[name](task.origins[3]).chosen_on, generators(other)[name](task.origins[3]).chosen_on
    )


def test_one_step_draws_have_the_margins_of_what_comes(tmp_path: Path) -> None:
    """On stationary simulated returns earlier residuals, which are what is drawn, and later ones have one distribution for each
    asset; on returns whose variance follows the last move they have not after large moves, of which the paper's know nothing."""
    p_values = []
    for level, reaction in ((1.0, 0.0), (0.5, 0.5)):
        returns = driven(correlated(4000, 2, 8.0, seed=2)[0], level, reaction, 0.0)
        days = pd.bdate_range("2008-01-01", periods=4001)
        prices = pd.DataFrame(np.exp(np.vstack([np.zeros((1, 2)), np.cumsum(returns, axis=0)])), days, ["A", "B"])
        market = market_of(f"{reaction}", "simulated", prices, days[2501].year)
        task = replace(task_of(market, tmp_path / f"{reaction}"), numbers=replace(NUMBERS, turns=30))  # one network for all
        block = task.blocks[0]
        run = run_of(*network_of(task, "seed-4", block), block, market.panel.returns)
        drawn, later = np.split(run.scores, [block.rows.start - run.first])
        moved = np.abs(market.panel.returns[block.rows.start - 1 : block.rows.stop - 1])
        storm = moved > np.quantile(moved, 0.8, axis=0)
        p_values.append([ks_2samp(drawn[:, k], later[:, k]).pvalue for k in range(2)])
        p_values.append([ks_2samp(drawn.ravel(), later[storm]).pvalue])
    assert min(*p_values[0], *p_values[1]) > 0.01
    assert p_values[3][0] < 1e-3, p_values


def test_a_walk_holds_the_same_months_at_every_limit(task: Task) -> None:
    """Every limit has every month; what is infeasible is flagged and holds the least CVaR; what is realised is weights times what
    the assets did; the told and the verified CVaR are those of the two banks."""
    found = Months(**walk(task, generators(task)["as written"]))
    days, panel = list(task.origins), task.market.panel
    assert found.feasible.shape == (len(days), len(LIMITS)) and len(days) >= 11
    brought = np.array([np.expm1(panel.returns[day : day + 21].sum(axis=0)) for day in days])
    assert found.realised == pytest.approx(np.einsum("mla,ma->ml", found.weights, brought), abs=1e-12)
    assert not found.feasible[:, 0].any() and found.feasible[:, -1].all()
    assert (found.cvar <= np.where(found.feasible > 0, LIMITS, np.inf) + 1e-6).all()
    bank = generators(task)["as written"](days[3])
    assert found.verified[3, 5] == pytest.approx(cvar(-bank.unseen @ found.weights[3, 5], LEVEL).value)
    assert promised(found, 0, LIMITS[0]) == pytest.approx(found.cvar[:, 0].mean())
    assert promised(found, 11, LIMITS[11]) == pytest.approx(LIMITS[11])


def test_a_month_is_read_off_its_bank() -> None:
    """Two assets, one of which always earns: profits, VaR and the share beyond the limit by hand."""
    sure, risky = np.full(100, 0.01), np.where(np.arange(100) < 10, -0.2, 0.05)
    bank = Bank(np.column_stack([sure, risky]), np.zeros((0, 2)))
    answers = sweep(bank, (0.05, 0.3), LEVEL)
    read = month(bank, answers, np.array([0.02, -0.1]), (0.05, 0.3), LEVEL)
    # the tail is the risky asset's -20 %: w0 * .01 - w1 * .2 = -.05 at w1 = .06 / .21
    assert read["weights"][0] == pytest.approx([1 - 0.06 / 0.21, 0.06 / 0.21], abs=1e-6)
    assert read["weights"][1] == pytest.approx([0.0, 1.0], abs=1e-6)
    assert read["expected"][1] == pytest.approx(0.025) and read["var"][1] == pytest.approx(0.2)
    assert read["realised"] == pytest.approx(read["weights"] @ [0.02, -0.1])
    assert read["beyond"].tolist() == [pytest.approx(read["beyond"][0]), 0.0] and np.isnan(read["verified"]).all()


def test_a_cvar_that_is_no_loss_has_no_score() -> None:
    """A generator that once promised a gain as CVaR has no FZ0 and counts as worse than history, whatever it scores else."""
    random = np.random.default_rng(0)
    fields = dict.fromkeys(Months.__slots__, np.zeros(60)) | {
        "equal_var": np.full(60, 0.05),
        "equal_cvar": np.full(60, 0.07),
        "equal_crps": random.random(60),
        "equal_realised": 0.03 * random.standard_normal(60),
    }
    months = Months(**fields)
    absurd = replace(months, equal_cvar=np.where(np.arange(60) == 7, -0.01, 0.07), equal_crps=months.equal_crps - 1)
    told = table_common({"absurd": absurd, "history": months}, NUMBERS, "here")
    assert told.column("FZ0")["absurd"] is None and told.column("FZ0")["history"] is not None
    assert told.column("worse than history") == {"absurd": "yes", "history": "no"}
