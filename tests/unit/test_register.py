"""Which systems of the catalogue run under a configuration, and under which names."""

from dataclasses import dataclass

import pytest

from riskd.app.register import registered
from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.contender import BUILT_IN, Lookback
from riskd.core.allocation.problem import Problem
from riskd.core.challengers.past import Past
from riskd.core.rules import Lane, LearntRival, Rules, ScenarioRules
from riskd.testing import EwmaForecaster

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Named(EwmaForecaster):
    """A forecaster under the name of an artefact."""

    identity: str = "lstm-jsu@1"


def here(champion: str, *lanes: tuple[str, str, str], **scenarios: object) -> dict[str, list[tuple[str, str]]]:
    """Name and role of every place of every system that runs somewhere; a lane is (name, identity, scenario model)."""
    spec = ScenarioRules(**scenarios)  # type: ignore[arg-type]
    rivals = tuple(Lane(name, Named(identity=identity), model, anchored=False) for name, identity, model in lanes)
    rules = Rules(("AAA",), (), Named(identity=champion), "test", spec, lanes=rivals)
    return {s.name: [(p.name, p.role) for p in s.here] for s in registered(rules) if s.here}


def test_the_shipped_configuration_runs_its_own() -> None:
    """The champion, the four challengers, the champion's scenario model, and what stands beside proposals; no paper's network."""
    assert here("lstm-jsu@1f2e") == {
        "lstm-jsu": [("lstm-jsu", "champion")],
        **{name: [(name, "challenger")] for name in ("gjr-fhs", "ewma-t", "historical", "garch-t-copula")},
        "recoloured-bootstrap": [("lstm-jsu", "draws for the champion")],
        "1/N": [("equal weight", "beside every proposal")],
        "minimum CVaR": [("least CVaR", "beside every proposal")],
    }


def test_a_paper_network_is_known_by_its_card() -> None:
    """A rival's own name is what its figures bear; the artefact says which system it is."""
    found = here("lstm-jsu@1", ("copula-of-mine", "seed-1@2", "t-copula"), challengers=("gjr-fhs",))
    assert found["LSTM-Copula"] == [("copula-of-mine", "rival")]
    assert found["t-copula"] == [("copula-of-mine", "draws for the rival")]
    assert "historical" not in found and "copula-of-mine" not in found


def test_another_dependence_is_another_system() -> None:
    """The LSTM-Copula's margins under a bootstrap are no LSTM-Copula: they are listed by themselves."""
    found = here("lstm-jsu@1", ("margins", "seed-1@2", "filtered-bootstrap"))
    assert "LSTM-Copula" not in found and found["margins"] == [("margins", "rival")]


def test_an_anchored_rival_is_called_one() -> None:
    """Its figures are averaged with each portfolio's own history, which the paper's system knows nothing of."""
    lane = Lane("both", Named(identity="seed-1@1"), "t-copula")
    found = {s.name: s.here for s in registered(Rules(("AAA",), (), Named(), "test", lanes=(lane,)))}
    assert [(p.name, p.role) for p in found["LSTM-Copula"]] == [("both", "anchored rival")]


def test_a_champion_that_nobody_knows_is_listed() -> None:
    """A network of one's own has a row, first of all; the shipped one then runs nowhere."""
    found = here("my-net@9")
    assert next(iter(found)) == "my-net" and found["my-net"] == [("my-net", "champion")]
    assert "lstm-jsu" not in found


def test_one_system_in_two_places() -> None:
    """Champion and rival of one artefact are two places of one row."""
    found = here("seed-4@1", ("again", "seed-4@1", "filtered-bootstrap"), model="iid-bootstrap")
    assert found["generator, as written"] == [("seed-4", "champion"), ("again", "rival")]


def test_a_network_may_join_the_assets_of_another() -> None:
    """The GRU's margins under the autoencoder are the paper's system whatever hash both have; a diffusion brings its own."""
    lanes = ("gru-vae", "gru@1", "vae-copula@77"), ("drawn", "diffusion-risknet@3", "diffusion-risknet@3")
    found = here("lstm-jsu@1", *lanes)
    assert found["GRU + VAE-Copula"] == [("gru-vae", "rival")] and found["Diffusion-RiskNet"] == [("drawn", "rival")]
    assert "gru-vae" not in found and "drawn" not in found


def test_a_network_of_losses_is_a_rival() -> None:
    """It has neither margins nor scenarios, and is known by its card."""

    @dataclass(frozen=True)
    class Losses:
        identity: str

        def losses(self, past: Past, portfolio: int, horizon: int) -> str:
            return "none here"

    learnt = LearntRival("tv", Losses("transformer-var@4")), LearntRival("other", Losses("own-losses@5"))
    found = {s.name: s for s in registered(Rules(("AAA",), (), Named(), "test", learnt=learnt)) if s.here}
    assert [(p.name, p.role) for p in found["Transformer-VaR"].here] == [("tv", "rival")]
    assert found["other"].what == "the artefact own-losses"


def test_allocators_stand_beside_a_proposal() -> None:
    """The built-in one and the paper's network are known by name and card; another artefact has a row of its own."""

    @dataclass(frozen=True)
    class Chooser:
        name: str
        identity: str
        sees_scenarios: bool = False

        def answer(self, problem: Problem, history: Lookback) -> tuple[Allocation, str]:
            raise NotImplementedError

    choosers = (BUILT_IN["markowitz"], Chooser("deep", "seed-3@1f"), Chooser("mine", "own-net@2"))
    rules = Rules(("AAA",), (), Named(), "test", allocators=choosers)
    found = {s.name: s for s in registered(rules) if any(p.role == "beside every proposal" for p in s.here)}
    assert {name: [p.name for p in s.here] for name, s in found.items()} == {
        "mine": ["mine"],
        "deep allocation, CVaR at 1": ["deep"],
        "1/N": ["equal weight"],
        "Markowitz": ["markowitz"],
        "minimum CVaR": ["least CVaR"],
    }
    assert found["mine"].kind == "allocator"
