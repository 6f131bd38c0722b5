"""Networks that draw joint scores or say losses keep the promises of the core's seams, and say what torch says."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtr

pytestmark = pytest.mark.contract
torch = pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from conftest import small_rules  # noqa: E402
from riskd.core.arrays import Floats, frozen  # noqa: E402
from riskd.core.challengers.past import Past  # noqa: E402
from riskd.core.currency import NONE, CurrencyView  # noqa: E402
from riskd.core.forecaster import stepwise  # noqa: E402
from riskd.errors import ModelError  # noqa: E402
from riskd.forecast.dependence import Diffusion, VaeCopula  # noqa: E402
from riskd.forecast.dependence_card import load_dependence  # noqa: E402
from riskd.forecast.kinds import dependence_at, forecaster_at  # noqa: E402
from riskd.forecast.quantiles import QuantileNetwork, load_quantiles  # noqa: E402
from riskd_models.papers.copula import diffusion as paper  # noqa: E402
from riskd_models.papers.copula.artefact import MAKERS, Made, dependence, write  # noqa: E402
from riskd_models.papers.copula.curve import losses_of  # noqa: E402
from riskd_models.papers.copula.descent import Curve  # noqa: E402
from riskd_models.papers.copula.recipe import ChallengerRecipe  # noqa: E402
from riskd_models.papers.copula.vae import LATENT, Autoencoder, ranks  # noqa: E402
from riskd_models.papers.work import silent  # noqa: E402
from riskd_models.pool import Panel  # noqa: E402

SYMBOLS, SESSIONS, WINDOW = ("AAA", "BBB", "CCC"), 420, 30
WEIGHTS = np.array([0.5, 0.3, 0.2])
Z = np.random.default_rng(2).standard_normal((90, 3))


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """The folders of the three artefacts by system, and the networks in torch."""

    folders: dict[str, Path]
    made: dict[str, Made]

    def copula(self) -> VaeCopula:
        return VaeCopula(load_dependence(self.folders["vae-copula"]))

    def diffusion(self) -> Diffusion:
        return Diffusion(load_dependence(self.folders["diffusion"]))

    def transformer(self, symbols: tuple[str, ...] = SYMBOLS) -> QuantileNetwork:
        return QuantileNetwork(load_quantiles(self.folders["transformer-var"]), symbols)


def panel() -> Panel:
    """Log returns of 1 % a day that share one factor."""
    random = np.random.default_rng(1)
    returns = 0.01 * (0.6 * random.standard_t(5, (SESSIONS, 1)) + 0.8 * random.standard_t(5, (SESSIONS, 3)))
    return Panel("made", SYMBOLS, tuple(date(2000, 1, 1) + timedelta(days=i) for i in range(SESSIONS)), returns, 3)


def recipe(system: str) -> ChallengerRecipe:
    own = {"weights": dict(zip(SYMBOLS, WEIGHTS, strict=True)), "window": WINDOW} if system == "transformer-var" else {}
    return ChallengerRecipe.model_validate({"system": system, "name": system, "seed": 3, "steps": 20, "golden_rows": 5} | own)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Each system trained for a moment, the copula not at all: a random decoder is no less a network."""
    torch.manual_seed(4)
    decoder = Made(Autoencoder(3), Curve([1.0], [1.0], 0, 1.0), SESSIONS, dependence("vae-copula") | {"latent": LATENT})
    made = {"vae-copula": decoder} | {name: make(recipe(name), panel(), silent) for name, make in MAKERS.items()}
    folders = {name: tmp_path_factory.mktemp(name) for name in made}
    for name, one in made.items():
        write(one, recipe(name), panel(), folders[name])
    return Shelf(folders, made)


@pytest.fixture(scope="module", params=["vae-copula", "diffusion"])
def model(shelf: Shelf, request: pytest.FixtureRequest) -> VaeCopula | Diffusion:
    return shelf.copula() if request.param == "vae-copula" else shelf.diffusion()


def generator(seed: int = 3) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def test_one_seed_one_answer_and_the_pool_is_left_alone(model: VaeCopula | Diffusion) -> None:
    """The right shape, finite; the same scores and seed the same bytes, another seed others; nothing is written to the scores."""
    scores = Z.copy()
    scores.flags.writeable = False
    first, again = (model(scores).draw(generator(), 2, 300) for _ in range(2))
    assert first.shape == (2, 300, 3) and np.isfinite(first).all() and model(scores).exact() is None
    assert first.tobytes() == again.tobytes() != model(scores).draw(generator(4), 2, 300).tobytes()
    assert_array_equal(scores, Z)


