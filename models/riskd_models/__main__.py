"""The command line of the training package: python -m riskd_models VERB."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from riskd.errors import ConfigError, RiskdError
from riskd.forecast.contract import Card
from riskd_models.demo_prices import write_demo_prices
from riskd_models.recipe import Recipe, read_recipe

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "lstm-jsu.toml"
RANGES = RECIPE.with_name("lstm-jsu-ranges.toml")
CHALLENGER = "train a vae-copula, a diffusion or a transformer-var, which the recipe says, to run in [[rivals]]: a minute"
CHALLENGER_MORE = (
    "Recipes are models/recipes/vae-copula.toml, diffusion-risknet.toml and transformer-var.toml; a copy with fewer steps trains "
    "in seconds. Then add the folder to a configuration: a diffusion or a transformer-var as artefact of a [[rivals]] section, a "
    "vae-copula as its model, beside the artefact of a forecaster."
)
ALLOTTER = "train a network whose output is a portfolio: half a minute"
ALLOTTER_MORE = (
    "Train a network that reads a year of returns and gives weights: the largest mean less a price of CVaR and of trading. "
    "It learns on the universe that it will stand in: every symbol that is held or that a proposal may buy, in closes of the "
    "portfolio's currency. Name them in the recipe's symbols, or give a price file of these columns alone. The newest part of "
    "the file only chooses where training stops. The daemon shows it beside a proposal ([[allocators]]), never in its place."
)

FLEET = "train every network of the papers for a configuration, to run beside its champion: five minutes"
FLEET_MORE = (
    "Trains the LSTM-, TCN- and GRU-VAE-Copula, the diffusion, a Transformer-VaR for each portfolio, the network on heat maps, "
    "the generator and the deep allocation on the symbols that a configuration watches, and writes challengers.toml: the "
    "sections [[rivals]] and [[allocators]] to append to it. riskd then shows each beside every figure and proposal."
)


def parser() -> argparse.ArgumentParser:
    """The verbs by name, each with its arguments."""
    top = argparse.ArgumentParser(prog="python -m riskd_models", description="Train, judge and export riskd's networks.")
    verbs = top.add_subparsers(dest="verb", required=True)
    train = verbs.add_parser("train", help="train, judge on later days, export and verify: about a minute")
    train.add_argument("--recipe", type=Path, required=True, help="TOML file with every number of the training")
    train.add_argument("--until", type=date.fromisoformat, help="the last day to learn from (default: the recipe's train_until)")
    train.add_argument("--name", help="the model's name (default: the recipe's)")
    train.add_argument("--out", type=Path, required=True, help="folder for the two graphs, card.json and golden.npz")
    evaluate = verbs.add_parser("evaluate", help="a walk-forward study of a book: networks of every year against other forecasts")
    evaluate.add_argument("--book", required=True, help="B, A, C, M, L or a price file: the date, then one column a symbol")
    evaluate.add_argument("--out", type=Path, required=True, help="folder; what is already there is not computed again")
    evaluate.add_argument("--recipe", type=Path, default=RECIPE, help="every number of the training (default: the shipped one)")
    evaluate.add_argument("--data", type=Path, help="folder of the shared prices of M and L (default: beside the repository)")
    plans = "trained once on 80 %%, walked forward, or held for 21 sessions"
    evaluate.add_argument("--seeds", choices=("split", "forward", "months"), help=f"judge the systems of two papers: {plans}")
    evaluate.add_argument("--jobs", type=int, default=1, help="processes (default: %(default)s)")
    ranges = verbs.add_parser("ranges", help="a walk-forward study of what a day's high and low add: tables on standard output")
    ranges.add_argument("--book", required=True, help="M or L, whose every asset has bars in the shared prices")
    ranges.add_argument("--out", type=Path, required=True, help="folder; what is already there is not computed again")
    ranges.add_argument("--recipe", type=Path, default=RANGES, help="a recipe with [scale.ranges] (default: the one shipped)")
    ranges.add_argument("--data", type=Path, help="folder of the shared prices (default: beside the repository)")
    _challengers(verbs)
    papers = verbs.add_parser("papers", help="run every system of the four papers: minutes, or with --preset full an hour")
    papers.add_argument("names", nargs="*", metavar="PAPER", help="copula, heatmap, deep_allocation, generator (default: all)")
    papers.add_argument("--preset", default="small", help="small or full (default: %(default)s)")
    papers.add_argument("--device", default="cpu", help="where networks are trained: cpu or cuda (default: %(default)s)")
    papers.add_argument("--out", type=Path, required=True, help="folder; what is already there is not computed again")
    prices = verbs.add_parser("demo-prices", help="write the demo's price file and its licence")
    prices.add_argument("--out", type=Path, default=Path("examples/prices"), help="folder (default: %(default)s)")
    return top


def _challengers(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The verbs that train what runs beside the champion, one network each or all at once."""
    _from_prices(verbs.add_parser("train-window", help="train a network that reads a window of returns: a minute"))
    _from_prices(verbs.add_parser("train-heatmap", help="train a network that reads heat maps of ten sessions: two minutes"))
    challenger = verbs.add_parser("train-challenger", help=CHALLENGER, description=CHALLENGER_MORE)
    _from_prices(challenger)
    margins = "folder of the forecaster whose scores a vae-copula learns: it will join these margins"
    challenger.add_argument("--margins", type=Path, help=margins)
    _from_prices(verbs.add_parser("train-allotter", help=ALLOTTER, description=ALLOTTER_MORE))
    fleet = verbs.add_parser("challengers", help=FLEET, description=FLEET_MORE)
    fleet.add_argument("--config", type=Path, required=True, help="the daemon's configuration: its universe and portfolios")
    fleet.add_argument("--prices", type=Path, required=True, help="CSV file: a date column, then one column of closes a symbol")
    fleet.add_argument("--until", type=date.fromisoformat, default=date.max, help="the last day to use (default: the file's)")
    fleet.add_argument("--steps", type=int, help="of every network, to see it work (default: those of the recipes)")
    fleet.add_argument("--out", type=Path, required=True, help="folder; a network that is there is not trained again")


