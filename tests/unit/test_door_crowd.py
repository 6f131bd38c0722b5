"""Who has to leave when there are too many connections."""

from dataclasses import dataclass, field

import pytest

from riskd.web.door import Door, Limits, is_local

pytestmark = pytest.mark.unit


@dataclass(eq=False)
class Visitor:
    """A connection of which only what the door asks is there."""

    address: str
    since: float
    waits: bool = True
    present: bool = True
    ends: list[str] = field(default_factory=list)

    def late(self, now: float, seconds: float) -> bool:
        return now - self.since > seconds

    def leave(self) -> None:
        self.present = False
        self.ends.append("left")

    def turn_away(self) -> None:
        self.present = False
        self.ends.append("turned away")


def come(door: Door, *visitors: Visitor) -> None:
    for visitor in visitors:
        door.connections.add(visitor)  # type: ignore[arg-type]
        door.admit(visitor)


def test_an_address_has_no_more_than_its_share() -> None:
    """The oldest that waits among those of the crowding address goes; the others' are left alone."""
    door, other = Door(Limits(connections=9, per_address=2)), Visitor("10.0.0.1", 0)
    crowd = [Visitor("10.0.0.2", since) for since in (2, 1, 3)]
    come(door, other, *crowd)
    assert [v.ends for v in (other, *crowd)] == [[], [], ["left"], []]
    assert door.closed == {"crowded": 1}


def test_this_machine_shares_an_address_and_not_a_limit() -> None:
    """Everybody here comes from loopback, or through a proxy on it; the limit of all holds for them."""
    door, here = Door(Limits(connections=4, per_address=2)), [Visitor("127.0.0.1", i) for i in range(5)]
    come(door, *here)
    assert [v.ends for v in here] == [["left"], [], [], [], []]


def test_who_is_being_answered_stays() -> None:
    """A newcomer goes where nobody waits, also when it is itself the only one that does."""
    door, busy = Door(Limits(connections=2)), [Visitor("10.0.0.1", i, waits=False) for i in range(2)]
    newcomer = Visitor("10.0.0.2", 5)
    come(door, *busy, newcomer)
    assert (busy[0].ends, busy[1].ends, newcomer.ends) == ([], [], ["turned away"])


def test_who_is_gone_takes_no_place() -> None:
    """A connection that closes is in the books for a moment longer."""
    door, gone = Door(Limits(connections=1)), Visitor("10.0.0.1", 0, present=False)
    newcomer = Visitor("10.0.0.1", 1)
    come(door, gone, newcomer)
    assert (gone.ends, newcomer.ends) == ([], [])


@pytest.mark.parametrize(
    ("address", "local"), [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("", False), ("x", False)]
)
def test_which_addresses_are_this_machine(address: str, local: bool) -> None:
    """Loopback and nothing else."""
    assert is_local(address) is local
