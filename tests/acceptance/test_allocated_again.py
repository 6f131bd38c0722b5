"""A session that is judged again may need another allocation."""

from dataclasses import replace

import numpy as np
import pytest
from timetable import Days

from conftest import small_rules
from riskd.core.portfolio import Bounds

pytestmark = pytest.mark.acceptance


def test_an_allocation_that_found_nothing_is_looked_for_again_when_a_price_comes_late() -> None:
    """A breach without a way out, with one small holding's price late: once that is there the daemon looks again and goes on."""
    rules = small_rules(np.array([0.6, 0.36, 0.04]))
    rules = replace(rules, portfolios=(replace(rules.portfolios[0], bounds=Bounds(most=0.2)),))
    days = Days("2024-03-11", rules).day("2024-03-11").close(-0.12, without=("CCC",)).at("17:31")
    days.close(0.0).look("19:00")
    keys = [line.key for line in days.ledger.lines()]
    assert [key.partition("/")[0] for key in keys] == ["session", "allocation", "prices", "allocation"]
    assert keys[3] == f"{keys[1]}/2"
    days.restart().day("2024-03-12").close(0.0).at("16:31")
    assert days.ledger.broken() is None
    assert str(days.pipeline.state.session) == "2024-03-12"
