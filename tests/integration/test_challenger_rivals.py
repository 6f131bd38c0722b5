"""The daemon runs a VAE copula, a diffusion and a Transformer-VaR beside the shipped network of 2014, on real prices."""

import gzip
import json
from datetime import date
from pathlib import Path

import pytest
from test_kill import configuration, daemon, finished
from typer.testing import CliRunner

pytestmark = pytest.mark.integration
pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd.app.kit import load_forecaster, rules_of, store_beside  # noqa: E402
from riskd.app.once import past  # noqa: E402
from riskd.app.stretch import learnt_until  # noqa: E402
from riskd.cli import app  # noqa: E402
from riskd.core.canonical import plain  # noqa: E402
from riskd.settings import load_settings  # noqa: E402
from riskd.store.ledger import Ledger  # noqa: E402
from riskd_models.__main__ import main  # noqa: E402

NAMES = {"vae-copula": "vae", "diffusion-risknet": "diffusion", "transformer-var": "transformer"}
SYMBOLS, WEIGHTS = '["AAPL", "JPM", "KO"]', "{ AAPL = 0.4, JPM = 0.4, KO = 0.2 }"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Trained by the verb from the shipped recipes on three stocks from 2011 to the middle of 2015, for few steps."""
    folder = tmp_path_factory.mktemp("nets")
    prices = folder / "prices.csv"
    header, *rows = (
        gzip.decompress((root / "examples" / "prices" / "us-stocks-1990-2022.csv.gz").read_bytes()).decode().splitlines()
    )
    prices.write_text("\n".join([header, *(row for row in rows if row > "2011")]))
    for name in NAMES:
        text = (root / "models" / "recipes" / f"{name}.toml").read_text()
        lines = [f"steps = {40 if name != 'transformer-var' else 6}" if x.startswith("steps") else x for x in text.splitlines()]
        lines.append(f"weights = {WEIGHTS}" if name == "transformer-var" else f"symbols = {SYMBOLS}")
        recipe = folder / f"{name}.toml"
        recipe.write_text("\n".join(lines))
        margins = ["--margins", str(root / "models" / "artefacts" / "lstm-jsu-2014")] if name == "vae-copula" else []
        wanted = ["--recipe", str(recipe), "--prices", str(prices), "--until", "2015-06-30", "--out", str(folder / name)]
        assert main(["train-challenger", *wanted, *margins]) == 0
    return folder


def configured(folder: Path, root: Path, trained: Path, *changes: tuple[str, str]) -> Path:
    """A replay of four sessions of March 2020 under lstm-jsu-2014, one and two sessions ahead, with the three as rivals."""
    path = configuration(folder, root)
    text = (
        path.read_text()
        .replace("/lstm-jsu", "/lstm-jsu-2014")
        .replace("horizons = [1]", 'horizons = [1, 2]\nchallengers = ["historical"]')
    )
    text = text.replace("first = 2020-02-18", "first = 2020-03-10").replace("last = 2020-03-31", "last = 2020-03-13")
    text = (
        text.replace("history_from = 2016-01-04", "history_from = 2017-11-20")
        + f"""
