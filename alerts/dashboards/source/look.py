"""Draws what every panel would show as one picture per dashboard, since a look needs no Grafana.

``python alerts/dashboards/source/look.py PROMETHEUS_URL FOLDER [MINUTES [name=value ...]]``; needs matplotlib.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from resolve import Json, Prometheus, chosen, dashboards, filled

STEPS = 300
COLOURS = {"text": "#20242b", "light-blue": "#8ab8ff", "yellow": "#e0b400", "orange": "#e8811a", "red": "#d0342c"}
COLOURS |= {"green": "#3f9c53", "blue": "#2f6fd0", "purple": "#8a50c8"}
CYCLE = plt.rcParams["axes.prop_cycle"].by_key()["color"]


def colour(name: str) -> str:
    return COLOURS.get(name, name)


def legend(target: Json, labels: dict[str, str]) -> str:
    """The series' name as Grafana makes it of the legend's format."""
    form = str(target.get("legendFormat", "__auto"))
    if form == "__auto":
        return ", ".join(f"{k}={v}" for k, v in labels.items() if k not in ("__name__", "job", "instance")) or panel_name(labels)
    for key, value in labels.items():
        form = form.replace("{{" + key + "}}", value)
    return form


def panel_name(labels: dict[str, str]) -> str:
    return labels.get("__name__", "value")


def shown(value: float, unit: str, decimals: int | None = None) -> str:
    """A number in its unit, as a person reads it."""
    if unit == "percentunit":
        return f"{value:.{1 if decimals is None else decimals}%}"
    if unit == "dateTimeAsIso":
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d")
    if unit in ("s", "dtdurations"):
        size, name = next(
            (s, n) for s, n in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms")) if abs(value) >= s or s == 1e-3
        )
        return f"{value / size:.3g} {name}"
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    return (
        f"{value:,.{decimals}f}"
        if decimals is not None and abs(value) < 1000
        else f"{value:,.4g}"
        if value < 1e4
        else f"{value:,.0f}"
    )


def step_colour(panel: Json, value: float) -> str:
    """The colour of the highest threshold that ``value`` has reached."""
    steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
    reached = [s["color"] for s in steps if s["value"] is None or value >= s["value"]]
    return colour(reached[-1]) if reached else "#20242b"


def word(panel: Json, value: float) -> tuple[str, str] | None:
    """Text and colour that the panel's mappings give ``value``."""
    for mapping in panel["fieldConfig"]["defaults"].get("mappings", []):
        if found := mapping["options"].get(f"{value:g}"):
            return found["text"], colour(found["color"])
    return None


