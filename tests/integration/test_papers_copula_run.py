"""The LSTM-Copula's paper runs as a whole: every table and figure of a short market, and nothing is computed twice."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

pytestmark = pytest.mark.integration
pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd_models.papers.copula.facts import copulas_seen, seeds_seen, table_copulas, table_seeds  # noqa: E402
from riskd_models.papers.copula.judged import THEIRS  # noqa: E402
from riskd_models.papers.copula.market import Market, forward, market, split  # noqa: E402
from riskd_models.papers.copula.numbers import SMALL  # noqa: E402
from riskd_models.papers.copula.paper import FIVE, Part, Work, assets_part, part_of, table_daemon, task_of  # noqa: E402
from riskd_models.papers.copula.rivals import BESIDE, RIVALS  # noqa: E402
from riskd_models.papers.copula.subsets import COMPARED, random_subsets  # noqa: E402
from riskd_models.papers.finding import Table  # noqa: E402
from riskd_models.papers.preset import SMALL as PRESET  # noqa: E402
from riskd_models.pool import Panel  # noqa: E402
from riskd_models.study.systems import Block  # noqa: E402

TINY = replace(
    SMALL,
    margin_steps=8,
    autoencoder_steps=40,
    transformer_steps=4,
    diffusion_steps=40,
    paths=400,
    diffused=60,
    subsets=2,
    counts=(2, 3),
    window=20,
)
ROWS, CUT = 900, 850


@pytest.fixture(scope="module")
def short() -> Market:
    """Four stocks over 900 sessions to the end of 2022, the newest 50 of them forecast in one block and in two."""
    whole = market(PRESET).panel
    panel = Panel(whole.name, whole.series[:4], whole.sessions[-ROWS:], whole.returns[-ROWS:, :4], 4)
    blocks = (Block(range(CUT), range(CUT, 875)), Block(range(875), range(875, ROWS)))
    return Market("US stocks", panel, {"split": (Block(range(CUT), range(CUT, ROWS)),), "forward": blocks})


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    return Work(TINY, tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="module")
def part(short: Market, work: Work) -> Part:
    return part_of(work, short, "split", (*RIVALS, *BESIDE))


def test_every_system_has_its_rows(part: Part) -> None:
    """The paper's figures stand beside ours for its five systems, and every system is scored against the baseline."""
    tables, figures, lessons = part
    ours, scores, levels = tables
    assert {name for name, theirs in ours.column("coverage, theirs").items() if theirs} == set(FIVE)
    assert ours.column("KLD, theirs")["tcn-copula"] == THEIRS["TCN-Copula"][2]
    assert set(scores.column("FZ0")) == {*RIVALS, *BESIDE} and scores.column("FZ0 t")["gjr-fhs"] is None
    assert all(0 <= float(share or 0) <= 1 for share in levels.column("0.95").values())
    assert "<svg" in figures[0].svg and "2022-12-28" in lessons[0]


def test_what_was_computed_is_not_computed_again(part: Part, short: Market, work: Work) -> None:
    """A second run gives the very same part and touches no file; what one file lacks is computed to the same bytes."""
    before = {path: path.stat().st_mtime_ns for path in work.folder.rglob("*") if path.is_file()}
    assert part_of(work, short, "split", (*RIVALS, *BESIDE)) == part
    assert before == {path: path.stat().st_mtime_ns for path in work.folder.rglob("*") if path.is_file()}
    (work.folder / "split" / "diffusion-risknet.npz").unlink()
    assert part_of(work, short, "split", (*RIVALS, *BESIDE)) == part


def test_a_longer_walk_trains_again(short: Market, work: Work) -> None:
    """Two blocks are forecast by two networks, and their sessions are those of one block."""
    tables, _, _ = part_of(work, short, "forward", (*FIVE, *BESIDE))
    networks = {path.name.partition("-4-")[0] for path in (work.folder / "forward" / "networks").iterdir()}
    assert networks == {"seed-1", "tcn", "gru"} and len(list((work.folder / "forward" / "networks").iterdir())) == 6
    assert "50 sessions" in tables[0].note


def test_the_number_of_assets_has_a_table_and_figures(short: Market, work: Work) -> None:
    """Every system has a row for each count of assets and every measure a figure."""
    (table,), figures, (lesson,) = assets_part(work, short)
    assert set(table.column("coverage")) == {f"{name}, {count}" for name in COMPARED for count in TINY.counts}
    assert lesson.startswith("lstm-copula: ")
    assert len(figures) == 4 and len({figure.name for figure in figures}) == 4


def test_generators_tell_what_they_learnt(short: Market, work: Work) -> None:
    """The copulas' dependence and the diffusion's spread over seeds are tables of finite numbers."""
    task = task_of(work, short, "split", short.plans["split"][0])
    tables: tuple[Table, ...] = (table_copulas(copulas_seen(task, short.panel)),)
    tables += (table_seeds(seeds_seen(task, work.folder / "seeds"), TINY.seed),)
    assert tables[0].columns[0] == "of" and len(tables[0].rows) == 4
    assert len(tables[1].rows) == TINY.seeds + 1 and all(row[-1] is not None for row in tables[1].rows)
    assert table_daemon().column("answers what-if")["transformer-var"] != "yes"


def test_subsets_are_different_and_as_large_as_asked() -> None:
    """Twenty subsets of three out of six, which is all there are, are different; of six there is one, and two are refused."""
    found = random_subsets(6, (3,), 20, seed=1)
    assert len(set(found.columns)) == 20 and {len(c) for c in found.columns} == {3}
    np.testing.assert_allclose(found.weights(6).sum(axis=1), 1)
    with pytest.raises(ValueError, match="too few subsets of 6"):
        random_subsets(6, (6,), 2, seed=1)


def test_plans_look_back_only() -> None:
    """The split keeps four fifths of 2013 to 2023 before its first forecast; the walk knows all before each turn and no more."""
    sessions = tuple(date(year, month, day) for year in range(1990, 2026) for month in range(1, 13) for day in range(1, 29))
    block = split(sessions)
    assert sessions[block.known.start] == date(2013, 1, 1) and sessions[block.rows.stop - 1] == date(2023, 12, 28)
    assert len(block.known) == round(0.8 * (len(block.known) + len(block.rows))) and block.known.stop == block.rows.start
    blocks = forward(sessions)
    assert [sessions[b.rows.start] for b in blocks] == [date(year, 1, 1) for year in (2012, 2017, 2020)]
    assert all(b.known == range(b.rows.start) for b in blocks) and blocks[-1].rows.stop == len(sessions)
