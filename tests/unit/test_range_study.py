"""The study of highs and lows: networks see no session of their year, days stay together, and only whole bars count."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytestmark = pytest.mark.unit
torch = pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("onnx", "skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd.core.market import log_returns  # noqa: E402
from riskd.errors import ConfigError  # noqa: E402
from riskd_models.__main__ import main  # noqa: E402
from riskd_models.bars import Bars, licensed_bars, range_variance  # noqa: E402
from riskd_models.pool import Panel  # noqa: E402
from riskd_models.recipe import Recipe, read_recipe  # noqa: E402
from riskd_models.study.bars import book_ranges, index_panels, shared_bars, with_portfolios  # noqa: E402
from riskd_models.study.books import ADJUSTED, ETFS, Book  # noqa: E402
from riskd_models.study.forecasts import Study  # noqa: E402
from riskd_models.study.range_paths import PATHS, RangePaths, horizon_losses  # noqa: E402
from riskd_models.study.ranges import Family, RangeStudy, compared, losses_of  # noqa: E402
from riskd_models.study.years import cut_before  # noqa: E402

RECIPES = Path(__file__).resolve().parents[2] / "models" / "recipes"
FIRST = 1250


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    """With ranges, three steps long."""
    whole = read_recipe(RECIPES / "lstm-jsu-ranges.toml")
    return whole.model_copy(update={"training": whole.training.model_copy(update={"steps": 3, "batch": 8})})


@pytest.fixture(scope="module")
def book() -> Book:
    """The two licensed indices from 2001 to 2006."""
    closes = licensed_bars().closes.loc["2001":"2006"]
    sessions = tuple(stamp.date() for stamp in closes.index[1:])
    return Book("indices", ("SP500", "NASDAQ"), sessions, log_returns(closes.to_numpy()), FIRST)


def indices() -> tuple[Panel, ...]:
    """The licensed indices from 1999 to 2005, so that the tests are quick."""
    (panel,) = index_panels()
    rows = sum(1 for session in panel.sessions if session.year < 2006)
    assert panel.ranges is not None
    return (replace(panel, sessions=panel.sessions[:rows], returns=panel.returns[:rows], ranges=panel.ranges[:rows]),)


class Small(RangeStudy):
    """Reads the licensed bars, and every family learns from them."""

    @property
    def ranges(self) -> np.ndarray:  # type: ignore[override]
        return book_ranges(self.study.book, licensed_bars())

    def family(self, name: str) -> Family:
        seen = self.recipe.scale.ranges if name.endswith("ranges") else None
        scale = self.recipe.scale.model_copy(update={"ranges": seen})
        return Family(name, self.recipe.model_copy(update={"scale": scale}), indices(), self.study.folder)


@pytest.fixture(scope="module")
def study(recipe: Recipe, book: Book, tmp_path_factory: pytest.TempPathFactory) -> RangeStudy:
    folder = tmp_path_factory.mktemp("ranges")
    return Small(Study(book, recipe, folder, folder), recipe, folder)


def test_a_network_of_a_year_sees_no_bar_of_it(recipe: Recipe) -> None:
    """With every range of 2003 and later a thousandfold the series before 2003 are the same, those before 2004 are not."""
    (panel,) = indices()
    assert panel.ranges is not None
    later = np.array([session.year >= 2003 for session in panel.sessions])
    spoilt = replace(panel, ranges=np.where(later[:, None], 1000 * panel.ranges, panel.ranges))
    whole, other = (Family("indices-ranges", recipe, (one,), Path()) for one in (panel, spoilt))
    for year, same in ((2003, True), (2004, False)):
        pairs = zip(*(cut_before(year, one.panels, one.series, recipe) for one in (whole, other)), strict=True)
        assert all(torch.equal(a.inputs, b.inputs) == same for a, b in pairs)


def test_a_range_moves_the_next_forecast_alone(study: RangeStudy) -> None:
    """One session's high changes the forecasts after it, not its own and none before; a network of closes sees none of it."""
    usual = study.stream("indices-ranges").margins.sigma
    spoilt = study.ranges.copy()
    spoilt[FIRST] *= 50.0

    from riskd_models.study.stream import streamed

    book, family = study.study.book, study.family("indices-ranges")
    found = streamed(book.returns, book.sessions, 2, family.recipe, family.network, spoilt)["sigma"]
    assert_array_equal(found[: FIRST + 1], usual[: FIRST + 1])
    assert (found[FIRST + 1] != usual[FIRST + 1]).all()


def test_a_path_draws_score_and_range_of_the_same_day(study: RangeStudy) -> None:
    """From a pool in which score and range are the same number, every path's first return gives its range away."""
    paths = RangePaths(study, "indices-ranges")
    day, session, state = next(paths.begun())
    seen = {}

    class Spy:
        def run(self, taken: dict[str, np.ndarray], given: dict[str, np.ndarray]) -> None:
            seen.setdefault("gs", []).append(taken["gs"])
            seen.setdefault("qs", []).append(taken["qs"])
            session.run(taken, given)

    total = paths.simulated(Spy(), state, day)  # type: ignore[arg-type]
    assert total.shape == (21, PATHS, 2)
    assert np.isfinite(total).all()
    known = {tuple(np.float32(row)): tuple(np.float32(q)) for row, q in zip(paths.stream.scores, paths.relative, strict=True)}
    scores, relative = (np.concatenate(seen[name], axis=1).reshape(-1, 2) for name in ("gs", "qs"))
    for score, range_ in zip(scores[::997], relative[::997], strict=True):
        assert known[tuple(score)] == tuple(range_)


