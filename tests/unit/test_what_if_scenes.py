"""Scenarios kept for what-if questions: the session's own, once, and not more than memory allows."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from conftest import closed
from riskd.core.state import pack, unpack
from riskd.core.step import bank_of, step
from riskd.runtime.banks import SharedBanks
from riskd.runtime.scenes import KeptScenes
from what_if_ground import ground_rules, published

pytestmark = pytest.mark.unit
RULES = ground_rules()
BOOK = RULES.portfolios[0]


def test_the_bank_from_a_checkpoint_is_the_one_that_was_published() -> None:
    """From the bytes of the state comes the same bank, bit by bit, and so the same digest."""
    state, _ = published()
    again = unpack(pack(state))
    one, other = (KeptScenes(RULES).of(s)(BOOK, 5) for s in (state, again))
    assert np.array_equal(one.returns, other.returns)
    assert one.digest == other.digest
    assert one.digest != KeptScenes(RULES).of(state)(BOOK, 1).digest


def test_a_bank_that_is_made_is_used_and_a_scene_is_made_once() -> None:
    """With the session's bank at hand nothing is simulated; the second question gets the first one's scene."""
    state, _ = published()
    bank = bank_of(RULES, state)
    marked = replace(bank, identity="the one at hand")
    scenes = KeptScenes(RULES).of(state, marked)
    first = scenes(BOOK, 1)
    assert first.bank.identity == "the one at hand"
    assert scenes(BOOK, 1) is first


def test_a_new_session_lets_the_old_scenes_go() -> None:
    """Scenes of another session are other objects; a scene of the old state afterwards is made again, equal."""
    state, _ = published()
    kept = KeptScenes(RULES)
    old = kept.of(state)(BOOK, 1)
    after, _ = step(RULES, state, closed(state.session + timedelta(days=1), 0.02))
    new = kept.of(after)(BOOK, 1)
    assert new.digest != old.digest
    assert kept.size == new.size
    assert kept.of(state)(BOOK, 1).digest == old.digest


def test_memory_is_bounded() -> None:
    """With room for one scene the second puts the first out; both can still be had."""
    state, _ = published()
    room = KeptScenes(RULES).of(state)(BOOK, 5).size
    kept = KeptScenes(RULES, most_bytes=room)
    scenes = kept.of(state)
    first, second = scenes(BOOK, 1), scenes(BOOK, 5)
    assert kept.size == second.size <= room
    assert scenes(BOOK, 1).digest == first.digest


def test_what_the_fold_has_made_can_be_looked_at() -> None:
    """Nothing before it is made, the same object after, nothing for another session."""
    state, _ = published()
    banks = SharedBanks()
    assert banks.made(state, "A") is None
    bank = banks(RULES, state, "A")
    assert banks.made(state, "A") is bank
    assert banks.made(state, "B") is None
    assert banks.made(replace(state, session=state.session + timedelta(days=1)), "A") is None