[[rivals]]
name = "vae"
artefact = "{root}/models/artefacts/lstm-jsu-2014"
model = "{trained}/vae-copula"
[[rivals]]
name = "diffusion"
artefact = "{trained}/diffusion-risknet"
paths = 300
[[rivals]]
name = "transformer"
artefact = "{trained}/transformer-var"
"""
    )
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return path


def riskd(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout if result.exit_code == 0 else result.output


def test_all_three_stand_beside_every_figure(tmp_path: Path, root: Path, trained: Path) -> None:
    """March 2020, one day: each has a VaR and a larger CVaR of its own, the network of losses over one session alone; all
    else is what it is without them, and a second run gives the same bytes."""
    config = configured(tmp_path, root, trained)
    code, said = riskd("once", "--as-of", "2020-03-10", "--json", "-c", str(config))
    assert code == 0, said
    assert riskd("once", "--as-of", "2020-03-10", "--json", "-c", str(config)) == (0, said)
    (report,) = json.loads(said)["reports"]
    bare = config.with_name("bare.toml")
    bare.write_text(config.read_text().partition("[[rivals]]")[0])
    (alone,) = json.loads(riskd("once", "--as-of", "2020-03-10", "--json", "-c", str(bare))[1])["reports"]
    for figure, wanted in zip(report["figures"], alone["figures"], strict=True):
        found = {c["name"]: (c["var"], c["cvar"]) for c in figure["challengers"] if c["name"] in NAMES.values()}
        if figure["horizon"] > 1:
            assert found.pop("transformer") == (None, None)
        assert all(0 < var < cvar < 1 for var, cvar in found.values()) and len(set(found.values())) == len(found) >= 2
        assert figure | {"challengers": []} == wanted | {"challengers": []}
    assert not [n for n in report["notes"] if "has no figures" in n]


def test_the_daemon_says_what_a_backtest_says(tmp_path: Path, root: Path, trained: Path) -> None:
    """Four sessions of the daemon: its journal is folded again to the same bytes, and a backtest's fold has the last figures."""
    config = configured(tmp_path, root, trained)
    finished(daemon(config))
    code, said = riskd("replay", "--journal", "-c", str(config))
    assert (code, "lines of the journal come out with the same bytes" in said) == (0, True), said
    settings = load_settings(config)
    *_, last = past(settings, date(2020, 3, 10), date(2020, 3, 13))
    database = store_beside(settings)
    (kept,) = Ledger(database).history("book", 1)
    database.close()
    assert kept.session == last.session and plain(kept.figures) == plain(last.reports[0].figures)


def test_nothing_is_judged_on_what_any_of_them_learnt(tmp_path: Path, root: Path, trained: Path) -> None:
    """The champion learnt until 2014 and the rivals until the middle of 2015: that is what a backtest has to start after."""
    for place in range(3):
        config = configured(tmp_path, root, trained)
        whole, *sections = config.read_text().split("[[rivals]]")
        config.write_text(f"{whole}[[rivals]]{sections[place]}")
        settings = load_settings(config)
        assert learnt_until(rules_of(settings, load_forecaster(settings))) == date(2015, 6, 30)


def test_check_names_them_and_whom_they_serve(tmp_path: Path, root: Path, trained: Path) -> None:
    """A line for each: its name, what it is, how its scores are drawn, and the portfolios that it has figures of."""
    code, said = riskd("check", "-c", str(configured(tmp_path, root, trained)))
    assert code == 0, said
    assert "rival      vae: lstm-jsu-2014@" in said and " with vae-copula@" in said
    assert "rival      diffusion: diffusion-risknet@" in said
    assert any("transformer: transformer-var@" in line and line.endswith(" for book") for line in said.splitlines())
    other = configured(tmp_path, root, trained, ("AAPL = 0.4, JPM = 0.4, KO = 0.2", "AAPL = 0.4, JPM = 0.3, KO = 0.3"))
    code, said = riskd("check", "-c", str(other))
    assert code == 0 and "for no portfolio: none holds the weights that it was trained for" in said, said


