"""The rivals of the heat-map network: from persistence, which has nothing to learn, to support vectors on the same images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.svm import SVR  # type: ignore[import-untyped]
from sklearn.tree import DecisionTreeRegressor  # type: ignore[import-untyped]

from riskd.core.arrays import Floats
from riskd_models.papers.heatmap.image import Encoder
from riskd_models.papers.heatmap.pictures import Pictures

Predictor = Callable[[Pictures], Floats]
View = Callable[[Pictures], Floats]  # what a model is shown of each picture, (n, inputs)
PENALTIES, DEPTHS = (0.1, 1.0, 10.0), (2, 4, 6, 8, 10)
TREE_ROWS = 20  # that a tree learns from at most, for each row of support vectors
HAR = ("volatility-5", "volatility-10", "volatility-22")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """What may be learnt from, the newer part of it that decides what is tuned, and at most so many rows for support vectors."""

    learnt: Pictures
    judged: Pictures
    most_vectors: int


def rivals(split: Split, encoder: Encoder) -> dict[str, Predictor]:
    """Every rival, fitted; those of the window see the standardised features, those of the image its 1,024 pixels."""

    def window(pictures: Pictures) -> Floats:
        return np.asarray(((pictures.seen - encoder.centre) / encoder.scale).reshape(len(pictures), -1))

    def image(pictures: Pictures) -> Floats:
        return encoder.images(pictures.seen).reshape(len(pictures), -1)

    found: dict[str, Predictor] = {"persistence": lambda pictures: pictures.newest("volatility-10")}
    found["HAR"] = linear(split, lambda pictures: np.column_stack([pictures.newest(name) for name in HAR]))
    for name, view in {"window": window, "image": image}.items():
        found[f"linear, {name}"] = linear(split, view)
        found[f"SVR, {name}"] = support_vectors(split, view)
        found[f"tree, {name}"] = tree(split, view)
    return found


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
