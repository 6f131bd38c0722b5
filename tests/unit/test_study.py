"""The walk-forward study looks back only, keeps its promises about scenario sets, and goes on where it stopped."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytestmark = pytest.mark.unit
torch = pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd.core.garch import fit_gjr  # noqa: E402
from riskd.core.measures.cvar import cvar  # noqa: E402
from riskd.core.measures.value_at_risk import value_at_risk  # noqa: E402
from riskd.core.validation.scores import crps_sorted  # noqa: E402
from riskd.errors import ConfigError  # noqa: E402
from riskd_models.network import LstmJsu  # noqa: E402
from riskd_models.recipe import Recipe, read_recipe  # noqa: E402
from riskd_models.study.books import BOOKS, Book, load_book  # noqa: E402
from riskd_models.study.forecasts import JOINT, NAMES, Study, forecast_of  # noqa: E402
from riskd_models.study.laboratory import laboratory, study_of  # noqa: E402
from riskd_models.study.portfolios import portfolios_of  # noqa: E402
from riskd_models.study.quantified import LEVELS, read_off  # noqa: E402
from riskd_models.study.walk import place, walk  # noqa: E402
from riskd_models.study.years import known_before  # noqa: E402
from riskd_models.train import training_series  # noqa: E402

RECIPE = Path(__file__).resolve().parents[2] / "models" / "recipes" / "lstm-jsu.toml"
FIRST, ROWS = 860, 880
DAY = 870


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return read_recipe(RECIPE)


@pytest.fixture(scope="module")
def book() -> Book:
    """Three made-up assets with a common factor; a twentieth of a second of fitting a day."""
    random = np.random.default_rng(3)
    returns = 0.006 * random.standard_t(5, (ROWS, 1)) + 0.008 * random.standard_t(5, (ROWS, 3))
    returns *= np.exp(np.sin(np.arange(ROWS) / 40))[:, None]  # so that every GARCH has something to react to
    sessions = tuple(date(2010, 1, 1) + timedelta(days=i) for i in range(ROWS))
    return Book("made-up", ("X", "Y", "Z"), sessions, returns, FIRST)


@pytest.fixture(scope="module")
def networks(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks of 2010 to 2012 with small random weights: what is tested here holds for any."""
    folder = tmp_path_factory.mktemp("networks")
    for year in (2010, 2011, 2012):
        torch.manual_seed(year)
        network = LstmJsu(recipe.network, torch.zeros(12), torch.ones(12))
        torch.nn.init.normal_(network.head.weight, std=0.1)
        np.savez(folder / f"{year}-{recipe.seed}.npz", **{k: v.numpy() for k, v in network.state_dict().items()})
    return folder