def test_the_count_of_random_numbers_does_not_depend_on_the_fit(model: VaeCopula | Diffusion) -> None:
    """After a draw the generator stands at the same place, whatever the scores were: banks of two days keep in step."""
    following = []
    for scores in (Z, 3 * Z[:70], -Z):
        random = generator()
        model(scores).draw(random, 2, 77)
        following.append(random.random())
    assert len(set(following)) == 1


def test_scores_of_another_universe_are_refused(model: VaeCopula | Diffusion) -> None:
    """Two columns, or too few sessions, are an error and no draw; other symbols are told with the way out."""
    for scores in (Z[:, :2], Z[:1]):
        with pytest.raises(ModelError, match="draws from at least"):
            model(scores)
    model.check_universe(SYMBOLS)
    with pytest.raises(ModelError, match="was trained on AAA, BBB, CCC, not on AAA, CCC; train it on this universe"):
        model.check_universe(("AAA", "CCC"))


def test_a_copula_ranks_as_torch_does(shelf: Shelf) -> None:
    """The decoder's draws of the same random numbers have the order that torch gives them, and their margins are the pool's."""
    copula, rows = shelf.copula(), 4000
    random = generator()
    z = random.standard_normal((rows, LATENT), dtype=np.float32)
    noise = random.standard_normal((rows, 3), dtype=np.float32)
    with torch.no_grad():
        mean, spread = shelf.made["vae-copula"].network(torch.from_numpy(z))
    found = copula.draw(generator(), rows)
    same = np.floor(ndtr(found) * rows).astype(int) == ranks(mean.numpy() + spread.numpy() * noise)
    assert same.mean() > 0.999
    pool = 2 * Z + 1
    drawn = copula(pool).draw(generator(), 1, rows)[0]
    wanted = np.quantile(pool, np.arange(0.1, 1, 0.1), axis=0, method="hazen")
    assert_allclose(np.sort(drawn, axis=0)[rows // 10 :: rows // 10], wanted, atol=0.05)


def test_a_diffusion_draws_what_torch_draws(shelf: Shelf) -> None:
    """Two sessions of some paths: the paper's own sampler, with the same noise and each path's own past, within 1e-4."""
    made, steps, paths = shelf.made["diffusion"], paper.DRAW_STEPS, 4
    drawn = shelf.diffusion()(Z).draw(generator(), 2, paths)
    random = generator()
    for session in range(2):
        noise = torch.from_numpy(random.standard_normal((steps, paths, 3), dtype=np.float32))
        for path in range(paths):
            past = np.vstack([Z, drawn[:session, path]])
            own = torch.cat([noise[:, path : path + 1], torch.zeros(1, 1, 3)])
            features = torch.from_numpy(paper.features_of(past)).float()
            assert made.margins is not None and isinstance(made.network, paper.Denoiser)
            torch_s = paper.Diffusion(made.network, made.margins, features, own, made.curve)
            with torch.no_grad():
                wanted = torch_s.diffused_back(len(past))
            assert_allclose(drawn[session, path], wanted[0].numpy(), atol=1e-4)


def test_only_the_newest_sixty_sessions_are_read(shelf: Shelf) -> None:
    """Older scores change no draw; the newest does."""
    diffusion = shelf.diffusion()
    known = diffusion(Z).draw(generator(), 1, 50)
    assert_allclose(diffusion(Z[-60:]).draw(generator(), 1, 50), known, atol=1e-12)
    rough = Z.copy()
    rough[-1] *= 4
    assert np.abs(diffusion(rough).draw(generator(), 1, 50) - known).max() > 1e-4


def test_a_forecaster_of_rank_margins(shelf: Shelf) -> None:
    """Scores and returns are inverse, far beyond what was learnt too; simulate is stepwise; what it cannot take is refused."""
    margins, returns = shelf.diffusion().margins, panel().returns
    state = margins.start(returns[:1])
    wide = np.linspace(-0.4, 0.4, 41)[:, None].repeat(3, axis=1)
    forecast = margins.forecast(state)
    assert_allclose(forecast.from_score(forecast.score(wide)), wide, atol=1e-9)
    scores = np.random.default_rng(5).standard_normal((4, 20, 3))
    assert_allclose(margins.simulate(state, scores), stepwise(margins, state, scores), atol=1e-14)
    with pytest.raises(ModelError, match="asset 1 in row 0"):
        margins.advance(state, np.array([[0.0, np.nan, 0.0]]))
    with pytest.raises(ModelError, match="starts from 1 row of 3"):
        margins.start(returns[:2])
    with pytest.raises(ModelError, match="another model or universe"):
        margins.advance(state, returns[:1, :2])
    with pytest.raises(ModelError, match="not finite"):
        margins.simulate(state, np.full((1, 1, 3), np.inf))


def past_of(weights: Floats, books: Floats) -> Past:
    """What a challenger is told of one portfolio."""
    portfolio = replace(small_rules().portfolios[0], weights=frozen(weights))
    return Past(np.zeros((len(books), 3)), books[:, None], np.zeros((4, 7)), (portfolio,))


def test_a_curve_is_torch_s(shelf: Shelf) -> None:
    """The losses of the portfolio that it was trained for are those of the curve that torch reads off the same window."""
    books = np.log1p(np.expm1(panel().returns) @ WEIGHTS)
    found = shelf.transformer().losses(past_of(WEIGHTS, books), 0, 1)
    card = load_quantiles(shelf.folders["transformer-var"]).card
    losses = -np.expm1(books[-WINDOW:])
    window = (np.column_stack([losses, np.abs(losses)]) - card.centre) / card.scale
    with torch.no_grad():
        quantiles, last = (
            part[0, -1].double().numpy() for part in shelf.made["transformer-var"].network(torch.Tensor(window)[None])
        )
    wanted = losses_of(card.centre[0] + card.scale[0] * quantiles, float(card.centre[0] + card.scale[0] * last))
    assert isinstance(found, np.ndarray) and (np.diff(found) >= 0).all()
    assert_allclose(found, wanted, rtol=1e-4, atol=1e-7)


def test_weights_are_found_by_symbol(shelf: Shelf) -> None:
    """In a wider universe the portfolio is the same when the rest of it is not held."""
    books = np.log1p(np.expm1(panel().returns) @ WEIGHTS)
    own = shelf.transformer().losses(past_of(WEIGHTS, books), 0, 1)
    wide = shelf.transformer(("AAA", "ABC", "BBB", "CCC")).losses(past_of(np.array([0.5, 0.0, 0.3, 0.2]), books), 0, 1)
    assert_array_equal(own, wide)
    with pytest.raises(ModelError, match="was trained to hold CCC, which is not watched; .*train-challenger"):
        shelf.transformer(("AAA", "BBB"))


def abroad() -> Past:
    """The portfolio with BBB counted by the rate CCC."""
    past = past_of(WEIGHTS, np.zeros(50))
    view = CurrencyView(np.array([NONE, 2, NONE]), np.ones(3), np.array([True, True, False]))
    return replace(past, portfolios=(replace(past.portfolios[0], view=view, currency="EUR"),))


SILENT: dict[str, tuple[Callable[[], Past], str]] = {
    "currency": (abroad, "converted to EUR"),
    "weights": (lambda: past_of(np.array([0.4, 0.3, 0.3]), np.zeros(50)), "trained for AAA 0.5, BBB 0.3, CCC 0.2"),
    "short": (lambda: past_of(WEIGHTS, np.zeros(WINDOW - 1)), "the newest 30 returns"),
    "unknown": (lambda: past_of(WEIGHTS, np.append(np.zeros(50), np.nan)), "not all of them are known"),
}


@pytest.mark.parametrize("case", SILENT)
def test_it_says_why_it_is_silent(shelf: Shelf, case: str) -> None:
    """Weights that nobody holds, a history too short or with a hole: words instead of losses."""
    past, words = SILENT[case]
    said = shelf.transformer().losses(past(), 0, 1)
    assert isinstance(said, str) and words in said


def test_what_is_not_its_matter_is_no_news(shelf: Shelf) -> None:
    """Nothing of a longer horizon, nor of a portfolio beside its own."""
    past = past_of(WEIGHTS, np.zeros(50))
    other = replace(past.portfolios[0], weights=frozen(np.array([0.4, 0.3, 0.3])))
    both = replace(past, books=np.zeros((50, 2)), portfolios=(past.portfolios[0], other))
    network = shelf.transformer()
    assert isinstance(network.losses(both, 0, 1), np.ndarray)
    assert (network.losses(both, 1, 1), network.losses(both, 0, 5)) == (None, None)


LOADERS: dict[str, Callable[[Path], object]] = {
    "vae-copula": load_dependence,
    "diffusion": load_dependence,
    "transformer-var": load_quantiles,
}


@pytest.mark.parametrize("system", LOADERS)
def test_a_changed_file_is_refused(shelf: Shelf, system: str, tmp_path: Path) -> None:
    """A byte more in any file, or golden figures of another network though every hash agrees: one line that names the file."""
    load = LOADERS[system]
    for path in shelf.folders[system].iterdir():
        folder = Path(copytree(shelf.folders[system], tmp_path / path.name))
        (folder / path.name).write_bytes(path.read_bytes() + b"x")
        with pytest.raises(ModelError, match=rf"{path.name}: ") as refusal:
            load(folder)
        assert "\n" not in str(refusal.value)
    folder = Path(copytree(shelf.folders[system], tmp_path / "other"))
    with np.load(folder / "golden.npz") as stored:
        golden = {name: stored[name] for name in stored.files}
    given = next(name for name in ("spread", "v", "last") if name in golden)
    np.savez(folder / "golden.npz", **golden | {given: golden[given] + 0.01})
    change(folder, golden_sha256=hashlib.sha256((folder / "golden.npz").read_bytes()).hexdigest())
    with pytest.raises(ModelError, match=f"golden.npz: {given} is off by"):
        load(folder)


def change(folder: Path, **keys: object) -> None:
    """Write other values of the card's keys."""
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | keys))


