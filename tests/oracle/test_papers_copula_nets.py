"""The networks of the LSTM-Copula's rivals against what defines them: causality, order, ranks, exact recursions, their graphs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest
from scipy.stats import t as student

pytestmark = pytest.mark.oracle
torch = pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd.core.arrays import Floats  # noqa: E402
from riskd.core.normal_scores import normal_scores  # noqa: E402
from riskd.core.scenarios.t_copula import TCopula  # noqa: E402
from riskd.errors import ModelError  # noqa: E402
from riskd.forecast.session import Session  # noqa: E402
from riskd_models.papers.copula.curve import KNOTS, losses_of, tail_means  # noqa: E402
from riskd_models.papers.copula.diffusion import Denoiser, Diffusion, diffusion  # noqa: E402
from riskd_models.papers.copula.facts import tail_dependence  # noqa: E402
from riskd_models.papers.copula.net_export import OUTPUTS, example_of, onnx_bytes  # noqa: E402
from riskd_models.papers.copula.numbers import SMALL  # noqa: E402
from riskd_models.papers.copula.task import Task  # noqa: E402
from riskd_models.papers.copula.transformer import TransformerVar, transformer_var  # noqa: E402
from riskd_models.papers.copula.truth import DOF, simulated  # noqa: E402
from riskd_models.papers.copula.vae import Autoencoder, VaeCopula, grid, train_vae  # noqa: E402
from riskd_models.study.quantified import LEVELS  # noqa: E402
from riskd_models.study.systems import Block  # noqa: E402
from riskd_models.window_graph import window_model  # noqa: E402
from riskd_models.window_net import WindowNet  # noqa: E402
from riskd_models.window_tcn import Tcn  # noqa: E402
from window_systems import small  # noqa: E402

ASSETS = 6


def vectors(sessions: int, seed: int) -> tuple[Floats, Floats]:
    """Independent Student-t vectors (sessions, ASSETS) of five degrees of freedom and variance 1e-4, and their correlation."""
    random, place = np.random.default_rng(seed), np.arange(ASSETS)
    correlation = 0.2 + 0.5 * np.exp(-np.abs(place[:, None] - place) / 2)
    np.fill_diagonal(correlation, 1.0)
    normal = random.standard_normal((sessions, ASSETS)) @ np.linalg.cholesky(correlation).T
    return 0.01 * normal * np.sqrt((DOF - 2) / random.chisquare(DOF, (sessions, 1))), correlation


def task_of(returns: Floats, folder: Path, rows: int = 1) -> Task:
    """Equal weights; all but the newest ``rows`` are known."""
    count, cut = returns.shape[1], len(returns) - rows
    symbols = tuple("ABCDEFGH"[:count])
    return Task(symbols, returns, np.full((1, count), 1 / count), Block(range(cut), range(cut, len(returns))), SMALL, folder)


def test_a_convolution_knows_no_later_step_and_all_of_its_window() -> None:
    """Changing step 40 leaves every output before it as it was, to the bit; the newest output moves with the oldest step of a
    window as long as the receptive field, and not with the step before that."""
    torch.manual_seed(1)
    network, x = Tcn(1, 8, 3, 60), torch.randn(2, 1, 70)
    later = x.clone()
    later[:, :, 40] += 5
    with torch.no_grad():
        assert_array_equal(network(x)[:, :, :40].numpy(), network(later)[:, :, :40].numpy())
        assert not torch.equal(network(x)[:, :, 40], network(later)[:, :, 40])
        assert network.receptive_field == 63 >= 60
        oldest, before = x.clone(), x.clone()
        oldest[:, :, 70 - 63] += 5
        before[:, :, 70 - 64] += 5
        assert torch.equal(network(x)[:, :, -1], network(before)[:, :, -1])
        assert not torch.equal(network(x)[:, :, -1], network(oldest)[:, :, -1])


@pytest.mark.parametrize("name", ["tcn", "gru", "seed-1"])
def test_a_window_graph_is_its_network(name: str) -> None:
    """ONNX Runtime gives the parameters that torch gives, to 1e-5, whatever reads the window."""
    torch.manual_seed(2)
    network, windows = WindowNet(small(name, window=20).network, 1).eval(), torch.randn(7, 20)
    session = Session(window_model(network, 18).SerializeToString(), "cpu")
    given = {key: np.empty(7, np.float32) for key in ("mu", "sigma", "nu")}
    session.run({"window": windows.numpy()}, given)
    with torch.no_grad():
        for ours, theirs in zip(given.values(), network(windows), strict=True):
            assert_allclose(ours, theirs.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "network", [TransformerVar(2, 30), Autoencoder(ASSETS), Denoiser(ASSETS)], ids=lambda n: type(n).__name__
)
def test_an_exported_network_is_the_one_in_torch(network: torch.nn.Module) -> None:
    """For a number of rows that it was not exported with the graph gives torch's numbers, to 1e-5."""
    session = Session(onnx_bytes(network), "cpu")
    name, inputs = example_of(network, 7, 3)
    with torch.no_grad():
        expected = network(*inputs.values())
    expected = expected if isinstance(expected, tuple) else (expected,)
    given = {key: np.empty(tuple(value.shape), np.float32) for key, value in zip(OUTPUTS[name], expected, strict=True)}
    session.run({key: np.ascontiguousarray(value.numpy()) for key, value in inputs.items()}, given)
    for ours, theirs in zip(given.values(), expected, strict=True):
        assert_allclose(ours, theirs.numpy(), rtol=1e-5, atol=1e-5)