def _from_prices(verb: argparse.ArgumentParser) -> None:
    """The arguments of a verb that makes an artefact of a recipe and a price file."""
    verb.add_argument("--recipe", type=Path, required=True, help="TOML file with every number of the training")
    verb.add_argument("--prices", type=Path, required=True, help="CSV file: a date column, then one column of closes a symbol")
    verb.add_argument("--until", type=date.fromisoformat, default=date.max, help="the last day to use (default: the file's)")
    verb.add_argument("--out", type=Path, required=True, help="folder for model.onnx, card.json and golden.npz")


def without_ranges(recipe: Recipe) -> Recipe:
    """The recipe; raises ConfigError where it has ranges, for no feed and not every book has highs and lows."""
    if recipe.scale.ranges:
        raise ConfigError(f"{recipe.name}: only the verb ranges takes a recipe with scale.ranges; no feed quotes highs and lows")
    return recipe


def train_artefact(recipe: Recipe, out: Path) -> Card:
    """Train, judge, export and load back what was written."""
    from riskd.forecast.artefact import load_artefact
    from riskd_models.evaluate import evaluate
    from riskd_models.export import export
    from riskd_models.pool import load_pool
    from riskd_models.train import learnable, train

    pool = load_pool(recipe)
    panels = learnable(pool, recipe)
    for panel in pool:
        if panel not in panels:
            print(f"{panel.name} is left out: too few sessions until {recipe.pool.train_until}")
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("training", total=recipe.training.steps)
        trained = train(panels, recipe, lambda step, loss: progress.update(task, completed=step, description=f"loss {loss:.3f}"))
    print(f"trained {recipe.training.steps} steps on {trained.series} series, loss {trained.loss:.4f}; judging")
    export(trained, panels, evaluate(panels, trained.network, recipe), recipe, out)
    return load_artefact(out).card


def told(card: Card) -> str:
    """The scores as a small table."""
    scores = card.out_of_sample
    if scores is None:
        return f"{card.identity}, learnt to {card.training.last}; not judged, for no later session is known"
    days = f"{scores.sessions} sessions {scores.first} to {scores.last}"
    lines = [f"{card.identity}, judged on {days}, lower is better"]
    for model, means in scores.means.items():
        against = scores.t_against.get(model, {})
        cells = (f"{k} {v:.5g}" + (f" (t {against[k]:+.1f})" if k in against else "") for k, v in means.items())
        lines.append(f"  {model:12} " + "  ".join(cells))
    return "\n".join(lines)


