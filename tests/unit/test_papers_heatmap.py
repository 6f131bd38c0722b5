"""Seed 2's encoder, features, samples and rivals: what they promise, on made-up returns."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from riskd.core.arrays import Floats
from riskd.errors import ConfigError
from riskd.forecast.heat_features import FEATURES, LOOKBACK, RETURNS, SESSIONS, features
from riskd_models.papers.heatmap.image import SIDE, bilinear, fitted_encoder
from riskd_models.papers.heatmap.judgement import compared, of_time, scores
from riskd_models.papers.heatmap.leak import year_later
from riskd_models.papers.heatmap.markets import Market, with_portfolios, without_bad_ticks
from riskd_models.papers.heatmap.pictures import AHEAD, REGIMES, UNKNOWN, Pictures, pictures_of, regimes
from riskd_models.papers.heatmap.plan import SMALL, split_at
from riskd_models.papers.heatmap.rivals import Split, linear, rivals
from riskd_models.papers.heatmap.walk import Track, Walk

pytestmark = pytest.mark.unit


def stormy(sessions: int, assets: int, seed: int) -> Floats:
    """Log returns whose log volatility is an AR(1) of each asset, forgotten within weeks: 0.97^250 is nothing."""
    random = np.random.default_rng(seed)
    log, found = np.zeros(assets), []
    for shock, noise in random.standard_normal((sessions, 2, assets)):
        log = 0.97 * log + 0.15 * shock
        found.append(0.01 * np.exp(log) * noise)
    return np.array(found)


RETURNS_MADE = stormy(2600, 3, seed=5)


def market(returns: Floats = RETURNS_MADE) -> Market:
    sessions = tuple(date(2000, 1, 3) + timedelta(days=i) for i in range(len(returns)))
    return with_portfolios("made", sessions, {"A": "stocks", "B": "stocks", "C": "bonds"}, returns)


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return pictures_of(market(), AHEAD)


def naive(r: Floats, mean: Floats, size: Floats, square: Floats) -> dict[str, float]:
    """The newest session's features of one asset as their table describes them, term by term."""
    closes = np.concatenate([[0.0], np.cumsum(r)])

    def vol(x: Floats, n: int) -> float:
        return float(np.sqrt(np.mean(x[-n:] ** 2)))

    def tied(n: int) -> float:
        return float(np.mean(r[-n:] * mean[-n:]) / (vol(r, n) * vol(mean, n)))

    return {
        "return": r[-1],
        "week": r[-5:].sum(),
        "fall": closes[-1] - closes[-22:].max(),
        "size": abs(r[-1]) / vol(r, 22),
        "volatility-5": np.log(vol(r, 5)),
        "volatility-10": np.log(vol(r, 10)),
        "volatility-22": np.log(vol(r, 22)),
        "downside": (np.minimum(r[-22:], 0) ** 2).sum() / (r[-22:] ** 2).sum(),
        "span": np.log(np.ptp(closes[-5:])),
        "activity": np.log(size[-1] / size[-22:].mean()),
        "correlation-10": tied(10),
        "correlation-22": tied(22),
        "together": np.mean(mean[-22:] ** 2) / np.mean(square[-22:]),
        "market": np.log(vol(mean, 10)),
    }


def test_every_feature_is_what_its_name_says() -> None:
    """The newest session's figures of an asset and of a portfolio equal a plain reading of their definitions."""
    returns = RETURNS_MADE[:60]
    share = np.array([0.5, 0.5, 0.0])  # the third is a portfolio's own history
    found = features(returns.T, share)
    assert found.shape == (3, 60 - LOOKBACK + 1, len(FEATURES))
    held = returns[:, :2]
    for column in range(3):
        wanted = naive(returns[:, column], held.mean(axis=1), np.abs(held).mean(axis=1), (held**2).mean(axis=1))
        assert_allclose(found[column, -1], [wanted[name] for name in FEATURES], rtol=1e-2, atol=1e-4)  # floors of 1e-5


def test_features_look_back_only() -> None:
    """Another return tomorrow changes no figure of today, and one 22 sessions ago changes none either."""
    share, later, earlier = np.full(3, 1 / 3), RETURNS_MADE[:60].copy(), RETURNS_MADE[:60].copy()
    later[-1] *= 9
    earlier[60 - RETURNS - 1] *= 9
    whole = features(RETURNS_MADE[:60].T, share)
    assert features(later.T, share)[:, :-1].tobytes() == whole[:, :-1].tobytes()
    assert features(earlier.T, share)[:, -SESSIONS:].tobytes() == whole[:, -SESSIONS:].tobytes()
    assert not np.array_equal(features(later.T, share)[:, -1], whole[:, -1])


