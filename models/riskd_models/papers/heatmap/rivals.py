"""The rivals of the heat-map network: from persistence, which has nothing to learn, to support vectors on the same images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.svm import SVR  # type: ignore[import-untyped]
from sklearn.tree import DecisionTreeRegressor  # type: ignore[import-untyped]

from riskd.core.arrays import Floats
from riskd_models.papers.heatmap.image import Encoder
from riskd_models.papers.heatmap.pictures import Pictures

Predictor = Callable[[Pictures], Floats]
View = Callable[[Pictures], Floats]  # what a model is shown of each picture, (n, inputs)
PENALTIES, DEPTHS = (0.1, 1.0, 10.0), (2, 4, 6, 8, 10)
LEAST = 100
TREE_ROWS = 20  # that a tree learns from at most, for each row of support vectors
HAR = ("volatility-5", "volatility-10", "volatility-22")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """What may be learnt from, the newer part of it that decides what is tuned, and at most so many rows for support vectors."""

    learnt: Pictures
    judged: Pictures
    most_vectors: int


def rivals(split: Split, encoder: Encoder) -> dict[str, Callable[[], Predictor]]:
    """How each rival is fitted; those of the window see the standardised features, those of the image its 1,024 pixels."""

    def window(pictures: Pictures) -> Floats:
        return np.asarray(((pictures.seen - encoder.centre) / encoder.scale).reshape(len(pictures), -1))

    def image(pictures: Pictures) -> Floats:
        return encoder.images(pictures.seen).reshape(len(pictures), -1)

    found: dict[str, Callable[[], Predictor]] = {
        "persistence": lambda: lambda pictures: pictures.newest("volatility-10"),
        "HAR": lambda: linear(split, volatilities),
        "HAR by class": lambda: by_class(split, volatilities),
    }
    for name, view in {"window": window, "image": image}.items():
        for kind, fit in {"linear": linear, "SVR": support_vectors, "tree": tree}.items():
            found[f"{kind}, {name}"] = partial(fit, split, view)
    return found


def volatilities(pictures: Pictures) -> Floats:
    """What HAR is shown: the log volatilities of a week, a fortnight and a month, (n, 3)."""
    return np.column_stack([pictures.newest(name) for name in HAR])


def by_class(split: Split, view: View) -> Predictor:
    """Least squares for each class of asset by itself; for a class with fewer than LEAST pictures, and one unseen, of all."""
    whole, models = linear(split, view), {}
    for kind in dict.fromkeys(split.learnt.classes):
        if (mine := split.learnt.of_class(kind)).sum() >= LEAST:
            models[kind] = linear(Split(split.learnt.at(mine), split.judged, 0), view)

    def predictor(pictures: Pictures) -> Floats:
        forecast = whole(pictures)
        for kind, model in models.items():
            if (mine := pictures.of_class(kind)).any():
                forecast[mine] = model(pictures.at(mine))
        return forecast

    return predictor


def linear(split: Split, view: View) -> Predictor:
    """Least squares with a constant, the smallest solution where pixels repeat each other."""
    x, y = view(split.learnt), split.learnt.target
    centre, mean = x.mean(axis=0), y.mean()
    slopes = np.linalg.lstsq(x - centre, y - mean, rcond=1e-10)[0]
    return lambda pictures: np.asarray(mean + (view(pictures) - centre) @ slopes)


def support_vectors(split: Split, view: View) -> Predictor:
    """Radial support vectors, the penalty tuned on the judged rows."""
    some = thinned(split.learnt, split.most_vectors)
    mean, scale = some.target.mean(), some.target.std()
    return tuned(split, view, {c: SVR(C=c).fit(view(some), (some.target - mean) / scale) for c in PENALTIES}, mean, scale)


def tree(split: Split, view: View) -> Predictor:
    """A regression tree, its depth tuned on the judged rows."""
    some = thinned(split.learnt, TREE_ROWS * split.most_vectors)
    x, y = view(some), some.target
    return tuned(split, view, {d: DecisionTreeRegressor(max_depth=d, random_state=0).fit(x, y) for d in DEPTHS}, 0.0, 1.0)


def thinned(pictures: Pictures, most: int) -> Pictures:
    """All pictures, or at even places ``most`` of them."""
    return pictures.at(np.linspace(0, len(pictures) - 1, min(len(pictures), most)).astype(np.int64))


def tuned(split: Split, view: View, models: Mapping[float, SVR | DecisionTreeRegressor], mean: float, scale: float) -> Predictor:
    """The one of ``models`` with the least squared error on the judged rows."""
    x, y = view(split.judged), split.judged.target
    best = min(models.values(), key=lambda model: float(((mean + scale * model.predict(x) - y) ** 2).mean()))
    return lambda pictures: np.asarray(mean + scale * best.predict(view(pictures)))