def evaluated(wanted: argparse.Namespace) -> tuple[Path, Path]:
    """The study that ``evaluate`` asks for; the paths of its report."""
    from riskd_models.study.verb import evaluate_book, evaluate_seeds

    recipe, rest = without_ranges(read_recipe(wanted.recipe)), (wanted.out, wanted.data, wanted.jobs)
    if wanted.seeds:
        return evaluate_seeds(wanted.book, wanted.seeds, recipe, *rest)
    return evaluate_book(wanted.book, recipe, *rest)


def trained(wanted: argparse.Namespace) -> Iterator[object]:
    """``train``."""
    yield told(train_artefact(without_ranges(read_recipe(wanted.recipe, wanted.until, wanted.name)), wanted.out))


def ranged(wanted: argparse.Namespace) -> Iterator[object]:
    """``ranges``: its tables, line by line."""
    from riskd_models.study.range_report import range_study
    from riskd_models.study.range_report import told as range_lines

    yield from range_lines(range_study(wanted.book, read_recipe(RECIPE), read_recipe(wanted.recipe), wanted.out, wanted.data))


def trained_window(wanted: argparse.Namespace) -> Iterator[object]:
    """``train-window``."""
    from riskd_models.window_artefact import train_window_artefact, window_told
    from riskd_models.window_recipe import read_window_recipe

    yield window_told(train_window_artefact(read_window_recipe(wanted.recipe), wanted.prices, wanted.until, wanted.out))


def trained_heatmap(wanted: argparse.Namespace) -> Iterator[object]:
    """``train-heatmap``."""
    from riskd_models.papers.heatmap.artefact import heatmap_told, train_heatmap_artefact
    from riskd_models.papers.heatmap.recipe import read_heatmap_recipe
    from riskd_models.papers.work import progress

    with progress() as tell:
        made = read_heatmap_recipe(wanted.recipe), wanted.prices, wanted.until, wanted.out
        yield heatmap_told(train_heatmap_artefact(*made, lambda share: tell("training", share)))


def trained_challenger(wanted: argparse.Namespace) -> Iterator[object]:
    """``train-challenger``."""
    from riskd_models.papers.copula.artefact import challenger_told, train_challenger
    from riskd_models.papers.copula.recipe import read_challenger_recipe
    from riskd_models.papers.work import progress

    with progress() as tell:
        recipe = read_challenger_recipe(wanted.recipe)
        yield challenger_told(train_challenger(recipe, wanted.prices, wanted.until, wanted.out, wanted.margins, tell))


def trained_allotter(wanted: argparse.Namespace) -> Iterator[object]:
    """``train-allotter``."""
    from riskd_models.papers.deep_allocation.artefact import allotter_told, train_allotter_artefact
    from riskd_models.papers.deep_allocation.recipe import read_allotter_recipe
    from riskd_models.papers.work import progress

    with progress() as tell:
        made = read_allotter_recipe(wanted.recipe), wanted.prices, wanted.until, wanted.out
        yield allotter_told(train_allotter_artefact(*made, lambda share: tell("training", share)))


def trained_challengers(wanted: argparse.Namespace) -> Iterator[object]:
    """``challengers``: the path of the sections."""
    from riskd_models.papers.challengers import train_challengers
    from riskd_models.papers.work import progress

    with progress() as tell:
        yield train_challengers(wanted.config, wanted.prices, wanted.until, wanted.out, wanted.steps, tell)


def papers_run(wanted: argparse.Namespace) -> Iterator[object]:
    """``papers``: the paths of the report."""
    from riskd_models.papers.preset import preset_of
    from riskd_models.papers.verb import run_papers
    from riskd_models.papers.work import progress

    with progress() as tell:
        yield from run_papers(preset_of(wanted.preset, wanted.device), wanted.names, wanted.out, tell)


VERBS: Mapping[str, Callable[[argparse.Namespace], Iterable[object]]] = {
    "train": trained,
    "evaluate": evaluated,
    "ranges": ranged,
    "train-window": trained_window,
    "train-heatmap": trained_heatmap,
    "train-challenger": trained_challenger,
    "train-allotter": trained_allotter,
    "challengers": trained_challengers,
    "papers": papers_run,
    "demo-prices": lambda wanted: [write_demo_prices(wanted.out)],
}


def main(arguments: list[str]) -> int:
    """Run one verb and print what it says; a user's mistake is one line on stderr and status 78."""
    wanted = parser().parse_args(arguments)
    try:
        for line in VERBS[wanted.verb](wanted):
            print(line, flush=True)
    except RiskdError as error:
        print(error, file=sys.stderr)
        return 78
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