def test_still_prices_have_features() -> None:
    """Sixty closes without a move give finite figures: nothing divides by nothing."""
    assert np.isfinite(features(np.zeros((2, 60)), np.full(2, 0.5))).all()


def test_encoder_is_deterministic_and_invertible(pictures: Pictures) -> None:
    """Same features, same bits; components come back from the pixels, and features too where every component is kept."""
    whole, part = fitted_encoder(pictures.seen, 1.0), fitted_encoder(pictures.seen, 0.9)
    again = fitted_encoder(pictures.seen.copy(), 1.0)
    images = whole.images(pictures.seen)
    assert images.shape == (len(pictures), SIDE, SIDE)
    assert again.images(pictures.seen).tobytes() == images.tobytes()
    assert_allclose(whole.features_of(images), pictures.seen, atol=1e-9)
    assert_allclose(part.components_of(part.images(pictures.seen)), part.components(pictures.seen), atol=1e-9)
    lost = ((part.features_of(part.images(pictures.seen)) - pictures.seen) / part.scale) ** 2
    assert lost.mean() == pytest.approx(1 - part.explained.sum(), rel=1e-6)  # what it does not claim to give back
    assert 0.0 < lost.mean() < 0.1


def test_layout_of_an_image(pictures: Pictures) -> None:
    """Corners: the first component above, the last below, the oldest session left, the newest right."""
    encoder = fitted_encoder(pictures.seen, 0.9)
    image, components = encoder.images(pictures.seen[:1])[0], encoder.components(pictures.seen[:1])[0]
    wanted = [components[0, 0], components[-1, 0], components[0, -1], components[-1, -1]]
    assert_allclose([image[0, 0], image[0, -1], image[-1, 0], image[-1, -1]], wanted, rtol=1e-12)
    assert (np.diff(encoder.explained) <= 0).all()


def test_bilinear_is_that_of_torch() -> None:
    """The two matrices give what torch interpolates with aligned corners."""
    block = np.random.default_rng(1).standard_normal((13, 10))
    wanted = torch.nn.functional.interpolate(torch.from_numpy(block)[None, None], (32, 32), mode="bilinear", align_corners=True)
    assert_allclose(bilinear(13) @ block @ bilinear(10).T, wanted[0, 0].numpy(), atol=1e-12)


def test_encoder_refuses_a_feature_that_never_moves(pictures: Pictures) -> None:
    """There is nothing to standardise by; one line says which."""
    still = pictures.seen.copy()
    still[..., 3] = 1.0
    with pytest.raises(ConfigError, match="feature 3 never moves"):
        fitted_encoder(still, 1.0)


def test_a_target_is_the_volatility_of_the_ten_sessions_after(pictures: Pictures) -> None:
    """Of the right series and sessions, and no two targets of a series overlap."""
    made, row = market(), 7 * len(pictures.names) + 1
    place = [day.toordinal() for day in made.sessions].index(int(pictures.session[row]))
    ahead = made.returns[place + 1 : place + 1 + AHEAD, 1]
    assert pictures.target[row] == pytest.approx(np.log(np.sqrt(np.mean(ahead**2))), abs=1e-4)
    assert pictures.following[row] == ahead[0]
    mine = pictures.series == 1
    assert (pictures.session[mine][1:] >= pictures.until[mine][:-1]).all()


def test_nothing_learnt_reaches_into_what_is_judged_or_tested(pictures: Pictures) -> None:
    """Targets of what is learnt come true before the first judged picture, and those judged before the cut."""
    cut = date(2005, 6, 1)
    split = split_at(pictures, cut, 100)
    assert split.learnt.until.max() < split.judged.session.min()
    assert split.judged.until.max() < cut.toordinal()
    assert 0.1 < len(split.judged) / (len(split.judged) + len(split.learnt)) < 0.2


