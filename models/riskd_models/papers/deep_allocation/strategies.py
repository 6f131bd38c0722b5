"""Every strategy of the paper walked through a market: the network trained anew each year and its rivals, kept one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from riskd.core.arrays import Floats
from riskd.forecast.allotter_card import AllotterSession
from riskd.forecast.allotter_features import WARM_UP, features
from riskd_models.papers.deep_allocation.allocator import DeepAllocation, rivals
from riskd_models.papers.deep_allocation.graph import onnx_bytes
from riskd_models.papers.deep_allocation.numbers import Numbers
from riskd_models.papers.deep_allocation.training import train
from riskd_models.papers.deep_allocation.walk import Rule, Walked, walk
from riskd_models.papers.market import Market, held_returns
from riskd_models.papers.work import Arrays, Told, kept


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A market, the sizes of everything, where networks and walks are kept, on which device networks are trained."""

    market: Market
    numbers: Numbers
    folder: Path
    device: str
    told: Told


def deep_name(price: float, seed: int) -> str:
    return f"deep {price:g}, seed {seed}"


def strategies(task: Task) -> Mapping[str, Walked]:
    """By name: the rivals, then a network for each price of CVaR and each seed."""
    numbers, returns = task.numbers, task.market.panel.returns
    rules: dict[str, Rule] = {
        name: lambda day, one=one: one  # type: ignore[misc]
        for name, one in rivals(numbers.prices, numbers.aversion).items()
    }
    inputs = features(returns)
    rules |= {deep_name(price, seed): deep_rule(task, inputs, price, seed) for price in numbers.prices for seed in numbers.seeds}
    found = {}
    for name, rule in rules.items():
        piece = f"{task.market.name}: {name}"

        def computed(rule: Rule = rule, piece: str = piece) -> Arrays:
            return walk(returns, task.market.rows, rule, numbers, lambda share: task.told(piece, share))

        found[name] = Walked(**kept(task.folder / "walks", name.replace(" ", "-").replace("/", "-"), computed))
    return found


def deep_rule(task: Task, inputs: Floats, price: float, seed: int) -> Rule:
    """Each day's allocator: the network of its year, reading what is known before the day."""
    sessions: dict[int, AllotterSession] = {}

    def rule(day: int) -> DeepAllocation:
        year = task.market.panel.sessions[day].year
        if year not in sessions:
            sessions[year] = AllotterSession(bytes(network_of(task, inputs, price, seed, year)["model"]))
        return DeepAllocation(sessions[year], inputs[day], deep_name(price, seed))

    return rule


def network_of(task: Task, inputs: Floats, price: float, seed: int, year: int) -> Arrays:
    """The ONNX ``model`` of a year as bytes and its curves ``learnt`` and ``later``, from all that was over before the year."""
    numbers, cut = task.numbers, task.market.years[year].start
    returns = held_returns(task.market.panel.returns[:cut], numbers.horizon)

    def computed() -> Arrays:
        found = train(inputs[WARM_UP : len(returns)], returns[WARM_UP:], numbers, price, seed, task.device)
        model = np.frombuffer(onnx_bytes(found.network), dtype=np.uint8)
        return {"model": model, "learnt": np.array(found.learnt), "later": np.array(found.later)}

    return dict(kept(task.folder / "networks", f"{price:g}-{seed}-{year}", computed))
