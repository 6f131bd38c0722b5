"""Scenario banks shared by the steps of one session."""

from datetime import timedelta

import numpy as np
import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core.step import bank_of, step
from riskd.core.warm import warm_state
from riskd.runtime.banks import SharedBanks

pytestmark = pytest.mark.unit


def test_shared_banks_are_those_of_the_state() -> None:
    """The same bank twice for one market, another after a session, and always what bank_of gives."""
    rules = small_rules()
    before = warm_state(rules, made_up_table(rules.symbols))
    banks = SharedBanks()
    first = banks(rules, before, "A")
    assert banks(rules, before, "A") is first
    assert banks(rules, before, "B") is not first
    after, outcome = step(rules, before, closed(before.session + timedelta(days=1), -0.1), banks=banks)
    assert outcome == step(rules, before, closed(after.session, -0.1))[1]
    np.testing.assert_array_equal(banks(rules, after, "A").returns[5], bank_of(rules, after, "A").returns[5])
    assert (banks(rules, after, "A").returns[5] != first.returns[5]).any()
