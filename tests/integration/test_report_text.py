"""Reports that come back from a real store."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core.canonical import canonical_json
from riskd.core.report import Rival
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.store.database import open_database
from riskd.store.ledger import Ledger

pytestmark = pytest.mark.integration


def test_a_challenger_without_a_figure_does_not_keep_the_daemon_from_starting_again(tmp_path: Path) -> None:
    """A figure that could not be computed is null in the store and NaN again when the newest and the older reports are read."""
    rules = small_rules()
    warm = warm_state(rules, made_up_table(("AAA", "BBB", "CCC"), sessions=150))
    event = closed(warm.session + timedelta(days=1), [-0.01, 0.0, 0.01])
    state, outcome = step(rules, warm, event)
    (report,) = outcome.reports
    lame = tuple(replace(f, challengers=(Rival("young", math.nan, math.nan), *f.challengers)) for f in report.figures)
    outcome = replace(outcome, reports=(replace(report, figures=lame),))
    database = open_database(tmp_path, lambda: datetime(2024, 3, 11, 12, tzinfo=UTC))
    ledger = Ledger(database)
    ledger.start(warm)
    ledger.commit(event, state, outcome, ())
    for read in (ledger.said().reports, ledger.history(report.portfolio, 5)):
        assert canonical_json(read) == canonical_json(outcome.reports)
        assert math.isnan(read[0].figures[0].challengers[0].cvar)
    database.close()
