"""The store against a list of everything that was ever said."""

from datetime import UTC, date, datetime, timedelta
from math import isclose, isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskd.core.quality.revision import TOLERANCE
from riskd.core.quote import Quote
from riskd.store.database import open_database
from riskd.store.prices import PriceStore

pytestmark = pytest.mark.property
START = datetime(2026, 7, 8, 21, tzinfo=UTC)
DAYS = tuple(date(2026, 7, d) for d in (6, 7, 8, 9))
values = st.sampled_from([100.0, 100.0 * (1 + 1e-7), 50.0, -1.0, 0.0, 101.0])
answers = st.lists(
    st.dictionaries(st.tuples(st.sampled_from(["AAA", "BBB"]), st.sampled_from(DAYS)), values), min_size=1, max_size=8
)


@settings(deadline=None, max_examples=60)
@given(answers)
def test_as_known_at_every_moment(told: list[dict[tuple[str, date], float]]) -> None:
    """Whatever was said in whatever order: as known at each moment stands what was said last before it, bit for bit.

    And the changes are exactly the values that were known otherwise before by more than the tolerance.
    """
    database = open_database(None, lambda: START)
    store = PriceStore(database)
    known: dict[tuple[str, date], float] = {}
    pictures = []
    for hour, answer in enumerate(told):
        at = START + timedelta(hours=hour)
        changes = store.append([Quote(s, day, "close", value, "one", at) for (s, day), value in answer.items()])
        wanted = {k: (known[k], v) for k, v in answer.items() if k in known and not isclose(v, known[k], rel_tol=TOLERANCE)}
        assert {(c.symbol, c.session): (c.old, c.new) for c in changes} == wanted
        known |= answer
        pictures.append((at, dict(known)))
    open_ = np.ones((len(DAYS), 2), dtype=np.bool_)
    for at, picture in pictures:
        window = store.window(("AAA", "BBB"), DAYS, open_, known_at=at)
        for row, day in enumerate(DAYS):
            for column, symbol in enumerate(("AAA", "BBB")):
                found, wanted_value = window.closes[row, column], picture.get((symbol, day))
                assert isnan(found) if wanted_value is None else found == wanted_value
    database.close()