def test_encoder_is_fitted_on_what_is_learnt_alone(pictures: Pictures) -> None:
    """Pictures after the cut, however wild, change neither scaler nor axes."""
    cut = date(2005, 6, 1)
    wild = replace(pictures, seen=np.where((pictures.session >= cut.toordinal())[:, None, None], 50.0, pictures.seen))
    one, two = (fitted_encoder(split_at(p, cut, 100).learnt.seen, 0.99) for p in (pictures, wild))
    assert_array_equal(one.axes, two.axes)
    assert_array_equal(one.scale, two.scale)


def test_regimes_are_told_from_the_past() -> None:
    """Cutting the future off changes no label, and each of the three occurs."""
    made = market()
    whole, half = regimes(made), regimes(replace(made, returns=made.returns[:1300], sessions=made.sessions[:1300]))
    assert_array_equal(whole[:1300], half)
    assert set(whole) == {UNKNOWN, *range(len(REGIMES))}


def test_a_linear_model_sees_no_more_in_the_image(pictures: Pictures) -> None:
    """Least squares on 1,024 pixels forecasts what least squares on the window does when all components are kept."""
    split = split_at(pictures, date(2006, 1, 1), 100)
    encoder = fitted_encoder(split.learnt.seen, 1.0)
    window = linear(split, lambda shown: encoder.components(shown.seen).reshape(len(shown), -1))
    image = linear(split, lambda shown: encoder.images(shown.seen).reshape(len(shown), -1))
    assert_allclose(image(split.judged), window(split.judged), atol=1e-6)


def test_every_rival_forecasts_and_the_orders_agree(pictures: Pictures) -> None:
    """On a market whose volatility moves each rival is finite, HAR is better than persistence, RMSE and R2 rank alike."""
    two = pictures.at(pictures.series < 2)
    split, tested = split_at(two, date(2006, 1, 1), 100), two.at(two.session >= date(2006, 1, 1).toordinal())
    found = {name: fit()(tested) for name, fit in rivals(split, fitted_encoder(split.learnt.seen, 0.99)).items()}
    assert len(found) == 9 and all(np.isfinite(forecast).all() for forecast in found.values())
    tracks = {name: Track(f, np.exp(2 * f), np.full(len(f), 0.5), 0.0) for name, f in found.items()}
    ranked = scores(Walk(tested, tracks), np.ones(len(tested), dtype=bool))
    assert sorted(ranked, key=lambda n: ranked[n].rmse) == sorted(ranked, key=lambda n: -ranked[n].r2)
    assert ranked["HAR"].r2 > 0.1
    assert ranked["HAR"].rmse < ranked["persistence"].rmse


def test_labels_of_a_year_later_tell_nothing(pictures: Pictures) -> None:
    """On a market that forgets within weeks a linear model explains a third by right targets and nothing by shifted ones."""
    told = {}
    for name, shown in {"right": pictures, "shifted": year_later(pictures)}.items():
        split = split_at(shown, date(2005, 6, 1), 0)
        tested = shown.at(shown.session >= date(2005, 6, 1).toordinal())
        model = linear(Split(split.learnt, split.judged, 0), lambda seen: seen.seen[:, -1])
        told[name] = of_time(model(tested), tested)
    assert told["right"] > 0.1
    assert abs(told["shifted"]) < 0.03


def test_models_are_compared_session_by_session(pictures: Pictures) -> None:
    """A loss that is larger everywhere is behind; series that share a session count as one observation of it."""
    rows, random = np.ones(len(pictures), dtype=bool), np.random.default_rng(2)
    worse = 1.0 + 0.1 * random.standard_normal(len(pictures))
    sessions = len(np.unique(pictures.session))
    found = compared(worse, np.zeros(len(pictures)), pictures, rows)
    assert found.mean == pytest.approx(worse.mean())
    assert found.t == pytest.approx(np.sqrt(sessions * len(pictures.names)) * 10, rel=0.3)


def test_a_close_that_jumps_away_and_back_is_left_out() -> None:
    """One bad tick goes, with its session; a real fall that stays does not."""
    import pandas as pd

    closes = pd.DataFrame({"X": [1.27, 1.28, 1.49, 1.29, 1.28, 1.20, 1.21], "Y": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]})
    assert list(without_bad_ticks(closes).index) == [0, 1, 3, 4, 5, 6]


def test_small_is_small() -> None:
    """The small preset forecasts both crises by models of before, without the shared data."""
    assert [cut.year for cut in SMALL.cuts] == [2008, 2020]
    assert not SMALL.shared and SMALL.images <= 300
