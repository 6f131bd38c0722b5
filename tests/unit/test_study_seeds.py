"""The study of the two papers' systems looks back only, pools what was out of sample, and compares on the same sessions."""

from collections.abc import Callable
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

from riskd.core.arrays import Floats  # noqa: E402
from riskd.core.validation.scores import pinball  # noqa: E402
from riskd.errors import ConfigError  # noqa: E402
from riskd.lab.summary import summary  # noqa: E402
from riskd_models.__main__ import main  # noqa: E402
from riskd_models.network import LstmJsu  # noqa: E402
from riskd_models.recipe import read_recipe  # noqa: E402
from riskd_models.study.books import Book  # noqa: E402
from riskd_models.study.forecasts import Study  # noqa: E402
from riskd_models.study.kept import kept  # noqa: E402
from riskd_models.study.seeds import (  # noqa: E402
    BESIDE_HELD,
    HELD,
    HORIZON,
    SPANS,
    Plan,
    Seeds,
    forward,
    seeds_laboratory,
    split,
)
from riskd_models.study.systems import SYSTEMS, Block, SystemSet  # noqa: E402
from riskd_models.study.walk import place  # noqa: E402
from riskd_models.window_export import export_window  # noqa: E402
from riskd_models.window_train import train_window  # noqa: E402
from window_systems import panel_of, small  # noqa: E402

RECIPE = Path(__file__).resolve().parents[2] / "models" / "recipes" / "lstm-jsu.toml"
ROWS, CUT, DAY = 440, 352, 370
FIRST_SCORED = 282  # a fifth of the 352 known rows is only judged on
EQUAL = 3  # the row of the equal-weight portfolio, after the assets
Made = Callable[[str, Book], SystemSet]


@pytest.fixture(scope="module")
def book() -> Book:
    """Three made-up assets with a common factor and a volatility that comes and goes."""
    random = np.random.default_rng(3)
    returns = 0.006 * random.standard_t(5, (ROWS, 1)) + 0.008 * random.standard_t(5, (ROWS, 3))
    returns *= np.exp(np.sin(np.arange(ROWS) / 20))[:, None]
    return Book("made-up", ("A", "B", "C"), days_from(date(2000, 1, 1), ROWS), returns, CUT)


def days_from(first: date, count: int) -> tuple[date, ...]:
    return tuple(first + timedelta(days=i) for i in range(count))


