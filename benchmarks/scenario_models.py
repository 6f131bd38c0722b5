"""Which scenario model is best one session ahead, by proper scores on real prices, strictly out of sample.

Books: the demo's three and four random ones over the demo's 20 stocks, every third session of 2015-2022 (the network was trained
to 2014). Scores: FZ0 at 5 and 1 % (lower is better) and how often VaR was exceeded; Diebold-Mariano t of the mean difference over
books against the filtered bootstrap (negative: better than it).
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np

from riskd.app.kit import hand_clock, load_forecaster, market_of, rules_of
from riskd.core.arrays import Floats
from riskd.core.market import log_returns
from riskd.core.measures.cvar import cvar
from riskd.core.measures.value_at_risk import value_at_risk
from riskd.core.scenarios import SCENARIO_MODELS
from riskd.core.validation.compare import diebold_mariano
from riskd.core.validation.scores import fz0
from riskd.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
FIRST, LAST = date(2015, 1, 2), date(2022, 12, 28)
MODELS = SCENARIO_MODELS
LEVELS, PATHS, POOL = (0.95, 0.99), 4000, 1500


def main() -> None:
    stride = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    settings = load_settings(ROOT / "config" / "demo.toml")
    forecaster = load_forecaster(settings)
    rules = rules_of(settings, forecaster)
    market = market_of(settings, hand_clock(LAST))
    market.release(LAST)
    market.clock.move(market.calendar.over_at(LAST))  # type: ignore[attr-defined]
    quotes = market.feeds[0].pull(rules.symbols, date(2008, 1, 2), LAST).quotes
    closes = np.array([q.value for q in quotes]).reshape(len(rules.symbols), -1).T
    sessions = [q.session for q in quotes[: len(closes)]]
    returns = log_returns(closes)
    random = np.random.default_rng(0)
    books = np.array([*(p.weights for p in rules.portfolios), *random.dirichlet(np.ones(len(rules.symbols)), 4)]).T
    state = forecaster.start(returns[: forecaster.spin_up])
    pool: list[Floats] = []
    hits: dict[tuple[str, float], list[Floats]] = defaultdict(list)
    scores: dict[tuple[str, float], list[float]] = defaultdict(list)
    for day, r in enumerate(returns[forecaster.spin_up :], start=forecaster.spin_up):
        forecast = forecaster.forecast(state)
        if sessions[day + 1] >= FIRST and day % stride == 0:
            realised = -np.expm1(r) @ books
            for name, fit in MODELS.items():
                drawn = fit(np.array(pool[-POOL:])).draw(np.random.default_rng(1), 1, PATHS)[0]
                losses = -np.expm1(forecast.from_score(drawn)) @ books
                for level in LEVELS:
                    var = np.array([value_at_risk(z, level).value for z in losses.T])
                    es = np.array([cvar(z, level).value for z in losses.T])
                    hits[name, level].append(realised > var)
                    scores[name, level].append(float(fz0(realised, var, es, level).mean()))
        if day >= forecaster.warm_up:
            pool.append(forecast.score(r[None])[0])
        state = forecaster.advance(state, r[None])
    base = "filtered-bootstrap"
    for (name, level), values in sorted(scores.items(), key=lambda item: (item[0][1], item[0][0])):
        t = diebold_mariano(np.array(values) - np.array(scores[base, level]), lags=10).t
        rate = float(np.mean(hits[name, level]))
        count = f"{len(values)} sessions x {books.shape[1]} books"
        print(f"{level:<5} {name:32} FZ0 {np.mean(values):8.4f}  DM t {t:+5.2f}  exceeded {rate:6.2%} of {count}")


if __name__ == "__main__":
    main()
