"""The committed model, its card, its recipe and the demo's prices belong together."""

import gzip
import hashlib
from pathlib import Path

import pytest

from riskd.forecast.artefact import Artefact, load_artefact

pytestmark = pytest.mark.golden

ROOT = Path(__file__).resolve().parents[2]
PRICES = ROOT / "examples" / "prices"
LONGEST = 300  # steps; with 600 the log score out of sample is the same and FZ0 worse: -3.3778 instead of -3.3816


@pytest.fixture(scope="module")
def artefact() -> Artefact:
    return load_artefact(ROOT / "models" / "artefacts" / "lstm-jsu")


def training(name: str) -> object:
    """A module of the training package; skips where what it needs is not installed."""
    for package in ("torch", "onnx", "skfolio", "arch"):
        pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")
    return pytest.importorskip(f"riskd_models.{name}")


def test_training_stays_short(artefact: Artefact) -> None:
    """The card's steps are the recipe's and at most 300."""
    assert artefact.card.training.steps == artefact.card.recipe["training"]["steps"] <= LONGEST


def test_judged_on_later_days_only(artefact: Artefact) -> None:
    """The first day of judgement follows the last day of training, and there are years of them."""
    card = artefact.card
    assert card.training.last < card.out_of_sample.first
    assert card.out_of_sample.sessions > 2000


@pytest.mark.parametrize("score", ["negative_log_score", "pinball", "fz0"])
@pytest.mark.parametrize("other", ["ewma-normal", "gjr-t"])
def test_better_than_simpler_models(artefact: Artefact, other: str, score: str) -> None:
    """Out of sample every score is significantly lower than EWMA-normal's and GJR-t's: an over-trained model's is not."""
    scores = artefact.card.out_of_sample
    assert scores.means["lstm-jsu"][score] < scores.means[other][score]
    assert scores.t_against[other][score] < -1.96


def test_hits_are_as_many_as_promised(artefact: Artefact) -> None:
    """Out of sample 5 % quantiles are undercut on 4.5 to 5.8 % of asset days, 1 % quantiles on 0.7 to 1.6 %."""
    means = artefact.card.out_of_sample.means["lstm-jsu"]
    assert 0.045 < means["hits"] < 0.058
    assert 0.007 < means["hits_1"] < 0.016


def test_the_recipe_is_the_one_on_the_card(artefact: Artefact) -> None:
    """A recipe changed without training again is noticed."""
    recipe = training("recipe").read_recipe(ROOT / "models" / "recipes" / "lstm-jsu.toml")  # type: ignore[attr-defined]
    assert recipe.model_dump(mode="json") == artefact.card.recipe


def test_the_training_data_is_the_one_on_the_card(artefact: Artefact) -> None:
    """The installed packages ship the very returns that the weights come from."""
    pool, recipes = training("pool"), training("recipe")
    recipe = recipes.read_recipe(ROOT / "models" / "recipes" / "lstm-jsu.toml")  # type: ignore[attr-defined]
    digest = pool.data_digest(pool.load_pool(recipe), recipe.pool.train_until)  # type: ignore[attr-defined]
    assert digest == artefact.card.training.data_sha256


def test_demo_prices_are_the_script_s(tmp_path: Path) -> None:
    """The committed prices and licence are what the script writes; compared unpacked, for zlib's bytes differ by version."""
    written = training("demo_prices").write_demo_prices(tmp_path)  # type: ignore[attr-defined]
    assert gzip.decompress(written.read_bytes()) == gzip.decompress((PRICES / written.name).read_bytes())
    assert (tmp_path / "LICENSE-skfolio.txt").read_bytes() == (PRICES / "LICENSE-skfolio.txt").read_bytes()


def test_demo_prices_are_these() -> None:
    """The demo's figures rest on these prices: 8,313 sessions, 21 symbols, no gap."""
    text = gzip.decompress((PRICES / "us-stocks-1990-2022.csv.gz").read_bytes())
    lines = text.decode().splitlines()
    assert len(lines) == 1 + 8313
    assert {len([cell for cell in line.split(",") if cell]) for line in lines} == {22}
    assert hashlib.sha256(text).hexdigest() == "4f75c7cca97af06c3d078d19401d6d9a3d3480493505d977864da6690bcc3bb0"
