"""The configured rivals of a proposal, loaded: built in, or a network's artefact."""

from riskd.core.allocation.rival import BUILT_IN, Rival
from riskd.errors import ConfigError, ModelError
from riskd.forecast.allotter import AllotterRival
from riskd.forecast.allotter_card import load_allotter
from riskd.settings import Settings


def allocators_of(settings: Settings) -> tuple[Rival, ...]:
    """In their order; a broken artefact or one of another universe is a mistake of configuration: ConfigError."""
    return tuple(_allocator(settings, place) for place in range(len(settings.allocators)))


def _allocator(settings: Settings, place: int) -> Rival:
    spec = settings.allocators[place]
    if spec.artefact is None:
        return BUILT_IN[spec.name]
    try:
        return AllotterRival(load_allotter(spec.artefact), spec.name, settings.symbols, settings.tradeable)
    except ModelError as error:
        raise ConfigError(f"allocators[{place}].artefact: {error}") from error