class Look:
    """One dashboard's picture, from a Prometheus over the last ``minutes``."""

    def __init__(self, dashboard: Json, prometheus: Prometheus, minutes: float, given: dict[str, str]) -> None:
        self._board, self._prometheus = dashboard, prometheus
        self._end = float(prometheus.get("query", query="time()")["result"][1])
        self._start, self._step = self._end - 60 * minutes, max(1.0, 60 * minutes / STEPS)
        known = chosen(dashboard, prometheus) | given
        self._values = known | {"__rate_interval": "1m", "__range": f"{int(60 * minutes)}s"}

    def draw(self) -> Any:
        panels = self._board["panels"]
        height = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in panels)
        figure = plt.figure(figsize=(24, 0.55 * height), facecolor="white")
        named = {k: v for k, v in self._values.items() if not k.startswith("__")}
        figure.suptitle(f"{self._board['title']}   {named}", fontsize=15, y=0.995)
        for panel in panels:
            at = panel["gridPos"]
            left, bottom = 0.012 + 0.98 * at["x"] / 24, 0.97 - 0.965 * (at["y"] + at["h"]) / height
            wide, high = 0.98 * at["w"] / 24, 0.965 * at["h"] / height
            axes = figure.add_axes((left + 0.022, bottom + 0.16 * high, wide - 0.034, 0.68 * high))
            axes.set_title(filled(panel["title"], self._values), fontsize=11, loc="left")
            getattr(self, f"_{panel['type']}", self._timeseries)(panel, axes)
        return figure

    def _series(self, panel: Json) -> list[tuple[Json, Json]]:
        found = []
        for target in panel["targets"]:
            expr = filled(target["expr"], self._values)
            now = bool(target.get("instant"))
            over = self._prometheus.now(expr) if now else self._prometheus.over(expr, self._start, self._end, self._step)
            found += [(target, s) for s in over]
        return found

    def _stat(self, panel: Json, axes: Axes) -> None:
        axes.set_axis_off()
        defaults = panel["fieldConfig"]["defaults"]
        series = self._series(panel)
        if not series:
            axes.text(0.5, 0.5, defaults.get("noValue", "No data"), ha="center", va="center", fontsize=17, color="#888")
            return
        target, last = series[-1]
        value = float(last["values"][-1][1])
        text, ink = word(panel, value) or (
            shown(value, defaults.get("unit", ""), defaults.get("decimals")),
            step_colour(panel, value),
        )
        if panel["options"].get("textMode") == "name":
            text = legend(target, last["metric"])
        axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=19, color=ink, weight="bold")

    def _bargauge(self, panel: Json, axes: Axes) -> None:
        rows = [(legend(t, s["metric"]), float(s["values"][-1][1])) for t, s in self._series(panel)]
        if not rows:
            return self._nothing(axes)
        rows = rows[:25]
        decimals = panel["fieldConfig"]["defaults"].get("decimals")
        axes.barh([n for n, _ in rows], [v for _, v in rows], color=[step_colour(panel, v) for _, v in rows])
        axes.invert_yaxis()
        unit = panel["fieldConfig"]["defaults"].get("unit", "")
        for i, (_, value) in enumerate(rows):
            axes.text(value, i, " " + shown(value, unit, decimals), va="center", fontsize=8)
        axes.tick_params(labelsize=8)
        return None

    def _table(self, panel: Json, axes: Axes) -> None:
        axes.set_axis_off()
        organise = panel["transformations"][-1]["options"]
        rows: dict[tuple[str, ...], dict[str, str]] = {}
        units = {o["matcher"]["options"]: o["properties"][0]["value"] for o in panel["fieldConfig"].get("overrides", [])}
        columns = sorted(organise["indexByName"], key=organise["indexByName"].get)
        labels = [c for c in columns if not c.startswith("Value")]
        for target, series in self._series(panel):
            key = tuple(series["metric"].get(label, "") for label in labels)
            column = f"Value #{target['refId']}"
            unit = units.get(organise["renameByName"].get(column, column), "")
            rows.setdefault(key, {})[column] = shown(float(series["values"][-1][1]), unit)
        head = [organise["renameByName"].get(c, c) for c in columns]
        cells = [[*key, *(row.get(c, "") for c in columns if c.startswith("Value"))] for key, row in rows.items()]
        if not cells:
            return self._nothing(axes)
        made = axes.table(cells[:22], colLabels=head, loc="upper center", cellLoc="left", edges="horizontal")
        made.auto_set_font_size(False)
        made.set_fontsize(9)
        return None

    def _timeline(self, panel: Json, axes: Axes) -> None:
        names = []
        for row, (target, series) in enumerate(self._series(panel)):
            names.append(legend(target, series["metric"]))
            points = [(float(t), float(v)) for t, v in series["values"]]
            begun = 0
            for i in range(1, len(points) + 1):
                if i == len(points) or points[i][1] != points[begun][1]:
                    text, ink = word(panel, points[begun][1]) or ("?", "#fff")
                    width = points[min(i, len(points) - 1)][0] - points[begun][0]
                    axes.barh(row, width / 60, left=(points[begun][0] - self._end) / 60, color=ink, height=0.8)
                    if width > (self._end - self._start) / 15:
                        middle = (points[begun][0] + width / 2 - self._end) / 60
                        axes.text(middle, row, text, ha="center", va="center", color="white", fontsize=8)
                    begun = i
        if not names:
            return self._nothing(axes)
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.invert_yaxis()
        axes.tick_params(axis="x", labelsize=7)
        return None

    def _timeseries(self, panel: Json, axes: Axes) -> None:
        if panel["type"] == "state-timeline":
            return self._timeline(panel, axes)
        series = self._series(panel)
        if not series:
            return self._nothing(axes)
        defaults = panel["fieldConfig"]["defaults"]
        overrides = {
            o["matcher"]["options"]: {p["id"]: p["value"] for p in o["properties"]} for o in panel["fieldConfig"]["overrides"]
        }
        lines = {}
        for i, (target, found) in enumerate(series):
            name = legend(target, found["metric"])
            own = overrides.get(name, {})
            ink = colour(own["color"]["fixedColor"]) if "color" in own else CYCLE[i % len(CYCLE)]
            x = [(float(t) - self._end) / 60 for t, _ in found["values"]]
            y = [float(v) for _, v in found["values"]]
            lines[name] = (x, y)
            last = shown(y[-1], defaults.get("unit", ""), defaults.get("decimals"))
            if own.get("custom.drawStyle") == "points":
                axes.plot(x, y, ".", color=ink, label=f"{name}  {last}", markersize=4)
            else:
                dash = "--" if "custom.lineStyle" in own else "-"
                axes.step(x, y, dash, where="post", color=ink, label=f"{name}  {last}", lw=own.get("custom.lineWidth", 1.6))
            if (low := own.get("custom.fillBelowTo")) in lines:
                lx, ly = lines[low]
                n = min(len(ly), len(y))
                axes.fill_between(x[-n:], ly[-n:], y[-n:], step="post", color=ink, alpha=0.25)
        if "thresholdsStyle" in defaults.get("custom", {}):
            for step in defaults["thresholds"]["steps"]:
                if step["value"] is not None:
                    axes.axhline(step["value"], color=colour(step["color"]), ls=":", lw=1)
        if defaults.get("custom", {}).get("scaleDistribution", {}).get("type") == "log":
            axes.set_yscale("log", base=2)
        axes.yaxis.set_major_formatter(lambda v, _: shown(v, defaults.get("unit", "")))
        axes.set_ylim(bottom=defaults.get("min"), top=defaults.get("max"))
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, loc="upper left", ncols=2)
        return None

    def _nothing(self, axes: Axes) -> None:
        axes.text(0.5, 0.5, "No data", ha="center", va="center", transform=axes.transAxes, fontsize=15, color="#b00")


def main(url: str, folder: Path, minutes: float, given: dict[str, str]) -> None:
    for name, dashboard in dashboards(Path(__file__).resolve().parents[1]).items():
        figure = Look(dashboard, Prometheus(url), minutes, given).draw()
        figure.savefig(folder / f"{name}.png", dpi=60)
        plt.close(figure)


if __name__ == "__main__":
    pairs = dict(pair.split("=", 1) for pair in sys.argv[4:])
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]) if sys.argv[3:] else 60.0, pairs)
