"""The report's answer in three sentences: who is ahead, is it significant, is it calibrated."""

from typing import Any

Row = dict[str, Any]
SIGNIFICANT = 1.96  # |t|: five percent, two-sided


def answer(found: Row) -> list[str]:
    """Three sentences on a summary: by FZ0 at 95 %, or at the lowest level that was scored."""
    return [ahead(found), significance(found), calibration(found)]


def headline(found: Row) -> Row:
    """The panel to speak of first: the equal-weight portfolio, else the given ones, else any; the shortest horizon."""
    order = {"equal": 0, "given": 1}
    panel: Row = min(found["panels"], key=lambda p: (p["horizon"], order.get(p["group"], 2)))
    return panel


def duels(found: Row) -> list[Row]:
    """Champion against baseline by FZ0 at the first scored level, one row a panel, with the panel's name."""
    rows = []
    for panel in found["panels"]:
        level = panel["scored"][0]
        wanted = ("fz0", level, found["champion"], found["baseline"])
        for row in panel["comparisons"]:
            if (row["score"], row["level"], row["model"], row["other"]) == wanted:
                rows.append({**row, "panel": panel["name"]})
    return rows


def ahead(found: Row) -> str:
    """Who has the lower mean FZ0, in how many panels, and by how much."""
    champion, baseline, rows = found["champion"], found["baseline"], duels(found)
    if not rows:
        return f"{champion} is compared with no baseline: it is the baseline itself."
    judged = [r for r in rows if r["mean"] is not None]
    if not judged:
        return f"Nobody can be called ahead: {rows[0]['note']}."
    by = f"By FZ0 at {_level(judged[0])}, lower is better, {champion} is"
    if len(judged) == 1:
        gap, where = judged[0]["mean"], judged[0]["panel"]
        side = "ahead of" if gap < 0 else "behind" if gap > 0 else "level with"
        text = f"{by} {side} {baseline} by {abs(gap):.4f} a session ({where})"
    else:
        best, worst = (pick(judged, key=lambda r: r["mean"]) for pick in (min, max))
        lower = sum(r["mean"] < 0 for r in judged)
        text = (
            f"{by} ahead of {baseline} in {lower} of {len(judged)} groups: differences a session run "
            f"from {_signed(best['mean'])} ({best['panel']}) to {_signed(worst['mean'])} ({worst['panel']})"
        )
    left = len(rows) - len(judged)
    return f"{text}; {left} could not be judged." if left else f"{text}."


def significance(found: Row) -> str:
    """In how many panels the lead, or the lag, is more than chance; the champion's standing against everybody else."""
    judged = [r for r in duels(found) if r["t"] is not None]
    if not judged:
        return "No difference could be tested."
    better = sum(r["t"] < -SIGNIFICANT for r in judged)
    worse = sum(r["t"] > SIGNIFICANT for r in judged)
    span = f"Diebold-Mariano t {_signed(min(r['t'] for r in judged), 2)}"
    if len(judged) > 1:
        span += f" to {_signed(max(r['t'] for r in judged), 2)}"
        text = f"The lead is significant at 5 % in {better} of {len(judged)} groups and the lag in {worse} ({span})"
    else:
        verdict = "a significant lead" if better else "a significant lag" if worse else "not significant"
        text = f"At 5 % this is {verdict} ({span}, p {_p(judged[0]['p'])}, {judged[0]['sessions']} sessions)"
    return f"{text}{_others(found)}."


def calibration(found: Row) -> str:
    """Whether the champion's exceedances and tests in the headline panel are those of a calibrated forecast."""
    panel = headline(found)
    champion = found["champion"]
    cover = [c for c in panel["coverage"] if c["model"] == champion and c["share"] is not None]
    if not cover:
        return f"Whether {champion} is calibrated cannot be said: it has too few forecasts in {panel['name']}."
    at = next((c for c in cover if c["level"] == panel["scored"][0]), cover[0])
    inside = sum(c["inside"] == c["portfolios"] for c in cover)
    passed, judged = passes(panel, champion)
    apart = f" (the {at['sessions']} whose losses do not overlap)" if panel["horizon"] > 1 else ""
    return (
        f"In {panel['name']}{apart}, {at['share']:.2%} of losses lay above the {_level(at)} VaR "
        f"({at['low']:.2%} to {at['high']:.2%} is what a perfect forecast shows), "
        f"the exact band holds at {inside} of {len(cover)} levels, and {passed} of {judged} calibration tests keep p above .05."
    )


def passes(panel: Row, model: str) -> tuple[int, int]:
    """Calibration tests of a model with p > .05, and those that could be computed; of groups, portfolio by portfolio."""
    rows = [r for r in panel["tests"] if r["model"] == model]
    return sum(r["passed"] for r in rows), sum(r["judged"] for r in rows)


def _others(found: Row) -> str:
    panel = headline(found)
    level = panel["scored"][0]
    rows = [r for r in panel["comparisons"] if (r["score"], r["level"], r["model"]) == ("fz0", level, found["champion"])]
    tested = [r for r in rows if r.get("p_holm") is not None]
    if len(tested) < 2:
        return ""
    beaten = sum(r["mean"] < 0 and r["p_holm"] < 0.05 for r in tested)
    beaten_by = sum(r["mean"] > 0 and r["p_holm"] < 0.05 for r in tested)
    return f"; in {panel['name']}, after Holm's correction, it beats {beaten} of {len(tested)} models and loses to {beaten_by}"


def _level(row: Row) -> str:
    return f"{100 * row['level']:g} %"


def _signed(value: float, digits: int = 4) -> str:
    return f"{value:+.{digits}f}".replace("-", "\u2212")


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"{value:.3f}"
