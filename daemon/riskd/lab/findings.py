"""The report's tables of calibration: tests, lights, CVaR accuracy, crises and joint scenarios, from the summary alone."""

from collections.abc import Iterator
from html import escape
from typing import Any

from riskd.lab.table import Cell, Line, figure, p_value, percent, table, words

Row = dict[str, Any]


def tests(panel: Row, champion: str) -> str:
    """Every test of every model; of groups the portfolios that pass; the champion's worst first."""
    parts = []
    for portfolio in dict.fromkeys(r["portfolio"] for r in panel["tests"]):
        rows = [r for r in panel["tests"] if r["portfolio"] == portfolio]
        models = list(dict.fromkeys(r["model"] for r in rows))
        by_test: dict[tuple[str, float | None], dict[str, Row]] = {}
        for row in rows:
            by_test.setdefault((row["test"], row["level"]), {})[row["model"]] = row
        ordered = sorted(by_test.items(), key=lambda item: _badness(item[1].get(champion)))
        lines = [Line(_named(*key), [_verdict(found.get(m)) for m in models]) for key, found in ordered]
        whose = f"p-values on {portfolio}" if portfolio else "portfolios with p above .05, of those that could be tested"
        caption = f"Calibration tests, {whose}: the worst of {champion} first; a right forecast is below .05 once in twenty"
        title = f"Calibration tests{f' on {portfolio}' if portfolio else ''}, p above .05: {_passes(rows, models)}"
        parts.append(f"<details><summary>{escape(title)}</summary>{table(caption, 'test', models, lines)}</details>")
    return "\n".join(parts)


def _passes(rows: list[Row], models: list[str]) -> str:
    """Such as ``a 40 of 47, b 12 of 47``, best first."""
    counts = {m: [(r["passed"], r["judged"]) for r in rows if r["model"] == m] for m in models}
    sums = {m: (sum(p for p, _ in c), sum(j for _, j in c)) for m, c in counts.items()}
    ordered = sorted(sums.items(), key=lambda item: -item[1][0] / max(item[1][1], 1))
    return ", ".join(f"{m} {passed} of {judged}" for m, (passed, judged) in ordered)


def _named(test: str, level: float | None) -> str:
    return test if level is None else f"{test}, {_level(level)}"


def _level(level: float) -> str:
    return f"{100 * level:g} %"


def _badness(row: Row | None) -> tuple[bool, float]:
    """Sorts worst first and what could not be computed last."""
    if row is None or not row["judged"]:
        return True, 0.0
    return False, row["passed"] / row["judged"] if row["portfolio"] is None else row["p"]


def _verdict(row: Row | None) -> Cell:
    if row is None:
        return figure(None, "", "not tested")
    if row["portfolio"] is not None:
        return p_value(row["p"], row["note"])
    if not row["judged"]:
        return figure(None, "", row["note"])
    return Cell(f"{row['passed']}/{row['judged']}", "", row["note"])


def lights(panel: Row, champion: str) -> str:
    """Basel's traffic light at 99 %, of each portfolio that is shown by itself."""
    if not panel["lights"]:
        return ""
    tones = {"green": "good", "red": "bad"}
    lines = [
        Line(
            f"{r['model']}, {r['portfolio']}",
            [
                Cell(r["zone"] or "\u2013", tones.get(r["zone"], ""), r["note"]),
                figure(r["exceedances"], "d", r["note"]),
                *(percent(r[zone], r["note"], digits=0) for zone in ("green", "yellow", "red")),
            ],
            r["model"] == champion,
        )
        for r in panel["lights"]
    ]
    columns = ["newest", "exceedances", "green", "yellow", "red"]
    return table("Basel's traffic light at 99 %: newest 250 sessions, and share of all windows", "model", columns, lines)


def accuracy(panel: Row, champion: str) -> str:
    """CVaR accuracy with its interval, and the KLD of the PIT beside what a perfect forecast shows."""
    shares = [
        Line(
            f"{r['model']}, {r['portfolio']}, {_level(r['level'])}",
            [percent(r["accuracy"], r["note"], digits=1), _between(r)],
            r["model"] == champion,
        )
        for r in panel["accuracy"]
    ]
    klds = [
        Line(
            f"{r['model']}, {r['portfolio']}",
            [
                figure(r["kld"], ".4f", r["note"], "bad" if r["ceiling"] is not None and r["kld"] > r["ceiling"] else ""),
                figure(r["floor"], ".4f", r["note"]),
                figure(r["ceiling"], ".4f", r["note"]),
            ],
            r["model"] == champion,
        )
        for r in panel["pit"]
    ]
    return table(
        "CVaR accuracy: 1 - |mean loss - mean CVaR| / mean loss on the sessions with a loss above VaR",
        "model",
        ["accuracy", "95 % interval"],
        shares,
    ) + table(
        "KLD of the PIT's histogram from uniform: a perfect one shows the floor on average, above the ceiling once in twenty",
        "model",
        ["KLD", "floor", "ceiling"],
        klds,
    )


def _between(row: Row) -> Cell:
    if row["low"] is None:
        return figure(None, "", row["note"])
    return Cell(f"{row['low']:.1%} to {row['high']:.1%}")


def crises(panel: Row, champion: str) -> str:
    """Exceedances and FZ0 inside each crisis, one table a crisis, and which ones the sessions do not reach."""
    inside = [_crisis(c, champion) for c in panel["crises"] if c["sessions"]]
    outside = [c["name"] for c in panel["crises"] if not c["sessions"]]
    rest = f'<p class="quiet">No session lies in {escape(", ".join(outside))}.</p>' if outside else ""
    return "\n".join([*inside, rest])


def _crisis(crisis: Row, champion: str) -> str:
    name = f"{crisis['name']}: {crisis['first']} to {crisis['last']}"
    by_model: dict[str, list[Row]] = {}
    for row in crisis["models"]:
        by_model.setdefault(row["model"], []).append(row)
    heads = [f"{what} {_level(r['level'])}" for r in next(iter(by_model.values())) for what in ("above VaR", "FZ0")]
    lines = [Line(m, list(_inside(rows)), m == champion) for m, rows in sorted(by_model.items(), key=lambda x: _fz0(x[1][0]))]
    return table(f"{name}, {crisis['sessions']} sessions", "model", heads, lines)


def _fz0(row: Row) -> tuple[bool, float]:
    return row["fz0"] is None, row["fz0"] or 0.0


def _inside(rows: list[Row]) -> Iterator[Cell]:
    for row in rows:
        yield percent(row["share"], row["note"])
        yield figure(row["fz0"], ".4f", row["note"])


def energy(found: Row) -> str:
    """Energy scores of the joint scenario sets, where there are any."""
    if not found["energy"]:
        return ""
    lines = [
        Line(
            r["model"],
            [
                figure(r["mean"], ".6f", r["note"]),
                figure(r["sessions"], "d"),
                *_rival(r["against"]),
            ],
            r["model"] == found["champion"],
        )
        for r in sorted(found["energy"], key=lambda r: (r["mean"] is None, r["mean"] or 0.0))
    ]
    columns = ["energy score", "sessions", "against", "t", "p"]
    caption = "Energy score of the joint scenario sets, best (lowest) first"
    return "<h3>Joint scenarios</h3>" + table(caption, "set", columns, lines)


def _rival(row: Row | None) -> list[Cell]:
    if row is None:
        itself = figure(None, "", "the others are compared with it")
        return [itself, itself, itself]
    return [words(row["other"]), figure(row["t"], "+.2f", row["note"]), p_value(row["p"], row["note"])]
