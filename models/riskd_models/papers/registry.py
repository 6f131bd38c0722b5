"""Every system by the name of its row in the papers' tables: what it is, and how it is run in the daemon."""

from collections.abc import Iterator
from dataclasses import dataclass

from riskd.core.challengers import CHALLENGERS
from riskd.core.scenarios import SCENARIO_MODELS
from riskd.lab.systems import Kind
from riskd_models.papers.copula.rivals import RIVALS
from riskd_models.papers.heatmap.walk import RIVALS as VOLATILITY_RIVALS

ALONE = "in the laboratory alone"


@dataclass(frozen=True, slots=True)
class Known:
    """``row`` is its name in the tables; ``card`` and ``scenarios`` as in :class:`riskd.lab.systems.System`."""

    row: str
    kind: Kind
    what: str
    how: str
    name: str = ""
    card: str | None = None
    scenarios: tuple[str, ...] = ()


def window(recipe: str, model: str) -> str:
    """How a network that reads a window is trained and configured."""
    trained = f"python -m riskd_models train-window --recipe models/recipes/{recipe}.toml"
    return f'{trained}; in [[rivals]] with model = "{model}" and anchored = false'


OWN_NETWORK = Known(
    "lstm-jsu",
    "network",
    "LSTM with Johnson-SU margins, averaged with GJR-FHS on each portfolio",
    "model.artefact, which names it unless told otherwise; python -m riskd_models train makes another",
    card="lstm-jsu",
)
JUDGED_NETWORK = Known(
    "lstm-jsu-2014",
    "network",
    "the same learnt to 2014, so that later years judge it",
    "model.artefact or [[rivals]] with models/artefacts/lstm-jsu-2014",
    card="lstm-jsu-2014",
)
ESTIMATORS = {
    "gjr-fhs": "GJR-GARCH with filtered historical residuals on the portfolio's own returns",
    "ewma-t": "exponentially weighted variance with Student-t tails",
    "historical": "the past losses as they were",
    "garch-t-copula": "GARCH margins of every symbol under a t-copula",
}
DRAWS = {
    "block-bootstrap": "runs of past sessions' scores",
    "filtered-bootstrap": "past sessions' scores, one session at a time",
    "iid-bootstrap": "filtered-bootstrap by the name that the generator's paper uses",
    "recoloured-bootstrap": "past sessions' scores, turned to have the newest correlation",
    "t-copula": "a t-copula fitted to the scores, with their own margins",
}

CARDS = {
    "lstm-copula": ("seed-1", ("t-copula",)),
    "tcn-copula": ("tcn", ("t-copula",)),
    "gru-vae-copula": ("gru", ("vae-copula",)),
    "transformer-var": ("transformer-var", ()),
    "diffusion-risknet": ("diffusion-risknet", ()),
}
WHAT = {
    "lstm-copula": "LSTM margins under a t-copula",
    "tcn-copula": "dilated convolutions as margins under a t-copula",
    "gru-vae-copula": "GRU margins under a variational autoencoder",
    "transformer-var": "a transformer that reads a portfolio's own losses",
    "diffusion-risknet": "a conditional diffusion of return vectors",
}
TRAINED = {
    "lstm-copula": "train-window --recipe models/recipes/seed-1.toml",
    "tcn-copula": "train-window --recipe models/recipes/tcn.toml",
    "gru-vae-copula": "train-window --recipe models/recipes/gru.toml, train-challenger --recipe models/recipes/vae-copula.toml",
    "transformer-var": "train-challenger --recipe models/recipes/transformer-var.toml",
    "diffusion-risknet": "train-challenger --recipe models/recipes/diffusion-risknet.toml",
}
CORRECTED = f"{ALONE}: the daemon always corrects margins by the scores of the past"

HEATMAP = "python -m riskd_models train-heatmap --recipe models/recipes/seed-2.toml"
CONFIGURED = "then [[rivals]] or [model] with that artefact"
PICTURES = (
    Known("CNN", "network", "the paper's network on heat maps, untuned", f"{HEATMAP} with anchored = false in it, {CONFIGURED}"),
    Known(
        "CNN, tuned",
        "network",
        "the paper's network with the numbers of its search",
        f"{HEATMAP} with anchored = false and the numbers of its comments in it, {CONFIGURED}",
    ),
    Known(
        "CNN, anchored",
        "network",
        "ours: it says how far volatility will be from that of the last 22 sessions",
        f"{HEATMAP}, {CONFIGURED}",
        card="seed-2",
    ),
)
VOLATILITIES = {
    "persistence": "the volatility of the last ten sessions",
    "HAR": "least squares on the volatilities of 5, 10 and 22 sessions",
    "HAR by class": "the same for each class of asset by itself",
    "linear": "least squares on the {}",
    "SVR": "radial support vectors on the {}",
    "tree": "a regression tree on the {}",
}
VIEWS = {"window": "standardised features", "image": "1,024 pixels"}
VOLATILITY_ALONE = f"{ALONE}: it says the volatility of ten sessions and no distribution"