@pytest.fixture(scope="module")
def study(book: Book, recipe: Recipe, networks: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return Study(book, recipe, tmp_path_factory.mktemp("study"), networks)


@pytest.fixture(scope="module")
def spoilt(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """The same study with every return from row DAY on replaced by nonsense."""
    returns = study.book.returns.copy()
    returns[DAY:] = 0.3 * np.sin(np.arange(returns[DAY:].size)).reshape(-1, 3)
    folder = tmp_path_factory.mktemp("spoilt")
    yield Study(replace(study.book, returns=returns), study.recipe, folder, study.networks)


@pytest.mark.parametrize("name", NAMES)
def test_a_forecast_knows_nothing_of_its_own_day(study: Study, spoilt: Study, name: str) -> None:
    """Other returns from a day on leave that day's forecast as it was to the last bit, and change the next day's."""
    before, after = forecast_of(study, name), forecast_of(spoilt, name)
    assert_array_equal(before.ordered(DAY), after.ordered(DAY))
    assert not np.array_equal(before.ordered(DAY + 1), after.ordered(DAY + 1))


@pytest.mark.parametrize("name", NAMES)
def test_a_forecast_rises_and_is_finite(study: Study, name: str) -> None:
    """Every portfolio has its row of simple returns in rising order."""
    ordered = forecast_of(study, name).ordered(DAY)
    assert len(ordered) == len(study.portfolios.names)
    assert np.isfinite(ordered).all()
    assert (np.diff(ordered, axis=1) >= 0).all()


def test_a_network_of_a_year_sees_no_session_of_it(recipe: Recipe) -> None:
    """Cutting the whole history short gives the very series that training until New Year's Eve gives."""
    panel = recipe.pool.panels[1].model_copy(update={"portfolios": 1})
    small = recipe.model_copy(update={"pool": recipe.pool.model_copy(update={"panels": (panel,)})})
    until = small.model_copy(update={"pool": small.pool.model_copy(update={"train_until": date(2002, 12, 31)})})
    from riskd_models.pool import load_pool

    wanted = training_series(load_pool(until), until)
    found = known_before(2003, small)
    assert len(found) == len(wanted) == 5
    for one, other in zip(found, wanted, strict=True):
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.target, other.target)


def test_what_is_read_off_is_what_the_daemon_measures() -> None:
    """VaR and CVaR at ten levels agree with riskd.core.measures on any sample size, CRPS with the sorted form."""
    random = np.random.default_rng(1)
    for size in (137, 1000, 1500):
        sample, realised = np.sort(random.standard_t(4, (2, size)), axis=1), random.standard_t(4, 2)
        read = read_off(sample, realised)
        for row in range(2):
            for k, level in enumerate(LEVELS):
                assert_allclose(read.var[row, k], value_at_risk(-sample[row], level).value, rtol=1e-12)
                assert_allclose(read.cvar[row, k], cvar(-sample[row], level).value, rtol=1e-10)
            assert_allclose(read.crps[row], crps_sorted(float(realised[row]), sample[row]), rtol=1e-10)
            assert_allclose(read.pit[row], ((-sample[row] < -realised[row]).sum() + 0.5) / (size + 1))


def test_gjr_residuals_are_of_the_fit_in_force(study: Study, book: Book) -> None:
    """The second asset's forecast is its own fit's residuals times that day's sigma."""
    x = np.ascontiguousarray(study.returns[:DAY, 1])
    fit = fit_gjr(x[:FIRST])
    residuals, sigma = fit.filtered(x)
    wanted = np.sort(np.expm1(fit.mu + sigma * residuals[study.stream.first :]))
    assert_allclose(study.gjr.ordered(DAY)[1], wanted, rtol=1e-4, atol=1e-9)


def test_the_champion_is_half_of_each(study: Study) -> None:
    """Its quantiles are the mean of the network's and of GJR's, portfolio by portfolio."""
    lstm, gjr = (forecast_of(study, name).ordered(DAY) for name in ("lstm", "gjr-fhs"))
    assert_allclose(forecast_of(study, "riskd").ordered(DAY), (lstm + gjr) / 2, rtol=1e-12)


def test_recolouring_keeps_every_margin(study: Study) -> None:
    """Rank by rank the recoloured set has the bootstrap's returns, in other rows."""
    plain, turned = (JOINT[name](study).sample(DAY) for name in ("joint-bootstrap", "joint-recoloured"))
    assert_allclose(np.sort(turned, axis=0), np.sort(plain, axis=0), rtol=1e-12)
    assert not np.allclose(turned, plain)


def test_the_anchored_book_has_the_forecast_that_it_is_anchored_to(study: Study) -> None:
    """Read off the joint set, the equal-weight portfolio has the champion's distribution."""
    row = study.portfolios.names.index("equal")
    found = forecast_of(study, "joint-anchored").ordered(DAY)[row]
    assert_allclose(found, forecast_of(study, "riskd").ordered(DAY)[row], rtol=1e-9, atol=1e-12)


def test_a_stopped_study_goes_on(study: Study) -> None:
    """What is kept is read, what is missing is computed again to the same figures, and the laboratory takes all of it."""
    first = walk(study)
    kept = {name: place(study, name).stat().st_mtime_ns for name in NAMES}
    place(study, "lstm").unlink()
    again = walk(study)
    assert {n for n in NAMES if place(study, n).stat().st_mtime_ns != kept[n]} == {"lstm"}
    assert_array_equal(again["lstm"]["var"], first["lstm"]["var"])
    lab = laboratory(study, again)
    assert {t.group for t in lab.tracks} == {"single", "equal", "dirichlet", "long-short"}
    assert_allclose(lab.tracks[0].losses, -np.expm1(study.book.returns[FIRST:, 0]), atol=1e-15)


def test_portfolios_are_what_their_names_say() -> None:
    """Singles first, long-only weights add up to one, long against short to nothing."""
    found = portfolios_of(("X", "Y", "Z"))
    assert_array_equal(found.weights[:3], np.eye(3))
    assert_allclose(found.weights[:-1].sum(axis=1), 1.0)
    assert_allclose([found.weights[-1].sum(), np.abs(found.weights[-1]).sum()], [0.0, 2.0], atol=1e-15)


def test_a_folder_of_other_prices_is_refused(book: Book, recipe: Recipe, tmp_path: Path) -> None:
    """Results of two data sets are never mixed."""
    study_of(book, recipe, tmp_path)
    study_of(book, recipe, tmp_path)
    with pytest.raises(ConfigError, match="study of other prices"):
        study_of(replace(book, first=FIRST + 1), recipe, tmp_path)


def test_a_file_that_cannot_be_a_book_is_one_line(tmp_path: Path) -> None:
    """The line names the file or book and the way out."""
    words, short = tmp_path / "words.csv", tmp_path / "short.csv"
    words.write_text("date,X\n2020-01-01,high\n")
    short.write_text("date,X,Y\n2020-01-01,1,2\n2020-01-02,1.1,2\n")
    for name, reason in ((str(words), "first column"), (str(short), "are needed"), ("Q", "named books"), ("M", "--data")):
        with pytest.raises(ConfigError, match=reason) as refused:
            load_book(name, 310, tmp_path)
        assert "\n" not in str(refused.value)


def test_the_books_that_packages_ship_are_there() -> None:
    """A, B and C need nothing but the packages; their tested sessions are those of the study."""
    for name, days in (("B", 5785), ("A", 1508), ("C", 3516)):
        found = load_book(name, 310)
        assert found.symbols == tuple(BOOKS[name].symbols)
        assert abs(len(found.tested) - days) <= 2
