"""The catalogue of systems under a configuration: which of them run here, in what role and under which name."""

from collections.abc import Iterator

from riskd.core.forecaster import Forecaster
from riskd.core.rules import Rules
from riskd.lab.systems import OWN, System, packaged
from riskd.web.systems import Place, Registered

ALWAYS = {"1/N": Place(name="equal weight", role="beside every proposal")}


def registered(rules: Rules) -> tuple[Registered, ...]:
    """Every system of the packaged catalogue; before them the networks that run here and that it does not know."""
    known = tuple(Registered(**dict(system), here=tuple(_places(system, rules))) for system in packaged().systems)
    told = {place.name for system in known if system.kind == "network" for place in system.here}
    return (*(_stranger(*ran) for ran in _networks(rules) if ran[1].name not in told), *known)


def _places(system: System, rules: Rules) -> Iterator[Place]:
    if system.name in ALWAYS:
        yield ALWAYS[system.name]
    if system.kind == "estimator" and system.name in rules.scenarios.challengers:
        yield Place(name=system.name, role="challenger")
    for card, place, model in _networks(rules):
        if system.kind == "scenario model" and model == system.name:
            yield Place(name=place.name, role=f"draws for the {place.role}")
        if card == system.card and (not system.scenarios or model in system.scenarios):
            yield place


def _networks(rules: Rules) -> Iterator[tuple[str, Place, str]]:
    """The name on the card of each network, where it runs, and the scenario model that joins its assets."""
    champion = _card(rules.forecaster)
    yield champion, Place(name=champion, role="champion"), rules.scenarios.model
    for lane in rules.lanes:
        yield _card(lane.forecaster), Place(name=lane.name, role="rival"), lane.model


def _card(forecaster: Forecaster) -> str:
    return forecaster.identity.partition("@")[0]


def _stranger(card: str, place: Place, model: str) -> Registered:
    what = f"the artefact {card} under {model}"
    return Registered(name=place.name, group=OWN, kind="network", what=what, how="runs here", card=card, here=(place,))