ALLOTTER = "python -m riskd_models train-allotter --recipe models/recipes/seed-3.toml"
NETWORK = "a network that turns a year's features into weights, trained on mean less {} CVaR"
SOLVED = f"{ALONE}: proposals come from the certified solver, which keeps limits instead of weighing CVaR by a price"
ALLOCATORS = (
    Known(
        "deep 0.1, seed 1",
        "network",
        NETWORK.format("0.1"),
        f"{ALLOTTER} with price = 0.1 in it, then [[allocators]] with that artefact",
        "deep allocation, CVaR at 0.1",
    ),
    Known(
        "deep 1, seed 1",
        "network",
        NETWORK.format("1"),
        f"{ALLOTTER}, then [[allocators]] with that artefact",
        "deep allocation, CVaR at 1",
        card="seed-3",
    ),
    Known("1/N", "allocator", "equal weights", "always: it stands beside every proposal"),
    Known("Markowitz", "allocator", "mean less variance", '[[allocators]] with name = "markowitz"', card="markowitz"),
    Known("minimum CVaR", "allocator", "the least CVaR that there is", "always: it stands beside every proposal"),
    *(Known(f"mean-CVaR {price}", "allocator", f"mean less {price} CVaR, solved exactly", SOLVED) for price in ("0.1", "1")),
)

GENERATORS = (
    Known(
        "as written",
        "network",
        "LSTM means with past residuals as they were, clamped at 20 % a day",
        window("seed-4", "iid-bootstrap"),
        "generator, as written",
        "seed-4",
        ("iid-bootstrap", "filtered-bootstrap"),
    ),
    Known(
        "seed-4-open",
        "network",
        "the same on log returns, without the clamp",
        window("seed-4-open", "iid-bootstrap"),
        "generator, open",
        "seed-4-open",
        ("iid-bootstrap", "filtered-bootstrap", "block-bootstrap"),
    ),
    Known(
        "filtered",
        "network",
        "the same with residuals scaled by their own volatility",
        window("seed-4-filtered", "iid-bootstrap"),
        "generator, filtered",
        "seed-4-filtered",
        ("iid-bootstrap", "filtered-bootstrap"),
    ),
    Known(
        "history",
        "rival",
        "every overlapping month of the past as it was",
        'scenarios.challengers has "historical", the same of one session',
    ),
)


def own() -> Iterator[Known]:
    """The shipped networks, the estimators and the scenario models."""
    yield OWN_NETWORK
    yield JUDGED_NETWORK
    for name in CHALLENGERS:
        yield Known(name, "estimator", ESTIMATORS[name], f'"{name}" in scenarios.challengers')
    for name in SCENARIO_MODELS:
        yield Known(name, "scenario model", DRAWS[name], f'model = "{name}" in [scenarios] or [[rivals]]')


def copulas() -> Iterator[Known]:
    """The five systems of the paper, as it writes them, and what their networks say without correction."""
    for name, rival in RIVALS.items():
        bare, of = name.endswith("-bare"), name.removesuffix("-bare")
        card, scenarios = CARDS.get(name, (None, ()))
        what = f"{WHAT[of]}, uncorrected" if bare else WHAT[of]
        trained = f"python -m riskd_models {TRAINED[name]}; " if name in TRAINED else ""
        how = CORRECTED if bare else trained + rival.daemon
        yield Known(name, "network", what, how, rival.theirs or f"{RIVALS[of].theirs}, bare", card, scenarios)
    how = window("seed-1-residual", "t-copula")
    what = "LSTM means with past residuals under a t-copula"
    yield Known("seed-1-residual", "network", what, how, "LSTM-Copula, residual", "seed-1-residual", ("t-copula",))


def pictures() -> Iterator[Known]:
    """The networks on heat maps and everybody that they are held against."""
    yield from PICTURES
    for name in VOLATILITY_RIVALS:
        kind, _, view = name.partition(", ")
        yield Known(name, "rival", VOLATILITIES[kind].format(VIEWS.get(view, "")), VOLATILITY_ALONE)
