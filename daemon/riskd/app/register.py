"""The catalogue of systems under a configuration: which of them run here, in what role and under which name."""

from collections.abc import Iterator
from dataclasses import dataclass

from riskd.core.allocation.contender import EQUAL_WEIGHT
from riskd.core.rules import Rules
from riskd.lab.systems import OWN, Kind, System, packaged
from riskd.web.systems import Place, Registered

BESIDE = "beside every proposal"
ALWAYS = {"1/N": Place(name=EQUAL_WEIGHT.name, role=BESIDE), "minimum CVaR": Place(name="least CVaR", role=BESIDE)}


@dataclass(frozen=True, slots=True)
class Ran:
    """What the rules name: the name on its card, where it runs, and the scenario model that joins its assets, if any does."""

    card: str
    place: Place
    model: str = ""
    kind: Kind = "network"


def registered(rules: Rules) -> tuple[Registered, ...]:
    """Every system of the packaged catalogue; before them what runs here and it does not know."""
    known = tuple(Registered(**dict(system), here=tuple(_places(system, rules))) for system in packaged().systems)
    told = {place for system in known if system.kind != "scenario model" for place in system.here}
    return (*(_stranger(ran) for ran in _ran(rules) if ran.place not in told), *known)


def _places(system: System, rules: Rules) -> Iterator[Place]:
    if system.name in ALWAYS:
        yield ALWAYS[system.name]
    if system.kind == "estimator" and system.name in rules.scenarios.challengers:
        yield Place(name=system.name, role="challenger")
    for ran in _ran(rules):
        if system.kind == "scenario model" and ran.model == system.name:
            yield Place(name=ran.place.name, role=f"draws for the {ran.place.role}")
        if ran.card == system.card and (not system.scenarios or ran.model in system.scenarios):
            yield ran.place


def _ran(rules: Rules) -> Iterator[Ran]:
    champion = _name(rules.forecaster.identity)
    yield Ran(champion, Place(name=champion, role="champion"), _name(rules.scenarios.model))
    for lane in rules.lanes:
        role = "anchored rival" if lane.anchored else "rival"
        yield Ran(_name(lane.forecaster.identity), Place(name=lane.name, role=role), _name(lane.model))
    for learnt in rules.learnt:
        yield Ran(_name(learnt.network.identity), Place(name=learnt.name, role="rival"))
    for contender in rules.allocators:
        card = _name(contender.identity) if "@" in contender.identity else contender.name
        yield Ran(card, Place(name=contender.name, role=BESIDE), kind="allocator")


def _name(identity: str) -> str:
    """Without the hash of the content."""
    return identity.partition("@")[0]


def _stranger(ran: Ran) -> Registered:
    what = f"the artefact {ran.card}" + (f" under {ran.model}" if ran.model else "")
    return Registered(name=ran.place.name, group=OWN, kind=ran.kind, what=what, how="runs here", card=ran.card, here=(ran.place,))