@pytest.mark.parametrize(
    ("system", "keys", "words"),
    [
        ("vae-copula", {"assets": ["AAA", "BBB"]}, "mean has 3 columns, card.json says 2"),
        ("vae-copula", {"latent": None}, "a vae-copula has latent"),
        ("vae-copula", {"system": "diffusion"}, "a vae-copula has latent"),
        ("diffusion", {"diffused": {"times": [100, 0], "kept": [1.0, 0.1], "spans": [5]}}, "end at 0 and 1"),
        ("diffusion", {"margins_sha256": "0" * 64}, "margins.npz: SHA-256 is"),
        ("transformer-var", {"weights": [0.5, 0.5]}, "assets and weights must be equally many"),
        ("transformer-var", {"window": 31}, "card.json says"),
        ("transformer-var", {"levels": [0.95, 0.9]}, "levels must rise"),
    ],
)
def test_a_card_that_says_otherwise_is_refused(
    shelf: Shelf, system: str, keys: dict[str, object], words: str, tmp_path: Path
) -> None:
    """A card whose keys disagree with each other, with the graph or with the files."""
    folder = Path(copytree(shelf.folders[system], tmp_path / "card"))
    change(folder, **keys)
    with pytest.raises(ModelError, match=words):
        LOADERS[system](folder)