def test_quantiles_never_cross_whatever_the_network_sees() -> None:
    """Random weights, windows of any size: quantiles rise strictly, no CVaR is below its VaR, and none falls with the level."""
    torch.manual_seed(3)
    network = TransformerVar(2, 30).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        quantiles, last = network(10 * torch.randn(50, 30, 2))
        var = quantiles[..., KNOTS.index(LEVELS[0]) :]
        cvar = tail_means(var, last)
    assert (torch.diff(quantiles, dim=-1) > 0).all() and (cvar >= var).all() and (torch.diff(cvar, dim=-1) > -1e-5).all()


def test_an_encoder_is_causal_and_knows_the_order() -> None:
    """A later step changes no earlier output; the same returns in another order change the newest one."""
    torch.manual_seed(4)
    network, window = TransformerVar(2, 30).eval(), torch.randn(3, 30, 2)
    later, turned = window.clone(), window.clone()
    later[:, 20] += 5
    turned[:, :29] = window[:, :29].flip(1)
    with torch.no_grad():
        first = network(window)[0]
        assert_allclose(network(later)[0][:, :20].numpy(), first[:, :20].numpy(), atol=1e-6)
        assert (network(later)[0][:, 20] - first[:, 20]).abs().max() > 1e-3
        assert (network(turned)[0][:, -1] - first[:, -1]).abs().max() > 1e-4


def test_a_curve_s_outcomes_have_its_quantiles_and_tail_means() -> None:
    """4,000 equally likely losses of a curve give back its quantiles and the tail means that are trained, to half a per cent."""
    quantiles = student.ppf(KNOTS, 4)
    last = float(quantiles[-1] + 1.8)
    losses = losses_of(quantiles, last)
    assert (np.diff(losses) >= 0).all()
    wanted = tail_means(torch.from_numpy(quantiles[KNOTS.index(LEVELS[0]) :]), torch.tensor(last, dtype=torch.float64)).numpy()
    for level, cvar in zip(LEVELS, wanted, strict=True):
        assert losses[round(level * len(losses)) :].mean() == pytest.approx(cvar, rel=5e-3)


def test_transformer_var_refuses_a_what_if(tmp_path: Path) -> None:
    """It answers for the weights that it was trained with and says in one line that it must be trained for any other."""
    task = task_of(vectors(300, 1)[0], tmp_path, rows=5)
    task = replace(task, numbers=replace(SMALL, transformer_steps=2, window=30))
    forecast = transformer_var(task)
    assert forecast.of_weights(task.weights) is forecast
    with pytest.raises(ModelError, match="train it again for other weights"):
        forecast.of_weights(np.eye(ASSETS)[:1])
    with pytest.raises(ModelError, match="one at a time"):
        transformer_var(replace(task, weights=np.eye(ASSETS)))
    drawn = forecast.ordered(task.rows.start)
    assert drawn.shape[0] == 1 and (np.diff(drawn) >= 0).all()


@pytest.fixture(scope="module")
def autoencoder() -> tuple[VaeCopula, Floats]:
    """A copula learnt from 1,500 scores of a t-copula with four degrees of freedom, and these scores."""
    correlation = vectors(1, 0)[1]
    truth = TCopula(4.0, correlation, np.linalg.cholesky(correlation))
    scores = truth.draw(np.random.default_rng(5), 1500)
    return train_vae(scores, 500, seed=1), scores


def test_margins_of_the_autoencoder_are_exactly_uniform(autoencoder: tuple[VaeCopula, Floats]) -> None:
    """Every column of a draw holds the same normal quantiles, each once; the same seed gives the same bits."""
    draw = autoencoder[0].draw(np.random.default_rng(6), 4000)
    assert_array_equal(np.sort(draw, axis=0), np.repeat(grid(4000)[:, None], ASSETS, axis=1))
    assert_array_equal(draw, autoencoder[0].draw(np.random.default_rng(6), 4000))


