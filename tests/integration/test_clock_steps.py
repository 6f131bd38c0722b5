"""The wall clock is set, forwards and backwards, and the machine sleeps; the long form is benchmarks/soak/clocks.py."""

import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "soak"))

from clocks import Walk

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("exchange", "first", "last"),
    [
        ("XNYS", date(2007, 3, 5), date(2007, 3, 19)),
        ("XLON", date(2028, 2, 21), date(2028, 3, 31)),
        ("XASX", date(2035, 9, 24), date(2035, 10, 12)),
        ("BVMF", date(2018, 10, 29), date(2018, 11, 14)),
        ("XIST", date(2015, 10, 19), date(2015, 11, 13)),
    ],
    ids=["New York's new rule", "London, a leap day", "Sydney, 2035", "Sao Paulo, two rules", "Istanbul, two weeks late"],
)
def test_one_cycle_a_session(exchange: str, first: date, last: date) -> None:
    """Through the nights on which summer time begins or ends, with a fault of the clock every few days: each session once."""
    walk = Walk(exchange, first, last, often=1 / 40)
    walk.go()
    assert walk.verdict() == []
    assert len(walk.taken) == len(walk.world.sessions) > 8
    assert walk.faults.total() >= 3


def test_a_wall_that_shows_2038_costs_nothing() -> None:
    """For five hours it is 2038: nothing is taken; the clock is right again, and today's session is taken when it is over."""
    walk = Walk("XNYS", date(2024, 3, 11), date(2024, 3, 12), often=0)
    for hour in range(5):
        walk.wall.pass_to(datetime.fromisoformat(f"2024-03-11T{hour + 10:02d}:00+00:00"))
        walk.wall.set_to(datetime.fromisoformat("2038-01-19T03:14:08+00:00"))
        assert not list(walk.pipeline.catch_up(walk.pipeline.missing()[:200]))
    now = walk.ends[0] + timedelta(seconds=1)
    walk.look(now)
    assert list(walk.taken) == [date(2024, 3, 11)]
    assert walk.verdict() == ["1 missed, the first 2024-03-12"]
