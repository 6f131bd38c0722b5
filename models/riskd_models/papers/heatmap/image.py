"""The image encoder of the heat-map network: ten sessions of figures become 32 x 32 pixels, and where it claims so, back again.

Layout: the rows of an image run from the first principal component (top) to the last one kept, its columns from the oldest
session (left) to the newest; what lies between is bilinear. The corner pixels are the corner figures themselves. Nothing is
clipped.
"""

from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats
from riskd.errors import ConfigError

SIDE = 32


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """Scaler and principal axes of training data: ``centre``, ``scale`` (features,), ``axes`` (components, features)."""

    centre: Floats
    scale: Floats
    axes: Floats
    explained: Floats  # variance of each component over that of all features, (components,)
    sessions: int

    def components(self, features: Floats) -> Floats:
        """(n, sessions, components) of ``features`` (n, sessions, features)."""
        return np.asarray(((features - self.centre) / self.scale) @ self.axes.T)

    def images(self, features: Floats) -> Floats:
        """(n, SIDE, SIDE), the same bits for the same features."""
        rows, columns = self.resize
        return np.asarray(rows @ self.components(features).transpose(0, 2, 1) @ columns.T)

    def components_of(self, images: Floats) -> Floats:
        """The inverse of :meth:`images` to the components (n, sessions, components): exact up to rounding."""
        rows, columns = (np.linalg.pinv(matrix) for matrix in self.resize)
        return np.asarray((rows @ images @ columns.T).transpose(0, 2, 1))

    def features_of(self, images: Floats) -> Floats:
        """The features (n, sessions, features): exact where every component is kept, else without what the others held."""
        return np.asarray(self.components_of(images) @ self.axes * self.scale + self.centre)

    @property
    def resize(self) -> tuple[Floats, Floats]:
        """The matrices (SIDE, components) and (SIDE, sessions) whose product with the components is the image."""
        return bilinear(len(self.axes)), bilinear(self.sessions)


def bilinear(count: int, side: int = SIDE) -> Floats:
    """(side, count): weights of ``count`` values at ``side`` even places between the first and the last, which are kept."""
    place = np.arange(side) * (count - 1) / (side - 1)
    return np.asarray(np.maximum(0.0, 1 - np.abs(place[:, None] - np.arange(count))))


def fitted_encoder(features: Floats, kept: float) -> Encoder:
    """From training ``features`` (n, sessions, features): as many components as explain ``kept`` of the variance, 1 for all.

    Raises ConfigError where a feature never moves in training: it cannot be standardised.
    """
    rows = features.reshape(-1, features.shape[-1])
    centre, scale = rows.mean(axis=0), rows.std(axis=0)
    if not (scale > 0).all():
        raise ConfigError(f"feature {int(np.argmin(scale))} never moves in the training data; give longer or other prices")
    z = (rows - centre) / scale
    variance, vectors = np.linalg.eigh(z.T @ z / len(z))
    shares, axes = variance[::-1] / variance.sum(), vectors[:, ::-1].T
    count = len(shares) if kept >= 1 else int(np.searchsorted(np.cumsum(shares), kept)) + 1
    upright = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])  # an eigenvector has no sign of its own
    return Encoder(centre, scale, (axes * upright[:, None])[:count], shares[:count], features.shape[1])
