"""Whatever the scores look like, the t copula fitted on them has a positive definite correlation and finite draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskd.core.arrays import Floats
from riskd.core.scenarios.t_copula import LEAST_DOF, MOST_DOF, NEARLY_ONE, SHRINKAGE, fit_t_copula

pytestmark = pytest.mark.property
LEAST_EIGENVALUE = SHRINKAGE * (1 - NEARLY_ONE)
KINDS = ("own", "common", "same", "mirrored", "stretched", "constant", "coarse", "remainder")


def column(kind: str, before: list[Floats], common: Floats, random: np.random.Generator) -> Floats:
    """One asset's scores; ``remainder`` makes the sum of all assets zero, ``coarse`` has ties."""
    last, own = before[-1], random.standard_normal(len(common))
    return {
        "own": own,
        "common": 0.7 * common + 0.7 * own,
        "same": last,
        "mirrored": -last,
        "stretched": 3 * last + 1,
        "constant": np.full_like(own, 0.3),
        "coarse": np.round(own),
        "remainder": -np.sum(before, axis=0),
    }[kind]


@st.composite
def pools(draw: st.DrawFn) -> tuple[Floats, list[str]]:
    """Scores (sessions, assets), from many more sessions than assets to many fewer, and each column's kind."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sessions = draw(st.integers(4, 80))
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=60))
    common = random.standard_t(3, sessions)
    columns = [random.standard_normal(sessions)]
    for kind in kinds:
        columns.append(column(kind, columns, common, random))
    return np.column_stack(columns), ["own", *kinds]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(pools())
def test_the_correlation_is_positive_definite(pool: tuple[Floats, list[str]]) -> None:
    """Duplicates, mirror images, constants, ties, sums of zero, more assets than sessions: no eigenvalue below the floor."""
    fit = fit_t_copula(pool[0])
    assert np.linalg.eigvalsh(fit.correlation).min() >= LEAST_EIGENVALUE - 1e-12
    np.testing.assert_allclose(np.diag(fit.correlation), 1, atol=1e-12)
    np.testing.assert_allclose(fit.factor @ fit.factor.T, fit.correlation, atol=1e-10)
    assert LEAST_DOF <= fit.dof <= MOST_DOF
    assert np.isfinite(fit.draw(np.random.default_rng(1), 200)).all()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(pools())
def test_what_never_moves_is_independent(pool: tuple[Floats, list[str]]) -> None:
    """A constant asset is correlated with none, and the others are fitted as if it were not there."""
    scores = pool[0]
    fit = fit_t_copula(scores)
    still = np.ptp(scores, axis=0) == 0
    assert (fit.correlation[still][:, ~still] == 0).all()
    if not still.all():
        without = fit_t_copula(scores[:, ~still])
        assert without.dof == fit.dof
        np.testing.assert_array_equal(fit.correlation[np.ix_(~still, ~still)], without.correlation)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(pools(), st.floats(0.1, 10), st.floats(-3, 3))
def test_margins_do_not_matter(pool: tuple[Floats, list[str]], stretch: float, shift: float) -> None:
    """Scores put through an increasing function have the same copula, to the last bit."""
    one, other = (fit_t_copula(scores) for scores in (pool[0], np.exp(pool[0] / 10) * stretch + shift))
    assert one.dof == other.dof
    np.testing.assert_array_equal(one.correlation, other.correlation)
