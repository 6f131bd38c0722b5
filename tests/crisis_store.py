"""A store that a small crisis left behind, made by the real fold: three portfolios, two weeks, a breach, a way out."""

import atexit
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from conftest import closed, made_up_table, small_rules
from riskd.core.arrays import frozen
from riskd.core.events import Acknowledged, AllocationDue, Event, SessionClosed
from riskd.core.portfolio import Bounds, Limit, Portfolio
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.judged import Correction
from riskd.core.quality.revision import Revision, RevisionKind
from riskd.core.rules import AllocationRules, Rules
from riskd.core.state import State
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.reporting.facts import facts
from riskd.reporting.material import material
from riskd.store.database import open_database, open_decisions
from riskd.store.ledger import Ledger
from riskd.store.past import past_of

SYMBOLS = ("AAA", "BBB", "CCC")
CALM = 12  # sessions before the crash
FIRST = date(2020, 6, 7)
CRASH = FIRST + timedelta(days=CALM)
LAST = CRASH + timedelta(days=2)
VALID = timedelta(days=4)
SPOKEN = "2020-06-20T07:30:00+00:00"


def crisis_rules() -> Rules:
    """``book`` breaks its limit and can be mended, ``tight`` cannot, ``calm`` is mostly cash."""
    day, week = Limit("cvar-95-1d", 0.95, 1, 0.03), Limit("cvar-95-5d", 0.95, 5, 0.12)
    weights = frozen([0.5, 0.3, 0.2])
    book = Portfolio("book", weights, 0.0, (day, week), Bounds(max_cash=0.7, trade_cost=0.001), 2e6, "USD")
    tight = Portfolio("tight", weights, 0.0, (replace(day, max_cvar=0.025),), Bounds(most=0.5), 1e6, "EUR")
    calm = Portfolio("calm", frozen([0.05, 0.05, 0.0]), 0.9, (day,), Bounds(max_cash=1.0), 5e5, "USD")
    rules = small_rules()
    scenarios = replace(rules.scenarios, paths=400, challengers=("historical",))
    allocation = AllocationRules(scenarios=500, frontier=0)
    return replace(rules, portfolios=(book, tight, calm), scenarios=scenarios, allocation=allocation)


def events(symbols: tuple[str, ...] = SYMBOLS) -> Iterator[SessionClosed | Acknowledged]:
    """Quiet sessions, a crash, a word of a person, a price that is doubted, a restated past."""
    moves = np.random.default_rng(20).standard_t(5, (CALM, len(symbols))) * 0.006
    for i, move in enumerate(moves):
        yield closed(FIRST + timedelta(days=i), move.tolist())
    yield closed(CRASH, [-0.08, -0.06, -0.07], closes=frozen([50.0, 47.0, 31.6]))
    yield Acknowledged(CRASH, "book", "cvar-95-1d", "A. Manager", "selling on Monday", SPOKEN)
    nothing = float("nan")
    doubt = Doubt("CCC", CRASH + timedelta(days=1), Rule.JUMP, 41.5, "+31.0 % while its peers moved by at most 2.1 %")
    heard = frozen([nothing, nothing, 0.27])
    yield closed(CRASH + timedelta(days=1), [0.02, 0.015, nothing], doubts=(doubt,), heard=heard)
    fixed = Correction(CRASH, "BBB", float(np.log1p(-0.06)), float(np.log1p(-0.05)))
    mended = Revision("BBB", RevisionKind.CORRECTION, "close", "files", CRASH, CRASH, 1, 1.0106, 47.0, 47.5)
    yield closed(CRASH + timedelta(days=2), [-0.01, 0.0, 0.25], corrections=(fixed,), revisions=(mended,))


def at(session: date) -> datetime:
    return datetime.combine(session, time(21), UTC)


@cache
def crisis_folder() -> Path:
    """The whole story, committed as the daemon does; made once, for reading alone."""
    folder = Path(mkdtemp(prefix="riskd-crisis-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    rules = crisis_rules()
    database = open_database(folder, lambda: at(LAST))
    ledger = Ledger(database)
    state = warm_state(rules, made_up_table(SYMBOLS, sessions=150))
    ledger.start(state)
    for event in events():
        state = _taken(rules, ledger, state, event)
    database.close()
    return folder


def copied(folder: Path) -> Path:
    """The story in a folder that may be written."""
    shutil.copytree(crisis_folder(), folder)
    return folder


def facts_of(session: date, portfolio: str | None = None) -> dict[str, Any]:
    """What there is to report of a session."""
    database = open_decisions(crisis_folder(), lambda: at(LAST))
    with past_of(database) as past:
        found = facts(material(past, session, portfolio))
    database.close()
    return found


def configured(folder: Path, root: Path, state: Path, web: str = "") -> Path:
    """A configuration whose store is the one in ``state``; ``web`` are the lines of its section, which else is switched off."""
    path = folder / "riskd.toml"
    path.write_text(f"""
universe = ["AAA", "BBB", "CCC"]
[service]
state = "{state}"
[[feeds]]
type = "files"
path = "nowhere.csv"
[model]
artefact = "{root}/models/artefacts/lstm-jsu"
[[portfolios]]
name = "book"
weights = {{ AAA = 0.5, BBB = 0.3, CCC = 0.2 }}
limits = [{{ name = "cvar-95-1d", max_cvar = 0.03 }}]
{web}
""")
    return path


def _taken(rules: Rules, ledger: Ledger, state: State, event: Event) -> State:
    due: tuple[AllocationDue, ...] = ()
    waiting: list[Event] = [event]
    while waiting:
        now = waiting.pop(0)
        state, outcome = step(rules, state, now)
        due = (*due[isinstance(now, AllocationDue) :], *outcome.follow_ups)
        ledger.commit(now, state, outcome, due, at(now.session) + VALID, at(now.session))
        waiting += outcome.follow_ups
    return state
