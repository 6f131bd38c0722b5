"""The catalogue of every system with the scores that the papers' findings hold, which the daemon's page shows beside its own."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from riskd.forecast.artefact import CARD, read_card
from riskd.forecast.contract import Card
from riskd.lab.systems import OWN, Catalogue, Score, System
from riskd_models.papers.finding import Cell, Finding, Table
from riskd_models.papers.registry import ALLOCATORS, GENERATORS, JUDGED_NETWORK, Known, copulas, own, pictures
from riskd_models.papers.report import cell_text

DECISIVE = 1.96
MODELS = Path(__file__).resolve().parents[2]
STUDY = MODELS / "STUDY.md"
JUDGED = MODELS / "artefacts" / JUDGED_NETWORK.row / CARD
STUDIED = "Ours beside theirs"  # its table of the first paper's assets and sessions, every system trained once
STUDY_NAMES = {"riskd": "lstm-jsu", "garch-t-copula": "garch-t-copula"}
Scores = Mapping[str, Sequence[Score]]  # by the row of the tables


def catalogue(findings: Iterable[Finding], preset: str) -> Catalogue:
    """Every registered system; those of a paper without a finding, or that no table scores, have none."""
    found = {finding.paper: finding for finding in findings}
    studied = _studied()
    copula = _of(found.get("copula"), copula_scores)
    ours = {**studied, **_carded(), **{name: copula[name] for name in ("gjr-fhs", "historical") if name in copula}}
    groups = [_group(OWN, own(), {STUDY_NAMES.get(row, row): scores for row, scores in ours.items()})]
    papers = {
        "copula": (copulas(), {**studied, **copula}),
        "heatmap": (pictures(), _of(found.get("heatmap"), picture_scores)),
        "deep-allocation": (ALLOCATORS, _of(found.get("deep-allocation"), allocation_scores)),
        "generator": (GENERATORS, {**studied, **_of(found.get("generator"), generator_scores)}),
    }
    groups += [_group(found[paper].title if paper in found else paper, *parts) for paper, parts in papers.items()]
    return Catalogue(preset=preset, systems=tuple(system for group in groups for system in group))


def _of(finding: Finding | None, scores: Callable[[Finding], Scores]) -> Scores:
    return {} if finding is None else scores(finding)


def _group(title: str, known: Iterable[Known], scores: Scores) -> list[System]:
    return [
        System(
            name=one.name or one.row,
            group=title,
            kind=one.kind,
            what=one.what,
            how=one.how,
            card=one.card,
            scenarios=one.scenarios,
            scores=tuple(scores.get(one.row, ())),
        )
        for one in known
    ]


def copula_scores(finding: Finding) -> Scores:
    """FZ0 against GJR-FHS: trained once on the paper's years, and walked forward."""
    found: dict[str, list[Score]] = {}
    for table in _tables(finding, "Table 1, proper scores", "Walk-forward, proper scores"):
        for row, score in _by_t(table, "FZ0", "FZ0 t", "gjr-fhs", "FZ0 at 0.95"):
            behind = table.column("worse than baseline")[row] == "yes"
            found.setdefault(row, []).append(score.model_copy(update={"verdict": "behind"}) if behind else score)
    return found


def picture_scores(finding: Finding) -> Scores:
    """QLIKE against HAR by class."""
    found: dict[str, list[Score]] = {}
    for table in _tables(finding, "Table 1: every model"):
        counted = re.search(r"\d+ pictures of \d+ series", table.note)
        for row, score in _by_t(table, "QLIKE", "t", "HAR by class", "QLIKE of ten sessions' volatility"):
            found[row] = [score.model_copy(update={"on": counted[0] if counted else score.on})]
    return found


def allocation_scores(finding: Finding) -> Scores:
    """Sharpe ratios after costs beside that of equal weights; a network's objective less theirs too."""
    found: dict[str, list[Score]] = {}
    apart = {_where(table): table for table in _tables(finding, "Differences")}
    for table in _tables(finding, "Performance"):
        ratios, differences = table.column("Sharpe"), apart[_where(table)]
        for row, value in ratios.items():
            pair = next((cells for cells in differences.rows if cells[0] == f"{row} - 1/N"), None)
            found.setdefault(row, []).append(_ratio(row, value, ratios["1/N"], pair, table))
            if pair is not None:
                found[row].append(_objective(row, pair, differences))
    return found


def generator_scores(finding: Finding) -> Scores:
    """FZ0 and CRPS of months of equal weights against history's."""
    found: dict[str, list[Score]] = {}
    for table in _tables(finding, "One common portfolio"):
        for score, name in (("FZ0", "FZ0 of a month at 0.95"), ("CRPS", "CRPS of a month")):
            for row, one in _by_t(table, score, f"{score} t", "history", name):
                found.setdefault(row, []).append(one)
    return found


