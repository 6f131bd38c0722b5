"""The vocabulary of the dashboards: a few kinds of panel, the colours of states, and where a panel stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    GridPos,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
GREEN, AMBER, RED, BLUE, VIOLET, GREY, BLACK = "green", "orange", "red", "blue", "purple", "#808a96", "#20242b"
STATUS = (
    ("OK", GREEN),
    ("WARN", AMBER),
    ("FROZEN", BLUE),
    ("DEGRADED", VIOLET),
    ("STALE", GREY),
    ("UNKNOWN", BLACK),
    ("BREACH", RED),
)
LIMIT = (("clear", GREEN), ("possible", AMBER), ("clearing", BLUE), ("FIRING", RED), ("CANNOT JUDGE", BLACK))
ZONE = (("green", GREEN), ("yellow", AMBER), ("red", RED))
NAME, BOTH = kinds.BigValueTextMode.NAME, kinds.BigValueTextMode.VALUE_AND_NAME
YES = (("no", RED), ("yes", GREEN))
FIGURES = 2  # decimals of a share
SHARE, SECONDS, BYTES, COUNT, WHEN, NUMBER = "percentunit", "s", "bytes", "short", "dateTimeFromNow", "none"
P = TypeVar("P", stat.Panel, timeseries.Panel, statetimeline.Panel, bargauge.Panel, table.Panel)
Steps = Sequence[tuple[float | None, str]]
Mapping = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Query:
    """PromQL and what its series are called."""

    expr: str
    legend: str = "__auto"


def mapping(words: Mapping) -> list[ValueMapping]:
    """0, 1, 2 ... as coloured words."""
    named = {str(i): ValueMappingResult(text=word, color=colour, index=i) for i, (word, colour) in enumerate(words)}
    return [ValueMap(options=named)]


def thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    """Colours from each value on; the first one's value is None, below everything."""
    found = [Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(found)


def _targets(panel: P, queries: Sequence[Query], instant: bool, as_table: bool = False) -> P:
    for name, query in zip("ABCDEFGH", queries, strict=False):
        target = Dataquery().ref_id(name).datasource(SOURCE).expr(query.expr).legend_format(query.legend)
        target = target.instant() if instant else target.range()
        panel.with_target(target.format(PromQueryFormat.TABLE) if as_table else target)
    return panel.datasource(SOURCE)


def number(
    title: str,
    query: Query,
    unit: str = COUNT,
    steps: Steps = ((None, "text"),),
    words: Mapping = (),
    decimals: int | None = None,
    text: str = "",
    mode: kinds.BigValueTextMode = kinds.BigValueTextMode.AUTO,
    none: str = "no data",
) -> stat.Panel:
    """One large number or word, or the series' name, or both."""
    panel = stat.Panel().title(title).description(text).unit(unit).thresholds(thresholds(steps)).no_value(none)
    panel = panel.graph_mode(kinds.BigValueGraphMode.NONE).color_mode(kinds.BigValueColorMode.BACKGROUND_SOLID)
    if steps == ((None, "text"),) and not words:
        panel = panel.color_mode(kinds.BigValueColorMode.NONE)
    panel = panel.text_mode(mode)
    if words:
        panel = panel.mappings(mapping(words))
    if decimals is not None:
        panel = panel.decimals(decimals)
    return _targets(panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])), (query,), instant=True)


def lines(
    title: str,
    queries: Sequence[Query],
    unit: str = COUNT,
    steps: Steps = (),
    text: str = "",
    logarithmic: bool = False,
    least: float | None = None,
) -> timeseries.Panel:
    """Series over time; a gap in them stays a gap."""
    panel = timeseries.Panel().title(title).description(text).unit(unit).line_width(2).fill_opacity(0).span_nulls(False)
    panel = panel.show_points(kinds.VisibilityMode.NEVER).line_interpolation(kinds.LineInterpolation.STEP_AFTER)
    legend = common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.TABLE).placement(kinds.LegendPlacement.BOTTOM)
    panel = panel.legend(legend.show_legend(True).calcs(["lastNotNull", "max"]))
    panel = panel.tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING))
    if steps:
        style = common.GraphThresholdsStyleConfig().mode(kinds.GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds(thresholds(steps)).thresholds_style(style)
    if logarithmic:
        panel = panel.scale_distribution(common.ScaleDistributionConfig().type(kinds.ScaleDistribution.LOG).log(2))
    if least is not None:
        panel = panel.min(least)
    if unit == SHARE:
        panel = panel.decimals(FIGURES)
    return _targets(panel, queries, instant=False)


def band(panel: timeseries.Panel, low: str, high: str) -> timeseries.Panel:
    """Fill between two series of the panel and hide them from the legend's colours."""
    quiet = DynamicConfigValue("custom.lineWidth", 0)
    grey = DynamicConfigValue("color", {"mode": "fixed", "fixedColor": GREY})
    panel.override_by_name(low, [quiet, grey])
    fill = [DynamicConfigValue("custom.fillBelowTo", low), DynamicConfigValue("custom.fillOpacity", 25)]
    return panel.override_by_name(high, [quiet, grey, *fill])


def painted(panel: timeseries.Panel, name: str, colour: str, dots: bool = False, dashed: bool = False) -> timeseries.Panel:
    """A fixed colour for one series; as dots, or as a dashed line."""
    values = [DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})]
    if dots:
        values += [DynamicConfigValue("custom.drawStyle", "points"), DynamicConfigValue("custom.pointSize", 5)]
    if dashed:
        values.append(DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [10, 8]}))
    return panel.override_by_name(name, values)


