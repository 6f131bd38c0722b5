"""Everything the fold is told that is not the market: who is watched, by which model, against which limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from riskd.core.allocation.contender import Contender
from riskd.core.canonical import digest, plain, seed
from riskd.core.challengers.learnt import LossNetwork
from riskd.core.forecaster import Forecaster
from riskd.core.limits import Basis
from riskd.core.portfolio import Portfolio
from riskd.core.scenarios.model import ScenarioModel

RIVAL_MODEL = "filtered-bootstrap"  # by which a rival's scores are drawn where nothing else is said


@dataclass(frozen=True)
class ScenarioRules:
    """How scenario banks are made; ``levels`` are confidence levels, ``horizons`` sessions.

    ``model`` is one of SCENARIO_MODELS, or the identity of the network that the rules bring along as ``dependence``.
    """

    model: str = "recoloured-bootstrap"
    paths: int = 20_000
    horizons: tuple[int, ...] = (1, 10, 21)
    levels: tuple[float, ...] = (0.95, 0.975, 0.99)
    pool: int = 1500  # newest scores that dependence is fitted on
    least_pool: int = 250
    challengers: tuple[str, ...] = ("gjr-fhs", "ewma-t", "historical", "garch-t-copula")


@dataclass(frozen=True)
class AllocationRules:
    """How weights are looked for.

    ``scenarios`` of bank A that the optimiser sees at most, None: all; ``solvers`` in the order they are tried until one answer
    is proved within ``tolerance`` (relative gap); ``tightenings`` of the inner limits until the verification agrees;
    ``frontier``: points of the mean-CVaR frontier that are told with a proposal, 0: none.
    """

    scenarios: int | None = None
    solvers: tuple[str, ...] = ("band", "highs", "clarabel")
    tolerance: float = 1e-6
    tightenings: int = 6
    frontier: int = 20


@dataclass(frozen=True)
class AlertRules:
    """A breach that nobody acknowledged is told again after ``escalate_after`` sessions; news of one kind from more than
    ``group_above`` portfolios is one message."""

    escalate_after: int = 3
    group_above: int = 5


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """A system that runs beside the champion as a challenger: its forecaster, the scenario model that draws its scores, and how
    many paths its bank has at most. ``dependence`` is the scenario model where that is a network, and ``model`` its identity.

    One that is not ``anchored`` follows no portfolio's own history: its figures are its assets' margins, joined by the model.
    """

    name: str
    forecaster: Forecaster
    model: str = RIVAL_MODEL
    paths: int = 4000
    dependence: ScenarioModel | None = None
    anchored: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class LearntRival:
    """A network that says losses outright, as one challenger more."""

    name: str
    network: LossNetwork


@dataclass(frozen=True, eq=False)
class Rules:
    """The universe, the portfolios and the models; immutable, hashed into every report."""

    symbols: tuple[str, ...]
    portfolios: tuple[Portfolio, ...]
    forecaster: Forecaster
    version: str
    scenarios: ScenarioRules = ScenarioRules()
    allocation: AllocationRules = AllocationRules()
    lanes: tuple[Lane, ...] = ()
    lots: Mapping[str, float] = field(default_factory=dict)  # symbol -> shares of its smallest order
    alerts: AlertRules = AlertRules()
    allocators: tuple[Contender, ...] = ()  # whose weights stand beside a proposal
    dependence: ScenarioModel | None = None  # the network whose identity ``scenarios.model`` is
    learnt: tuple[LearntRival, ...] = ()
    anchored: bool = True  # False only in the rules of a lane

    @property
    def warm_up(self) -> int:
        """Log returns needed before the first figure: those of the slowest forecaster and the smallest score pool."""
        systems = (self.forecaster, *(lane.forecaster for lane in self.lanes))
        return max(system.warm_up for system in systems) + self.scenarios.least_pool

    @cached_property
    def in_lanes(self) -> tuple["Rules", ...]:
        """For every lane the rules as they would be with its system as champion: all else is the same but for fewer paths and, in
        one that is not anchored, no portfolio followed."""
        return tuple(self._in(lane) for lane in self.lanes)

    def _in(self, lane: Lane) -> "Rules":
        spec = replace(self.scenarios, model=lane.model, paths=min(lane.paths, self.scenarios.paths))
        own = replace(self, forecaster=lane.forecaster, scenarios=spec, lanes=(), learnt=())
        return replace(own, dependence=lane.dependence, anchored=lane.anchored)

    @property
    def books(self) -> tuple[Portfolio, ...]:
        """The portfolios that the forecaster follows as assets of their own."""
        return self.portfolios if self.forecaster.follows_books and self.anchored else ()

    @property
    def assets_fitted(self) -> bool:
        """Whether a GARCH is fitted to every symbol too."""
        return "garch-t-copula" in self.scenarios.challengers

    @cached_property
    def basis(self) -> str:
        """Hash of what a state depends on: universe, forecasters and what is held. Another basis needs another warm-up."""
        held = [(p.name, plain(p.weights), p.currency, plain(p.view)) for p in self.portfolios]
        systems = [[lane.forecaster.identity for lane in self.lanes]] if self.lanes else []
        loose = [str(place) for place, lane in enumerate(self.lanes) if not lane.anchored]
        systems += [loose] if loose else []
        return digest([self.symbols, self.forecaster.identity, self.scenarios.pool, self.assets_fitted, held, *systems])

    @cached_property
    def identity(self) -> str:
        """Hash of everything configured that enters a figure or a judgement."""
        lanes = [[(lane.name, lane.model, lane.paths) for lane in self.lanes]] if self.lanes else []
        lots = [sorted(self.lots.items())] if self.lots else []
        learnt = [["learnt", *([x.name, x.network.identity] for x in self.learnt)]] if self.learnt else []
        beside = [["allocators", *([x.name, x.identity] for x in self.allocators)]] if self.allocators else []
        parts = [self.portfolios, self.scenarios, self.allocation, self.alerts]
        return digest([self.basis, *(plain(part) for part in parts), *lanes, *lots, *learnt, *beside])

    @cached_property
    def view(self) -> str:
        """Hash of what the champion's figures rest on, the limits among it; rivals and allocation are not."""
        return digest([self.symbols, self.forecaster.identity, plain(self.portfolios), plain(self.scenarios)])

    @cached_property
    def judged_by(self) -> Mapping[tuple[str, str], Basis]:
        """(portfolio, limit) -> what the limit is judged by."""
        spec = self.scenarios
        scenarios = digest([spec.model, spec.paths, spec.pool])
        found: dict[tuple[str, str], Basis] = {}
        for p in self.portfolios:
            held = digest([p.currency, {s: w for s, w in zip(self.symbols, p.weights.tolist(), strict=True) if w}])
            found |= {(p.name, m.name): Basis(self.forecaster.identity, scenarios, held, m) for m in p.limits}
        return found

    def seed(self, bank: str) -> int:
        """Seed of a bank. Neither session nor holdings are in it: from day to day the random numbers stay the same."""
        spec = self.scenarios
        return seed(bank, self.symbols, self.forecaster.identity, spec.model, spec.paths, spec.horizons, spec.pool)