def _by_t(table: Table, score: str, t: str, baseline: str, name: str) -> Iterator[tuple[str, Score]]:
    """A score a row, lower is better, with Diebold and Mariano's t against the baseline's."""
    values, tests = table.column(score), table.column(t)
    for row, value in values.items():
        if row.startswith("theirs: "):
            continue
        found = Score(
            name=name,
            better="lower",
            value=_number(value),
            baseline=baseline,
            baseline_value=_number(values[baseline]),
            t=_number(tests[row]),
            verdict="the baseline" if row == baseline else _verdict(value, _number(tests[row])),
            on=_where(table),
            source=_source(table),
        )
        yield row, found


def _verdict(value: Cell, t: float | None) -> str:
    if value is None:
        return "no score: a CVaR that was no loss"
    if t is None:
        return "not tested"
    return "ahead" if t < -DECISIVE else "behind" if t > DECISIVE else "not told apart"


def _ratio(row: str, value: Cell, baseline: Cell, pair: Sequence[Cell] | None, table: Table) -> Score:
    difference, low, high = (None, None, None) if pair is None else map(_number, pair[1:4])
    verdict = "the baseline" if row == "1/N" else _interval_verdict(low, high)
    return Score(
        name="Sharpe ratio a year, after costs",
        better="higher",
        value=_number(value),
        baseline="1/N",
        baseline_value=_number(baseline),
        difference=difference,
        low=low,
        high=high,
        verdict=verdict,
        on=_where(table),
        source=_source(table),
    )


def _objective(row: str, pair: Sequence[Cell], table: Table) -> Score:
    difference, low, high = map(_number, pair[4:7])
    return Score(
        name="its own objective, a holding period after costs",
        better="higher",
        value=None,
        baseline="1/N",
        baseline_value=None,
        difference=difference,
        low=low,
        high=high,
        verdict=_interval_verdict(low, high),
        on=_where(table),
        source=_source(table),
    )


def _interval_verdict(low: float | None, high: float | None) -> str:
    """Of a difference that is better above zero."""
    if low is None or high is None:
        return "not tested"
    return "ahead" if low > 0 else "behind" if high < 0 else "not told apart"


def _studied() -> dict[str, list[Score]]:
    """FZ0's t of the systems that the walk-forward study alone has; none without the file."""
    text = STUDY.read_text(encoding="utf-8") if STUDY.is_file() else ""
    lines = iter(text.partition(f"### {STUDIED}\n")[2].splitlines())
    heads = next((cells for cells in map(_cells, lines) if "FZ0 t" in cells), [])
    found = {}
    for cells in map(_cells, lines):
        if not cells:
            break
        if cells[0].startswith("`") and cells[heads.index("FZ0 t")]:
            found[cells[0].strip("`")] = [_study_score(float(cells[heads.index("FZ0 t")].split()[0]))]
    return found


def _study_score(t: float) -> Score:
    return Score(
        name="FZ0 at 0.95",
        better="lower",
        value=None,
        baseline="gjr-fhs",
        baseline_value=None,
        t=t,
        verdict=_verdict(t, t),
        on="10 assets (stocks, bonds, gold and oil), 2021-10-18 to 2023-12-29",
        source=f"models/STUDY.md, {STUDIED}",
    )


def _carded() -> dict[str, list[Score]]:
    """FZ0 of the shipped network that later years judged, from its card; none where artefacts are not at hand."""
    found = read_card(JUDGED, Card).out_of_sample if JUDGED.is_file() else None
    if found is None:
        return {}
    ours, baseline = JUDGED_NETWORK.row, "gjr-t"
    t = found.t_against[baseline]["fz0"]
    score = Score(
        name=f"FZ0 at {1 - found.level:g}",
        better="lower",
        value=_number(found.means[ours]["fz0"]),
        baseline=baseline,
        baseline_value=_number(found.means[baseline]["fz0"]),
        t=t,
        verdict=_verdict(t, t),
        on=f"{len(found.assets)} single series, {found.first} to {found.last}",
        source=f"models/artefacts/{ours}/{CARD}",
    )
    return {ours: [score]}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []


def _tables(finding: Finding, *titles: str) -> Iterator[Table]:
    return (table for title in titles for table in finding.tables if table.title.startswith(title))


def _where(table: Table) -> str:
    return table.title.partition(": ")[2]


def _source(table: Table) -> str:
    """The table by its title; markets and spans, which are said beside it, begin with a count of assets."""
    ahead, _, where = table.title.partition(": ")
    return f"docs/papers.md, {ahead if where[:1].isdigit() else table.title}"


def _number(cell: Cell) -> float | None:
    """A figure to the digits that the tables show."""
    return float(cell_text(float(cell))) if isinstance(cell, (int, float)) else None