def states(title: str, query: Query, words: Mapping, text: str = "") -> statetimeline.Panel:
    """One coloured bar a series, with its word."""
    panel = statetimeline.Panel().title(title).description(text).mappings(mapping(words)).fill_opacity(85).row_height(0.8)
    panel = panel.show_value(kinds.VisibilityMode.AUTO).merge_values(True)
    panel = panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
    panel = panel.legend(common.VizLegendOptions().show_legend(False).display_mode(kinds.LegendDisplayMode.LIST))
    return _targets(panel, (query,), instant=False)


def bars(
    title: str, query: Query, unit: str, steps: Steps, text: str = "", least: float | None = 0, most: float | None = None
) -> bargauge.Panel:
    """One horizontal bar a series, as of now."""
    panel = bargauge.Panel().title(title).description(text).unit(unit).thresholds(thresholds(steps))
    if least is not None:
        panel = panel.min(least)
    panel = panel.orientation(kinds.VizOrientation.HORIZONTAL).display_mode(kinds.BarGaugeDisplayMode.BASIC)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])).show_unfilled(True)
    if most is not None:
        panel = panel.max(most)
    if unit == SHARE:
        panel = panel.decimals(FIGURES)
    return _targets(panel, (query,), instant=True)


def rows(
    title: str, queries: Sequence[Query], columns: Sequence[str], names: dict[str, str], units: dict[str, str], text: str = ""
) -> table.Panel:
    """A table as of now: one row per set of labels, one column per query; ``names`` by label or ``Value #A``."""
    order = {column: i for i, column in enumerate(columns)}
    options = {"includeByName": dict.fromkeys(columns, True), "indexByName": order, "renameByName": names}
    panel = table.Panel().title(title).description(text)
    panel = panel.transformations(
        [DataTransformerConfig(id_val="merge", options={}), DataTransformerConfig(id_val="organize", options=options)]
    )
    for column, unit in units.items():
        panel = panel.override_by_name(column, [DynamicConfigValue("unit", unit)])
    return _targets(panel, queries, instant=True, as_table=True)


def chosen(name: str, query: str, label: str, several: bool = False, numeric: bool = False) -> dashboard.QueryVariable:
    """A variable whose values Prometheus knows; ``several`` may be chosen at once, all of them at first."""
    found = dashboard.QueryVariable(name).label(label).datasource(SOURCE).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    found = found.query({"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"}).definition(query)
    found = found.sort(VariableSort.NUMERICAL_ASC if numeric else VariableSort.ALPHABETICAL_ASC).multi(several)
    everything = VariableOption(selected=True, text=["All"], value=["$__all"])
    return found.include_all(True).current(everything) if several else found


def board(uid: str, title: str, text: str, since: str, variables: Sequence[Any] = ()) -> dashboard.Dashboard:
    """An empty dashboard with its data source to choose and links to the others."""
    made = dashboard.Dashboard(title).uid(uid).description(text).tags(["riskd"]).time(since, "now").refresh("1m")
    made = made.readonly().timezone("utc").tooltip(DashboardCursorSync.CROSSHAIR)
    made = made.with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    for variable in variables:
        made = made.with_variable(variable)
    links = dashboard.DashboardLink("riskd").type(DashboardLinkType.DASHBOARDS).tags(["riskd"]).include_vars(True)
    return made.link(links.keep_time(True))


def laid(made: dashboard.Dashboard, *shelves: tuple[int, Sequence[Any]]) -> dashboard.Dashboard:
    """Every shelf is a height and its panels from left to right, each of equal width unless given as (panel, width)."""
    top = place = 0
    for height, panels in shelves:
        left = 0
        sized = [p if isinstance(p, tuple) else (p, 24 // len(panels)) for p in panels]
        for panel, width in sized:
            place += 1
            made = made.with_panel(panel.id(place).grid_pos(GridPos(h=height, w=width, x=left, y=top)))
            left += width
        top += height
    return made