AS_CHAMPION = 'artefact = "{root}/models/artefacts/lstm-jsu-2014"\nthreads'
WRONG = {  # what is written otherwise, the key that is named, and the way out
    "another universe": (
        ("AAPL = 0.4, JPM = 0.4, KO = 0.2", "AAPL = 0.4, JPM = 0.6"),
        "rivals[0].model: vae-copula@",
        "was trained on AAPL, JPM, KO, not on AAPL, JPM; train it on this universe",
    ),
    "a copula as margins": (
        ("/diffusion-risknet", "/vae-copula"),
        "rivals[1].artefact: ",
        "name it as model beside a forecaster's artefact",
    ),
    "a diffusion as copula": (("/vae-copula", "/diffusion-risknet"), "rivals[0].model: ", "of its own margins"),
    "a diffusion drawn by another": (("paths = 300", 'model = "t-copula"'), "rivals[1].model: t-copula ", "of its own margins"),
    "a forecaster as copula": (
        ("{trained}/vae-copula", "{root}/models/artefacts/lstm-jsu"),
        "rivals[0].model: ",
        "or a model by",
    ),
    "a copula that is not there": (("/vae-copula", "/none"), "rivals[0].model: ", "train-challenger --help"),
    "losses with a model": (
        ("paths = 300", 'paths = 300\n[[rivals]]\nname="t"\nmodel="t-copula"\nartefact="{trained}/transformer-var"'),
        "rivals[2].model: ",
        "leave model out",
    ),
    "a diffusion that is anchored": (
        ("paths = 300", "anchored = true"),
        "rivals[1].anchored: diffusion-risknet@",
        "leave anchored out",
    ),
    "a diffusion as champion": (
        (AS_CHAMPION, 'artefact = "{trained}/diffusion-risknet"\nthreads'),
        "model.artefact: ",
        "in [[rivals]]",
    ),
    "a champion drawn by a diffusion": (
        ("paths = 400", 'paths = 400\nmodel = "{trained}/diffusion-risknet"'),
        "scenarios.model: ",
        "without a model",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_what_does_not_go_together_is_a_mistake_of_configuration(mistake: str, tmp_path: Path, root: Path, trained: Path) -> None:
    """One line that names the key and the way out, exit 78."""
    (old, new), key, words = WRONG[mistake]
    change = old.format(root=root, trained=trained), new.format(root=root, trained=trained)
    code, said = riskd("check", "-c", str(configured(tmp_path, root, trained, change)))
    assert code == 78 and key in said and words in said and said.count("\n") == 1, said


def test_a_champion_may_be_drawn_by_a_network(tmp_path: Path, root: Path, trained: Path) -> None:
    """The copula as scenarios.model: figures over two sessions are drawn by it, and the report names it with its hash."""
    config = configured(tmp_path, root, trained, ("paths = 400", f'paths = 400\nmodel = "{trained}/vae-copula"'))
    config.write_text(config.read_text().partition("[[rivals]]")[0])
    code, said = riskd("once", "--as-of", "2020-03-10", "--json", "-c", str(config))
    assert code == 0, said
    (report,) = json.loads(said)["reports"]
    assert report["provenance"]["scenarios"].startswith("vae-copula@")
    assert all(0 < figure["var"] < figure["cvar"] < 1 for figure in report["figures"])


def test_a_recipe_or_history_that_will_not_do_is_one_line(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File, key and way out on stderr, status 78; a copula without margins and prices too short likewise."""
    recipe, prices = tmp_path / "recipe.toml", root / "examples" / "prices" / "us-stocks-1990-2022.csv.gz"
    text = (root / "models" / "recipes" / "diffusion-risknet.toml").read_text()
    wanted = ["train-challenger", "--recipe", str(recipe), "--prices", str(prices), "--out", str(tmp_path / "out")]
    said = []
    for content, more in (
        (text.replace("steps = 2500", "steps = 0"), []),
        (text.replace("steps", "window = 60\nsteps"), []),
        (text, ["--until", "1990-06-30"]),
        (text, ["--margins", str(tmp_path)]),
        (text.replace('diffusion"', 'vae-copula"', 1), []),
    ):
        recipe.write_text(content)
        assert main([*wanted, *more]) == 78
        said.append(capsys.readouterr().err)
    for line, words in zip(
        said,
        (f"{recipe}: steps: ", "the other systems have neither", "give longer history", "take none", "--margins"),
        strict=True,
    ):
        assert words in line and line.count("\n") == 1
    assert not (tmp_path / "out").exists()
