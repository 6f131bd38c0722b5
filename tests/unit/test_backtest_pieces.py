"""What a backtest is put together from: losses over several sessions, pieces on disk, the name of a piece, bare settings."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from riskd.app.backtest import piece_key, summed
from riskd.app.bare import bare_settings
from riskd.app.kit import load_forecaster, rules_of
from riskd.app.piece import Piece, joined, keep, kept
from riskd.app.stretch import learnt_until, stretch
from riskd.core.rules import Rules
from riskd.errors import ConfigError
from riskd.settings import Settings
from riskd.settings.systems import Rival

pytestmark = pytest.mark.unit


def test_losses_over_several_sessions() -> None:
    """By hand: 10 % lost, then 10 % won, then half lost, is 1 % and 45 % over two sessions and 50.5 % over three."""
    loss = np.array([0.1, -0.1, 0.5])
    assert summed(loss, 2).tolist() == pytest.approx([1 - 0.9 * 1.1, 1 - 1.1 * 0.5])
    assert summed(loss, 3).tolist() == pytest.approx([1 - 0.9 * 1.1 * 0.5])
    assert summed(loss, 1) is loss  # to the last bit


def test_an_unknown_loss_costs_only_what_it_is_in() -> None:
    """A session without a loss leaves the windows without it untouched."""
    loss = np.array([0.01, np.nan, 0.02, 0.03, 0.04])
    assert np.isnan(summed(loss, 2)).tolist() == [True, True, False, False]


def piece(first: int = 0, count: int = 3) -> Piece:
    random = np.random.default_rng(first)
    sessions = tuple(date(2020, 1, 1 + first + i) for i in range(count))
    figures = random.normal(size=(count, 2, 1, 2, 4, 2))
    figures[0, 0, 0, 1] = np.nan
    return Piece(sessions, ("riskd", "gjr-fhs"), random.normal(size=(count, 2, 3)), figures)


def test_a_piece_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Every bit, NaN too, and nothing but the piece is left in the folder."""
    before = piece()
    keep(before, tmp_path / "pieces" / "key-a.npz")
    after = kept(tmp_path / "pieces" / "key-a.npz")
    assert (after.sessions, after.models) == (before.sessions, before.models)
    assert after.figures.tobytes() == before.figures.tobytes() and after.outturns.tobytes() == before.outturns.tobytes()
    assert [p.name for p in (tmp_path / "pieces").iterdir()] == ["key-a.npz"]


def test_pieces_are_joined_in_order() -> None:
    """Sessions and figures of one after those of the other."""
    whole = joined([piece(), piece(3, 2)])
    assert whole.sessions == tuple(date(2020, 1, 1 + i) for i in range(5))
    assert np.array_equal(whole.figures[3:], piece(3, 2).figures, equal_nan=True)
    assert whole.outturns.shape == (5, 2, 3)


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wide file, two symbols, 1,500 made-up sessions to February 2020."""
    random = np.random.default_rng(1)
    days = [date.fromordinal(date(2020, 2, 7).toordinal() - 1499 + i) for i in range(1500)]
    levels = 100 * np.exp(np.cumsum(0.01 * random.standard_normal((1500, 2)), axis=0))
    path = tmp_path_factory.mktemp("prices") / "two.csv"
    path.write_text("Date,AAA,BBB\n" + "".join(f"{d},{a:.4f},{b:.4f}\n" for d, (a, b) in zip(days, levels, strict=True)))
    return path


@pytest.fixture
def settings(prices: Path, root: Path) -> Settings:
    found = bare_settings(prices, (1, 5))
    return found.model_copy(
        update={"model": found.model.model_copy(update={"artefact": root / "models/artefacts/lstm-jsu-2014"})}
    )


def test_a_file_alone_is_a_configuration(settings: Settings) -> None:
    """Its symbols, its dates, an equal-weight portfolio, and the horizons that are wanted."""
    assert settings.symbols == ("AAA", "BBB")
    assert settings.replay is not None and (settings.replay.first, settings.replay.last) == (date(2015, 12, 31), date(2020, 2, 7))
    assert settings.scenarios.horizons == (1, 5)
    assert [p.weights for p in settings.portfolios] == ["equal"]


def test_a_file_without_prices_says_so(tmp_path: Path) -> None:
    """One line that names the file."""
    (tmp_path / "empty.csv").write_text("Date,AAA\n2020-01-01,\n")
    with pytest.raises(ConfigError, match=r"empty\.csv: has no prices; give a file with"):
        bare_settings(tmp_path / "empty.csv")


def test_the_stretch_begins_after_what_was_learnt_and_warmed_up_on(settings: Settings) -> None:
    """Two more sessions than the warm-up, here later than the network's last lesson; what is given stands."""
    rules = rules_of(settings, load_forecaster(settings))
    first, last = stretch(settings, None, None)
    assert (first.toordinal(), last) == (date(2015, 12, 31).toordinal() + rules.warm_up + 2, date(2020, 2, 7))
    assert learnt_until(rules) == date(2014, 12, 31)
    assert stretch(settings, date(2019, 1, 1), date(2019, 2, 1)) == (date(2019, 1, 1), date(2019, 2, 1))