def test_margins_that_do_not_rise_are_refused(shelf: Shelf, tmp_path: Path) -> None:
    """Sorted columns with a fall in them would give two scores to one return."""
    folder = Path(copytree(shelf.folders["diffusion"], tmp_path / "margins"))
    with np.load(folder / "margins.npz") as stored:
        normal, ordered = stored["normal"], stored["sorted"].copy()
    ordered[5, 1] = ordered[3, 1]
    np.savez(folder / "margins.npz", normal=normal, sorted=ordered)
    change(folder, margins_sha256=hashlib.sha256((folder / "margins.npz").read_bytes()).hexdigest())
    with pytest.raises(ModelError, match="margins.npz: margins that do not rise"):
        load_dependence(folder)


def test_every_folder_says_what_it_is(shelf: Shelf, root: Path, tmp_path: Path) -> None:
    """Taken for something else, or not there, the refusal says what a folder holds or lacks."""
    for name in ("diffusion", "transformer-var"):
        with pytest.raises(ModelError, match=r"forecasts no assets by themselves; name it in \[\[rivals\]\]"):
            forecaster_at(shelf.folders[name])
    with pytest.raises(ModelError, match='card.json: says kind "quantiles"; name the folder of a network of kind "dependence"'):
        dependence_at(shelf.folders["transformer-var"])
    with pytest.raises(ModelError, match="says no kind that draws joint scores"):
        dependence_at(root / "models" / "artefacts" / "lstm-jsu")
    with pytest.raises(ModelError, match=r"no such folder; .*train-challenger"):
        dependence_at(tmp_path / "nothing")
    assert isinstance(dependence_at(shelf.folders["vae-copula"]), VaeCopula)
    with pytest.raises(ModelError, match="is no diffusion"):
        Diffusion(load_dependence(shelf.folders["vae-copula"]))


def test_the_card_says_until_when_it_learnt(shelf: Shelf) -> None:
    """The newest session chose the weights, so nothing up to it is out of sample; the identity has the card's hash."""
    for network in (shelf.copula(), shelf.diffusion(), shelf.diffusion().margins, shelf.transformer()):
        assert network.learnt_until == panel().sessions[-1]
        assert len(network.identity.partition("@")[2]) == 12
