"""The report's tables, made from the summary alone."""

from html import escape
from typing import Any

from riskd.lab.answer import duels
from riskd.lab.table import Cell, Line, figure, p_value, percent, table, words

Row = dict[str, Any]


def leads(found: Row) -> str:
    """Champion against baseline in every panel and at every scored level, worst first."""
    columns = ["FZ0 difference", "t", "p", "sessions", "lags", "left out"]
    rows = sorted(duels(found), key=lambda r: (r["t"] is None, -(r["t"] or 0.0)))
    caption = f"{found['champion']} against {found['baseline']}: mean FZ0 difference a session, below 0 is ahead; worst first"
    return table(caption, "group", columns, [Line(r["panel"], _duel(r)) for r in rows])


def _duel(row: Row) -> list[Cell]:
    note = row["note"]
    return [
        figure(row["mean"], "+.4f", note),
        _heat(row),
        p_value(row["p"], note, small="good" if (row["t"] or 0.0) < 0 else "bad"),
        figure(row["sessions"], "d"),
        figure(row["lags"], "d", note),
        figure(row["dropped"], "d"),
    ]


def heat(found: Row, score: str) -> str:
    """t of every model against the baseline, and of the champion against every model, a column a panel and level."""
    columns = [(p, level) for p in found["panels"] for level in p["scored"]]
    heads = [f"{p['name']}, {100 * level:g} %" for p, level in columns]
    champion, baseline = found["champion"], found["baseline"]
    with_baseline = [(m, m, baseline) for m in found["models"] if m != baseline]
    with_champion = [(m, champion, m) for m in found["models"] if m != champion]
    below = "below 0 is better for"
    return table(
        f"Diebold-Mariano t by {score.upper()}, every model against {baseline}; {below} the model in the row",
        "model",
        heads,
        [Line(h, [_cell(p, score, x, m, o) for p, x in columns], m == champion) for h, m, o in with_baseline],
    ) + table(
        f"Diebold-Mariano t by {score.upper()}, {champion} against every model; {below} {champion}",
        "against",
        heads,
        [Line(h, [_cell(p, score, x, m, o) for p, x in columns]) for h, m, o in with_champion],
    )


def _cell(panel: Row, score: str, level: float, model: str, other: str) -> Cell:
    wanted = (score, level, model, other)
    for row in panel["comparisons"]:
        if (row["score"], row["level"], row["model"], row["other"]) == wanted:
            return _heat(row)
    return figure(None, "", f"not forecast in {panel['name']}")


def _heat(row: Row) -> Cell:
    t = row["t"]
    tone = "" if t is None or abs(t) < 1.96 else "good" if t < 0 else "bad"
    return figure(t, "+.2f", row["note"], tone)


def scores(panel: Row, champion: str) -> str:
    """Mean scores of every model, best FZ0 first."""
    keys = list(dict.fromkeys((r["score"], r["level"]) for r in panel["scores"]))
    heads = [f"{_score(s)}{'' if x is None else f' {100 * x:g} %'}" for s, x in keys]
    by_model: dict[str, list[Row]] = {}
    for row in panel["scores"]:
        by_model.setdefault(row["model"], []).append(row)
    ordered = sorted(by_model, key=lambda m: (by_model[m][0]["mean"] is None, by_model[m][0]["mean"] or 0.0))
    lines = [
        Line(
            m,
            [*(_mean(r) for r in by_model[m]), figure(by_model[m][0]["sessions"], "d")],
            m == champion,
        )
        for m in ordered
    ]
    caption = "Mean scores on each model's own sessions, best (lowest) first; FZ0 has no unit, others are thousandths of value"
    return table(caption, "model", [*heads, "sessions"], lines)


def _score(name: str) -> str:
    return {"fz0": "FZ0", "crps": "CRPS"}.get(name, name)


def _mean(row: Row) -> Cell:
    if row["score"] == "fz0" or row["mean"] is None:
        return figure(row["mean"], ".4f", row["note"])
    return figure(1000 * row["mean"], ".4f")


def coverage(panel: Row, champion: str) -> str:
    """Exceedance shares at every level, those outside the exact band marked."""
    levels = list(dict.fromkeys(r["level"] for r in panel["coverage"]))
    lines = []
    for model in dict.fromkeys(r["model"] for r in panel["coverage"]):
        rows = {r["level"]: r for r in panel["coverage"] if r["model"] == model}
        lines.append(Line(model, [_share(rows[x]) for x in levels], model == champion))
    several = len(panel["portfolios"]) > 1
    caption = "Share of losses above VaR" + (
        ", mean of the portfolios, and how many of them lie in the exact 95 % band of a perfect forecast"
        if several
        else "; marked where it lies outside the exact 95 % band of a perfect forecast"
    )
    return table(caption, "model", [f"{100 * x:g} %" for x in levels], lines)


def _share(row: Row) -> Cell:
    if row["share"] is None:
        return figure(None, "", row["note"])
    if row["portfolios"] > 1:
        return Cell(f"{row['share']:.2%} ({row['inside']}/{row['portfolios']})", "")
    return percent(row["share"], "", "" if row["inside"] else "bad")


def overlap(panel: Row) -> str:
    """How losses over several sessions were judged although they overlap; nothing of one session."""
    if panel["horizon"] == 1:
        return ""
    counts = [r["sessions"] for r in panel["coverage"] if r["share"] is not None]
    lags = [r["lags"] for r in panel["comparisons"] if r["lags"] is not None]
    apart = f"{min(counts)} of {panel['sessions']} sessions, whose losses do not" if counts else "no session"
    rest = f" Comparisons use all of them, with {min(lags)} Newey-West lags or more." if lags else ""
    words = f"Losses over {panel['horizon']} sessions overlap. Coverage and tests rest on {apart}.{rest}"
    return f'<p class="quiet">{escape(words)}</p>'


def missing(panel: Row) -> str:
    """Sessions of each portfolio, and how many of them each model did not forecast."""
    models = sorted({m for p in panel["portfolios"] for m in p["missing"]})
    lines = [
        Line(
            p["portfolio"],
            [
                words(f"{p['first']} to {p['last']}"),
                figure(p["sessions"], "d"),
                figure(p["missing_losses"], "d"),
                *(figure(p["missing"].get(m), "d", f"{m} does not forecast {p['portfolio']}") for m in models),
            ],
        )
        for p in panel["portfolios"]
    ]
    caption = "Sessions, those without a realised loss, and those that each model left without a forecast"
    return table(caption, "portfolio", ["from, to", "sessions", "no loss", *models], lines)


def provenance(values: dict[str, str]) -> str:
    """Where everything came from, as a list of terms."""
    return "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in values.items()) + "</dl>"