def test_no_stretch_without_sessions(settings: Settings, root: Path) -> None:
    """Turned round, all of it learnt from, or too short: one line that says which."""
    with pytest.raises(ConfigError, match="--from 2019-02-01 is after --to 2019-01-01"):
        stretch(settings, date(2019, 2, 1), date(2019, 1, 1))
    with pytest.raises(ConfigError, match="are too few: the models need"):
        stretch(settings, None, date(2016, 3, 1))
    newer = settings.model_copy(
        update={"model": settings.model.model_copy(update={"artefact": root / "models/artefacts/lstm-jsu"})}
    )
    with pytest.raises(ConfigError, match="it learnt from prices until 20.*, and the newest to judge is 2020-02-07"):
        stretch(newer, None, None)
    assert stretch(newer, None, None, in_sample=True)[1] == date(2020, 2, 7)


def rules(settings: Settings) -> Rules:
    return rules_of(settings, load_forecaster(settings))


def test_a_piece_is_named_by_all_it_rests_on(settings: Settings, prices: Path, tmp_path: Path) -> None:
    """Another portfolio, rival, horizon, reading of the file, history or price is another key; where the page stands is not."""
    key = piece_key(settings, rules(settings))
    own = rules(settings)
    (book,) = own.portfolios
    others = [piece_key(settings, replace(own, portfolios=(replace(book, weights=book.weights[::-1] * 0.5),)))]
    changed = settings.model_copy(update={"rivals": (Rival(name="twin", artefact=settings.model.artefact),)})
    others.append(piece_key(changed, rules(changed)))
    spec = settings.scenarios
    for update in (
        {"scenarios": spec.model_copy(update={"horizons": (1,)})},
        {"service": settings.service.model_copy(update={"history_from": date(2017, 1, 1)})},
        {"feeds": (settings.feeds[0].model_copy(update={"price": "close"}),)},
    ):
        changed = settings.model_copy(update=update)
        others.append(piece_key(changed, rules(changed)))
    revised = tmp_path / "two.csv"
    revised.write_text(prices.read_text().replace("2018-01-01,", "2018-01-01,1"))
    changed = settings.model_copy(update={"feeds": (settings.feeds[0].model_copy(update={"path": revised}),)})
    others.append(piece_key(changed, rules(changed)))
    before, text = piece_key(settings, own), prices.read_text()
    prices.write_text(text.replace("2018-01-01,", "2018-01-01,1"))
    others.append(piece_key(settings, own))
    prices.write_text(text)
    assert len({key, *others}) == 1 + len(others)
    quiet = settings.model_copy(update={"service": settings.service.model_copy(update={"log": "error"})})
    assert key == before == piece_key(quiet, rules(quiet))
