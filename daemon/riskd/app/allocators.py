"""The configured allocators as contenders of a proposal: built in, or a network's artefact."""

from riskd.core.allocation.contender import BUILT_IN, Contender
from riskd.errors import ConfigError, ModelError
from riskd.forecast.allotter import AllotterContender
from riskd.forecast.allotter_card import load_allotter
from riskd.settings import Settings


def allocators_of(settings: Settings) -> tuple[Contender, ...]:
    """In their order; a broken artefact or one of another universe is a mistake of configuration: ConfigError."""
    return tuple(_allocator(settings, place) for place in range(len(settings.allocators)))


def _allocator(settings: Settings, place: int) -> Contender:
    spec = settings.allocators[place]
    if spec.artefact is None:
        return BUILT_IN[spec.name]
    try:
        return AllotterContender(load_allotter(spec.artefact), spec.name, settings.symbols, settings.tradeable)
    except ModelError as error:
        raise ConfigError(f"allocators[{place}].artefact: {error}") from error
