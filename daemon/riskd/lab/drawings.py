"""The report's plots with their captions: every drawing also says in words what it shows."""

from collections.abc import Iterator
from datetime import date
from html import escape
from typing import Any

import numpy as np

from riskd.core.arrays import Floats
from riskd.lab import plots
from riskd.lab.panel import Panel, Undefined, session_means, tables
from riskd.lab.tested import IN_FULL
from riskd.lab.track import Laboratory, Track

Row = dict[str, Any]


def drawings(lab: Laboratory, panel: Panel, found: Row, place: int) -> Iterator[str]:
    """The plots of one panel, of which ``found`` is the summary; ``place`` makes their ids the page's own."""
    key = f"p{place}"
    yield from _differences(lab, panel, found, f"{key}-difference")
    yield from _coverage(lab, panel, found, f"{key}-coverage")
    for i, track in enumerate(panel.tracks if panel.group in IN_FULL else ()):
        yield from _exceedances(lab, panel, track, f"{key}-{i}-losses")
    for i, row in enumerate(r for r in found["pit"] if r["counts"] and r["model"] in (lab.champion, lab.baseline)):
        yield from _histogram(row, f"{key}-{i}-pit")


def _figure(label: str, svg: str, caption: str) -> str:
    return (
        f'<figure><div role="img" aria-label="{escape(f"{label}. {caption}")}">{svg}</div>'
        f"<figcaption><b>{escape(label)}.</b> {escape(caption)}</figcaption></figure>"
    )


def _differences(lab: Laboratory, panel: Panel, found: Row, key: str) -> Iterator[str]:
    level = panel.scored[0]
    scores = tables(panel, "fz0", level)
    base = scores[lab.baseline]
    if isinstance(base, Undefined):
        return
    lines = {m: session_means(s - base) for m, s in scores.items() if m != lab.baseline and not isinstance(s, Undefined)}
    if not lines:
        return
    sessions = panel.sessions
    crises = {c["name"]: _window(c, sessions) for c in found["crises"] if c["sessions"]}
    svg = plots.differences(sessions, {m: _cumulative(d) for m, d in lines.items()}, crises, [lab.champion], key)
    ends = ", ".join(f"{m} {np.nansum(d):+.1f}" for m, d in sorted(lines.items(), key=lambda x: float(np.nansum(x[1]))))
    shaded = f" Shaded: {', '.join(crises)}." if crises else ""
    caption = (
        f"Sum since the first session of the FZ0 at {100 * level:g} % less that of {lab.baseline}; falling is better. "
        f"At the end: {ends}.{shaded}"
    )
    yield _figure("Cumulative FZ0 difference", svg, caption)


def _window(crisis: Row, sessions: list[date]) -> tuple[date, date]:
    return max(date.fromisoformat(crisis["first"]), sessions[0]), min(date.fromisoformat(crisis["last"]), sessions[-1])


def _cumulative(difference: Floats) -> Floats:
    """Running sums that stay level, as a gap, where nothing was compared."""
    total: Floats = np.where(np.isnan(difference), np.nan, np.nancumsum(difference))
    return total


def _coverage(lab: Laboratory, panel: Panel, found: Row, key: str) -> Iterator[str]:
    by_model: dict[str, list[Row]] = {}
    for row in found["coverage"]:
        if row["share"] is not None:
            by_model.setdefault(row["model"], []).append(row)
    if lab.champion not in by_model:
        return
    low, high = (np.array([r[side] for r in by_model[lab.champion]]) for side in ("low", "high"))
    shares = {m: np.array([r["share"] for r in rows]) for m, rows in by_model.items()}
    svg = plots.coverage(panel.levels, low, high, shares, [lab.champion, lab.baseline], key)
    count = by_model[lab.champion][0]["sessions"]
    several = "" if len(panel.tracks) == 1 else f" Means of {len(panel.tracks)} portfolios; the band is that of one of them."
    caption = (
        "Losses above VaR as a multiple of those expected, at each confidence level; "
        f"the band holds 95 % of perfect forecasts ({count} sessions).{several}"
    )
    yield _figure("Coverage", svg, caption)


def _exceedances(lab: Laboratory, panel: Panel, track: Track, key: str) -> Iterator[str]:
    usable = track.usable(lab.champion)
    if not usable.any():
        return
    level = panel.scored[0]
    forecast, k = track.forecasts[lab.champion], panel.levels.index(level)
    var, cvar = forecast.var[usable, k], forecast.cvar[usable, k]
    losses = track.losses[usable]
    days = [s for s, u in zip(track.sessions, usable, strict=True) if u]
    above = losses > var
    worst = int(losses.argmax())
    svg = plots.exceedances(days, losses, var, cvar, f"{100 * level:g} %", key)
    caption = (
        f"{lab.champion} at {100 * level:g} %: {above.sum()} of {len(losses)} losses above VaR ({above.mean():.2%}); "
        f"the largest, {losses[worst]:.2%}, on {days[worst]} against a VaR of {var[worst]:.2%} and a CVaR of {cvar[worst]:.2%}."
    )
    yield _figure(f"Losses of {track.portfolio}", svg, caption)


def _histogram(row: Row, key: str) -> Iterator[str]:
    counts = np.array(row["counts"], dtype=np.float64)
    outside = int(((counts < row["low"]) | (counts > row["high"])).sum())
    caption = (
        f"{row['model']} on {row['portfolio']}: {outside} of {len(counts)} bins lie outside the 95 % band of one bin, "
        f"{row['low']:.0f} to {row['high']:.0f} sessions; about {len(counts) * 0.05:.0f} would by chance."
    )
    yield _figure("PIT", plots.histogram(counts, row["low"], row["high"], key), caption)
