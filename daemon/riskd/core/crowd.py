"""Portfolios to try a forecast on beside those that are really held: equal, random, long against short, every symbol alone."""

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.core.portfolio import Portfolio

GROUPS = ("given", "equal", "dirichlet", "long-short", "single")


def crowd(
    given: tuple[Portfolio, ...], symbols: tuple[str, ...], groups: tuple[str, ...], count: int, seed: int
) -> tuple[tuple[str, Portfolio], ...]:
    """(group, portfolio) of every wanted group, without limits; ``count`` random ones a group, the same for the same seed.

    Each is made of the tradeable symbols of the first given portfolio, in its currency. ``dirichlet``: Dirichlet(1) weights;
    ``long-short``: half of the symbols long, half short, each side worth one half, the rest cash. No two have the same name: a
    given one keeps its own.
    """
    base = given[0]
    held = np.ones(len(symbols), dtype=np.bool_) if base.view is None else base.view.tradeable
    places = np.flatnonzero(held)
    random = np.random.default_rng(seed)
    found = [("given", Portfolio(p.name, p.weights, p.cash, (), value=p.value, currency=p.currency, view=p.view)) for p in given]
    rows: list[tuple[str, str, Floats]] = [("equal", "equal", np.full(len(places), 1 / len(places)))]
    rows += [("dirichlet", f"dirichlet-{i + 1}", w) for i, w in enumerate(random.dirichlet(np.ones(len(places)), count))]
    rows += [("long-short", f"long-short-{i + 1}", _long_short(len(places), random)) for i in range(count)]
    rows += [("single", symbols[place], (places == place).astype(np.float64)) for place in places]
    taken = {p.name for p in given}
    for group, name, weights in rows:
        whole = np.zeros(len(symbols))
        whole[places] = weights
        own = f"{name} of the crowd" if name in taken else name
        taken.add(own)
        found.append((group, Portfolio(own, frozen(whole), 1 - float(whole.sum()), (), currency=base.currency, view=base.view)))
    return tuple((group, p) for group, p in found if group in groups)


def _long_short(assets: int, random: np.random.Generator) -> Floats:
    """A random half of the places long, the others short: each side sums to one half."""
    order = random.permutation(assets)
    long, short = order[: (assets + 1) // 2], order[(assets + 1) // 2 :]
    weights = np.zeros(assets)
    weights[long] = 0.5 / len(long)
    if len(short):
        weights[short] = -0.5 / len(short)
    return weights