@pytest.fixture(scope="module")
def folder(book: Book, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny networks where the study keeps those that it has trained."""
    found = tmp_path_factory.mktemp("study") / "systems"
    for recipe in {system.recipe for system in SYSTEMS.values()}:
        panel, rules = panel_of(book.returns[:CUT]), small(recipe)
        export_window(train_window(panel, rules), panel, rules, found / f"{recipe}-{book.sessions[0]}-{book.sessions[CUT - 1]}")
    return found


@pytest.fixture(scope="module")
def made(folder: Path) -> Made:
    blocks = (Block(range(CUT), range(CUT, ROWS)),)
    return lambda name, book: SystemSet(book, blocks, SYSTEMS[name], folder)


@pytest.fixture(scope="module")
def study(book: Book, folder: Path) -> Study:
    """With networks of the daemon's own kind, of small random weights, and one GJR fit for all days."""
    recipe = read_recipe(RECIPE)
    for year in (2000, 2001):
        torch.manual_seed(year)
        network = LstmJsu(recipe.network, torch.zeros(12), torch.ones(12))
        np.savez(folder / f"{year}-{recipe.seed}.npz", **{k: v.numpy() for k, v in network.state_dict().items()})
    return Study(book, recipe, folder.parent, folder)


def seeds_of(study: Study, plan: Plan) -> Seeds:
    return Seeds(study, plan, lambda name, done: None)


def spoilt(book: Book, value: float) -> Book:
    """The same book with every return from row DAY on replaced."""
    returns = book.returns.copy()
    returns[DAY:] = value * np.sin(1 + np.arange(returns[DAY:].size)).reshape(-1, 3)
    return replace(book, returns=returns)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_knows_nothing_of_its_own_day(made: Made, book: Book, name: str) -> None:
    """Other returns from a day on leave that day's forecasts, of one session and of five, and change the next day's."""
    before, after = made(name, book), made(name, spoilt(book, 0.1))
    assert_array_equal(before.sample(DAY), after.sample(DAY))
    assert_array_equal(before.held(DAY, 5, 20), after.held(DAY, 5, 20))
    assert not np.array_equal(before.sample(DAY + 1), after.sample(DAY + 1))
    assert not np.array_equal(before.held(DAY + 1, 5, 20), after.held(DAY + 1, 5, 20))


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_pool_is_out_of_sample_and_whole(made: Made, book: Book, name: str) -> None:
    """Its scores are of every row from the first that the weights were not found from up to the day before."""
    run = made(name, book).run(DAY)
    assert run.first == FIRST_SCORED
    assert len(run.pool(DAY)) == DAY - FIRST_SCORED
    assert_array_equal(run.pool(DAY)[-1], run.forecast(DAY - 1).score(book.returns[DAY - 1][None])[0])


@pytest.mark.parametrize("name", ["seed-4", "seed-4-open", "seed-4-block", "seed-4-filtered"])
def test_one_session_held_is_the_session_that_is_forecast(made: Made, book: Book, name: str) -> None:
    """Every simulated return of one session is one of the joint set's, assets together, to float32."""
    system = made(name, book)
    wanted, found = system.sample(DAY), system.held(DAY, 1, 50)
    assert_allclose(np.abs(found[:, None] - wanted).max(axis=2).min(axis=1), 0.0, atol=1e-7)


def test_only_the_clamped_system_is_bounded(made: Made, book: Book) -> None:
    """With past moves of 60 % no return of seed-4 exceeds 20 %, and the open reading's do."""
    wild = spoilt(book, 0.6)
    sizes = {name: float(np.abs(made(name, wild).sample(DAY + 40)).max()) for name in ("seed-4", "seed-4-open")}
    assert sizes["seed-4"] == pytest.approx(0.2)
    assert sizes["seed-4-open"] > 0.3


def test_only_filtered_residuals_widen_after_a_storm(made: Made, book: Book) -> None:
    """Ten sessions of large moves more than double the deviation of the filtered set; the plain one moves with its pool alone."""
    returns = book.returns.copy()
    returns[DAY : DAY + 10] *= 4
    stormy = replace(book, returns=returns)
    growth = {}
    for name in ("seed-4-open", "seed-4-filtered"):
        system = made(name, stormy)
        growth[name] = float(system.sample(DAY + 10)[:, 0].std() / system.sample(DAY)[:, 0].std())
    assert growth["seed-4-filtered"] > 2
    assert growth["seed-4-open"] < growth["seed-4-filtered"] / 1.5


def test_the_copula_joins_pool_margins_or_bare_ones(made: Made, book: Book) -> None:
    """Through the network's margins the draws give back the quantiles of the pool, or with seed-1-bare normal ones."""
    for name, wanted in (("seed-1", None), ("seed-1-bare", [-1.2816, 0.0, 1.2816])):
        system = made(name, book)
        run = system.run(CUT)
        scores = run.forecast(CUT).score(np.log1p(system.sample(CUT)))
        pool = np.quantile(run.pool(CUT), [0.1, 0.5, 0.9], axis=0, method="hazen")
        expected = pool if wanted is None else np.tile(np.array(wanted)[:, None], 3)
        assert_allclose(np.quantile(scores, [0.1, 0.5, 0.9], axis=0), expected, atol=0.06)


def test_blocks_cover_the_tested_sessions_once_and_train_on_the_past() -> None:
    """Trained once: the first paper's years, four fifths known. Walked forward: again at every third turn of the year."""
    rows = 6000
    long = Book("M", ("A",), days_from(date(2008, 1, 1), rows), np.zeros((rows, 1)), 1461)  # to June 2024
    (only,) = split(long)
    first, last = SPANS["M"]
    assert (long.sessions[only.known.start], long.sessions[only.rows.stop - 1]) == (first, last)
    assert len(only.rows) == pytest.approx(0.2 * (last - first).days, abs=2)
    blocks = forward(long)
    assert [long.sessions[b.rows.start].year for b in blocks] == [2012, 2015, 2018, 2021, 2024]
    assert [row for b in blocks for row in b.rows] == list(range(long.first, rows))
    assert all(b.known == range(b.rows.start) for b in blocks)


def test_the_studys_own_forecasts_are_cut_to_the_same_sessions(book: Book, study: Study) -> None:
    """Row for row, what stands beside the systems is of the sessions that they forecast."""
    begun = replace(study, book=replace(book, first=300), folder=study.folder / "begun-earlier")
    kept(place(begun, "riskd"), lambda: {"var": np.arange(300, ROWS, dtype=np.float64)})
    sliced = seeds_of(begun, "split")
    assert list(sliced.rows) == list(range(CUT, ROWS))
    assert_array_equal(sliced.beside("riskd")["var"], np.array(sliced.rows, dtype=np.float64))


def test_a_day_is_read_off_that_days_set(study: Study, made: Made, book: Book) -> None:
    """The PIT is the rank of what the portfolio really lost, and energy is known on the sessions on which others have it."""
    read = seeds_of(study, "split").daily("seed-4-filtered")
    wanted = made("seed-4-filtered", book).sample(DAY).mean(axis=1)
    came = np.expm1(book.returns[DAY]).mean()
    assert_allclose(read["pit"][DAY - CUT, EQUAL], ((wanted > came).sum() + 0.5) / (len(wanted) + 1))
    assert_array_equal(np.flatnonzero(~np.isnan(read["energy"])), np.arange(0, ROWS - CUT, 5))


def test_months_are_held_without_overlap_and_judged_on_what_came(study: Study, book: Book) -> None:
    """Losses are those of buying and holding, and the report's mean pinball loss of every forecast is that of these losses."""
    lab = seeds_laboratory(seeds_of(study, "months"))
    track = next(t for t in lab.tracks if t.portfolio == "equal")
    days = range(CUT, ROWS - HORIZON + 1, HORIZON)
    losses: Floats = np.array([1 - np.exp(book.returns[d : d + HORIZON].sum(axis=0)).mean() for d in days])
    assert_allclose(track.losses, losses, atol=1e-12)
    panel = next(p for p in summary(lab)["panels"] if p["group"] == "equal")
    found = {r["model"]: r["mean"] for r in panel["scores"] if (r["score"], r["level"]) == ("pinball", 0.95)}
    assert set(found) == {*HELD, *BESIDE_HELD}
    level = lab.levels.index(0.95)
    for name, mean in found.items():
        assert_allclose(mean, pinball(losses, track.forecasts[name].var[:, level], 0.95).mean(), rtol=1e-5)


def test_systems_of_other_recipes_are_refused(study: Study, tmp_path: Path) -> None:
    """What was trained by other numbers is never taken for these."""
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "recipes.sha256").write_text("of other recipes")
    with pytest.raises(ConfigError, match="another recipe"):
        seeds_laboratory(seeds_of(replace(study, folder=tmp_path), "months"))


def test_a_book_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The verb says what is missing and ends with 78."""
    assert main(["evaluate", "--book", "Q", "--seeds", "split", "--out", str(tmp_path)]) == 78
    said = capsys.readouterr().err.strip()
    assert "named books" in said
    assert "\n" not in said