def test_one_session_ahead_is_the_daily_forecast(study: RangeStudy) -> None:
    """The first session of a simulation has the quantiles of the stream's own forecast over its pool."""
    from riskd_models.study.single import LstmForecast

    for name in ("indices-ranges", "indices-closes"):
        paths = RangePaths(study, name)
        day, session, state = next(paths.begun())
        first = np.quantile(np.expm1(paths.simulated(session, state, day)[0]), [0.05, 0.5, 0.95], axis=0)
        daily = np.quantile(LstmForecast(paths.stream).ordered(day), [0.05, 0.5, 0.95], axis=1)
        assert_allclose(first, daily, atol=6e-4)


def test_losses_are_those_of_the_forecast_day(study: RangeStudy, book: Book) -> None:
    """A forecast near what came true is ahead of one three times as far, and over five sessions it is what holding brought."""
    realised = -book.simple[book.first :]
    ten = np.repeat(realised[:, :, None], 10, axis=2)
    perfect = {"var": np.abs(ten) + 1e-3, "cvar": np.abs(ten) + 2e-3}
    worse = {name: 3 * value for name, value in perfect.items()}
    assert losses_of(study, perfect, 0.95).shape == realised.shape
    assert compared(study, {"a": perfect, "b": worse}, "a", "b", 0.95) < -5
    days = range(book.first, book.first + 2)
    held = -np.array([np.expm1(book.returns[day : day + 5].sum(axis=0)) for day in days])
    at = np.repeat(held[:, :, None], 10, axis=2)
    for nudge, hits in ((1e-9, 0.0), (-1e-9, 1.0)):
        read = {"5/var": np.maximum(at + nudge, -1.0), "5/cvar": np.abs(at) + 0.1}
        assert horizon_losses(study, days, read, 5, 0.95)[1].mean() == hits


def test_funds_are_adjusted_whole(tmp_path: Path) -> None:
    """Before a dividend of 2 % all four prices of a fund are lowered by it, and so its range does not change."""
    days = pd.date_range("2020-01-01", periods=3)
    prices = {"open": [50.0, 51, 50], "high": [52.0, 53, 51], "low": [49.0, 50, 48], "close": [51.0, 52, 50]}
    table = pd.DataFrame({"ticker": "SPY", "date": days, **prices, "adj_close": [51 * 0.98, 52 * 0.98, 50]})
    other = pd.DataFrame({"ticker": "AAPL", "date": days, **prices})
    for name, one in ((ETFS, table), (ADJUSTED, other)):
        (tmp_path / name).parent.mkdir(parents=True)
        one.to_parquet(tmp_path / name)
    found = range_variance(shared_bars(tmp_path).of(["SPY", "AAPL"]))
    assert_allclose(found[0, 0], found[0, 1], rtol=1e-12)
    paid = np.log(50 / (52 * 0.98)) ** 2 - np.log(50 / 52) ** 2
    assert_allclose(found[1, 0] - found[1, 1], paid, rtol=1e-9)


def test_a_book_without_a_whole_bar_is_refused(book: Book) -> None:
    """The line names the session; so do the books that have no bars at all."""
    bars = licensed_bars()
    tables = [table.copy() for table in (bars.opens, bars.highs, bars.lows, bars.closes)]
    tables[1].loc["2003-05-06", "NASDAQ"] = np.nan
    with pytest.raises(ConfigError, match="no whole bar of every asset at 2003-05-06"):
        book_ranges(book, Bars(*tables))


def test_the_verb_refuses_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A book without bars, a recipe without ranges, and a recipe with ranges where there are none."""
    assert main(["ranges", "--book", "B", "--out", str(tmp_path)]) == 78
    assert main(["ranges", "--book", "M", "--out", str(tmp_path), "--recipe", str(RECIPES / "lstm-jsu.toml")]) == 78
    ranged = ["--recipe", str(RECIPES / "lstm-jsu-ranges.toml"), "--out", str(tmp_path)]
    assert main(["train", *ranged]) == main(["evaluate", "--book", "C", *ranged]) == 78
    first, second, *others = capsys.readouterr().err.splitlines()
    assert "no bars of this book" in first
    assert "without scale.ranges" in second
    assert ["only the verb ranges" in line for line in others] == [True, True]


def test_portfolios_stand_beside_their_assets_without_ranges(recipe: Recipe) -> None:
    """Twice two more series, the first ones unmoved."""
    (panel,) = index_panels()
    (found,) = with_portfolios((panel,), recipe, 2)
    assert found.returns.shape == (len(panel.sessions), 6)
    assert found.market == 2
    assert found.ranges is None
    assert_array_equal(found.returns[:, :2], panel.returns)