def test_the_autoencoder_keeps_the_dependence_of_tails(autoencoder: tuple[VaeCopula, Floats]) -> None:
    """Tail dependence at 5 % is within 0.1 of the data's, above what a Gaussian copula of the same correlation has, and the
    posterior has not collapsed: some latents carry more than 0.1 nats each."""
    copula, scores = autoencoder
    random = np.random.default_rng(7)
    draw = copula.draw(random, 20_000)
    assert tail_dependence(draw) == pytest.approx(tail_dependence(scores), abs=0.1)
    gaussian = random.standard_normal((20_000, ASSETS)) @ np.linalg.cholesky(np.corrcoef(draw, rowvar=False)).T
    assert tail_dependence(draw) > tail_dependence(gaussian)
    assert copula.active >= 2 and copula.curve.later[-1] < copula.curve.later[0]


@pytest.fixture(scope="module")
def diffused(tmp_path_factory: pytest.TempPathFactory) -> tuple[Task, Diffusion, Floats]:
    """A diffusion of independent Student-t vectors, its task, and their correlation."""
    returns, correlation = vectors(3000, 5)
    task = task_of(returns, tmp_path_factory.mktemp("diffusion"))
    task = replace(task, numbers=replace(SMALL, diffusion_steps=800, diffused=500))
    return task, diffusion(task), correlation


def test_a_diffusion_draws_the_distribution_that_it_learnt(diffused: tuple[Task, Diffusion, Floats]) -> None:
    """Over 20 days the margins' Kolmogorov-Smirnov distances from the true Student-t are below 0.05 on average and none is above
    0.08; the correlations are within 0.07 of the truth on average and none is off by 0.15."""
    _, model, correlation = diffused
    drawn = np.log1p(np.vstack([model.sample(day) for day in range(200, 3000, 140)]))
    unit = 0.01 * np.sqrt((DOF - 2) / DOF)
    distances = [kstest(column / unit, student(DOF).cdf).statistic for column in drawn.T]
    assert np.mean(distances) < 0.05 and max(distances) < 0.08
    ranks = np.asarray(np.corrcoef(drawn.argsort(axis=0).argsort(axis=0), rowvar=False))
    errors = np.abs(2 * np.sin(np.pi * ranks / 6) - correlation)[np.triu_indices(ASSETS, 1)]
    assert errors.mean() < 0.07 and errors.max() < 0.15


def test_a_diffusion_draws_the_same_again_and_its_loss_fell(diffused: tuple[Task, Diffusion, Floats]) -> None:
    """The same seed trains the same bits; the loss on later sessions is lower at the end than at the first look; 10,000 draws
    are finite."""
    task, model, _ = diffused
    short = replace(task, numbers=replace(task.numbers, diffusion_steps=20))
    assert_array_equal(diffusion(short).sample(2999), diffusion(short).sample(2999))
    assert min(model.curve.later) < model.curve.later[0] - 0.005
    many = replace(model, noise=torch.randn((len(model.noise), 10_000, ASSETS), generator=torch.Generator().manual_seed(1)))
    assert np.isfinite(many.sample(2999)).all() and many.sample(2999).shape == (10_000, ASSETS)


def test_scores_by_ranks_come_back_as_they_were() -> None:
    """Values go to scores and back, inside what was learnt and far beyond it; learnt values become normal quantiles."""
    past = vectors(500, 8)[0]
    turned = normal_scores(past)
    wide = np.linspace(-0.3, 0.3, 101)[:, None].repeat(ASSETS, axis=1)
    assert_allclose(turned.from_score(turned.score(wide)), wide, atol=1e-9)
    assert_allclose(np.sort(turned.score(past), axis=0), np.repeat(grid(500)[:, None], ASSETS, axis=1), atol=1e-6)


def test_the_simulated_truth_is_true() -> None:
    """Of 20,000 sessions the true VaR is exceeded as often as it says, and the mean loss beyond it is its CVaR, to 4 %."""
    world, weights, levels = simulated(20_000, 4, 9), np.full(4, 0.25), np.array([0.95, 0.99])
    var, cvar = world.risk(weights, levels)
    loss = -world.returns @ weights
    for k, level in enumerate(levels):
        beyond = loss > var[:, k]
        assert beyond.mean() == pytest.approx(1 - level, abs=3 * np.sqrt(level * (1 - level) / len(loss)))
        assert (loss[beyond] / cvar[beyond, k]).mean() == pytest.approx(1, abs=0.04)
