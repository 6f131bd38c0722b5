"""The networks that a configuration names, loaded and put in their places; a mistake in one is a mistake of configuration."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from riskd.core.forecaster import Forecaster
from riskd.core.rules import RIVAL_MODEL, Lane, LearntRival, Rules, ScenarioRules
from riskd.errors import ConfigError, ModelError
from riskd.forecast.artefact import kind_of
from riskd.forecast.dependence import Diffusion, VaeCopula
from riskd.forecast.dependence_card import KIND as DEPENDENCE
from riskd.forecast.kinds import Trained, dependence_at, forecaster_at
from riskd.forecast.quantiles import KIND as QUANTILES
from riskd.forecast.quantiles import QuantileNetwork, load_quantiles
from riskd.forecast.window import WindowForecaster
from riskd.settings import Rival, Settings

ALONE = "the diffusion draws scores of its own margins; name its folder as the artefact of a rival, without a model"


def load_forecaster(settings: Settings) -> Trained:
    """The configured model; a broken artefact or one of another universe is a mistake of configuration: ConfigError."""
    return _forecaster(settings, settings.model.artefact, "model.artefact")


def scenarios_of(settings: Settings) -> tuple[ScenarioRules, VaeCopula | None]:
    """The rules of scenarios, and the network that draws them if one does. Raises ConfigError as :func:`load_forecaster`."""
    spec, model = settings.scenarios.rules(), settings.scenarios.model
    if isinstance(model, str):
        return spec, None
    network = _copula(settings, model, "scenarios.model")
    return replace(spec, model=network.identity), network


def rivals_of(settings: Settings, champion: Forecaster) -> tuple[tuple[Lane, ...], tuple[LearntRival, ...]]:
    """The configured rivals: systems with scenarios of their own, and networks that say losses outright.

    Raises ConfigError as :func:`load_forecaster`, and for the champion's name, by which figures are told apart.
    """
    lanes, learnt = [], []
    for place, rival in enumerate(settings.rivals):
        key = f"rivals[{place}]"
        if rival.name == champion.identity.partition("@")[0]:
            raise ConfigError(f"{key}.name: {rival.name} is the name of the champion; give the rival another one")
        if kind_of(rival.artefact) == QUANTILES:
            learnt.append(_learnt(settings, rival, key))
        else:
            lanes.append(_lane(settings, rival, key))
    return tuple(lanes), tuple(learnt)


def clamped(rules: Rules) -> dict[str, int]:
    """Simulated returns that the clamp of a model changed so far, by the name that its figures bear; none where none clamps."""
    systems = [(rules.forecaster.identity.partition("@")[0], rules.forecaster), *((x.name, x.forecaster) for x in rules.lanes)]
    return {name: x.clamped for name, x in systems if isinstance(x, WindowForecaster) and x.clamps}


def _lane(settings: Settings, rival: Rival, key: str) -> Lane:
    if kind_of(rival.artefact) == DEPENDENCE:
        return _diffusion(settings, rival, key)
    forecaster = _forecaster(settings, rival.artefact, f"{key}.artefact")
    if rival.anchored and not forecaster.follows_books:
        raise ConfigError(f"{key}.anchored: {forecaster.identity} forecasts its assets and no portfolio; leave anchored out")
    network = _copula(settings, rival.model, f"{key}.model") if isinstance(rival.model, Path) else None
    model = network.identity if network else str(rival.model or RIVAL_MODEL)
    anchored = network is None if rival.anchored is None else rival.anchored
    return Lane(rival.name, forecaster, model, rival.paths, network, anchored)


def _diffusion(settings: Settings, rival: Rival, key: str) -> Lane:
    """A rival that is margins and scenario model in one."""
    with _configured(f"{key}.artefact"):
        network = dependence_at(rival.artefact, settings.model.provider)
        network.check_universe(settings.symbols)
        if not isinstance(network, Diffusion):
            raise ModelError(
                f"{rival.artefact}: a copula has no margins of assets; name it as model beside a forecaster's artefact"
            )
    if rival.anchored:
        raise ConfigError(f"{key}.anchored: {network.identity} forecasts its assets and no portfolio; leave anchored out")
    if rival.model not in (None, rival.artefact):
        raise ConfigError(f"{key}.model: {rival.model} cannot join what {rival.artefact} says: {ALONE}")
    return Lane(rival.name, network.margins, network.identity, rival.paths, network)


def _learnt(settings: Settings, rival: Rival, key: str) -> LearntRival:
    with _configured(f"{key}.artefact"):
        network = QuantileNetwork(load_quantiles(rival.artefact), settings.symbols, settings.model.provider)
    for name, value in (("model", rival.model), ("anchored", rival.anchored)):
        if value is not None:
            raise ConfigError(f"{key}.{name}: {rival.name} says losses outright and draws no scenarios; leave {name} out")
    return LearntRival(rival.name, network)


def _forecaster(settings: Settings, artefact: Path, key: str) -> Trained:
    with _configured(key):
        forecaster = forecaster_at(artefact, settings.model.provider, settings.model.threads)
        if isinstance(forecaster, WindowForecaster):
            forecaster.check_universe(settings.symbols)
        return forecaster


def _copula(settings: Settings, folder: Path, key: str) -> VaeCopula:
    with _configured(key):
        network = dependence_at(folder, settings.model.provider)
        network.check_universe(settings.symbols)
        if not isinstance(network, VaeCopula):
            raise ModelError(f"{folder}: {ALONE}")
        return network


@contextmanager
def _configured(key: str) -> Iterator[None]:
    """What is wrong with a model is said under the ``key`` that names it."""
    try:
        yield
    except ModelError as error:
        raise ConfigError(f"{key}: {error}") from error
