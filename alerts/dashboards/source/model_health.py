"""Whether the forecasts deserve to be believed: exceptions, PIT, scores, and the champion against those who disagree."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from panels import (
    AMBER,
    COUNT,
    GREEN,
    RED,
    SHARE,
    YES,
    ZONE,
    Query,
    band,
    bars,
    board,
    chosen,
    laid,
    lines,
    number,
    painted,
    states,
)

MINE = 'portfolio="$portfolio"'
AT = f'{MINE}, level="$level"'
APART = ((None, AMBER), (1 / 1.5, GREEN), (1.5, AMBER))


def model_health() -> Dashboard:
    """One portfolio's forecasts at one level."""
    variables = [
        chosen("portfolio", "label_values(riskd_portfolio_severity, portfolio)", "Portfolio"),
        chosen("level", f"label_values(riskd_coverage_sessions{{{MINE}}}, level)", "Level", numeric=True),
    ]
    made = board("riskd-model", "riskd / Model health", "Forecasts against what came.", "now-90d", variables)
    return laid(made, (4, _numbers()), (10, _coverage()), (9, _pit()), (10, _rivals()), (8, _drift()))


def _numbers() -> list[object]:
    zone = Query(f"portfolio_level:riskd_coverage_zone:code{{{AT}}}")
    uniform = "How likely the PIT of a right forecast is at least as uneven."
    p = Query(f"riskd_forecast_pit_p_ratio{{{MINE}}}")
    return [
        number("Basel's zone", zone, words=ZONE, none="fewer than 60 sessions"),
        number("Exceptions", Query(f"riskd_coverage_exceptions{{{AT}}}")),
        number("of sessions", Query(f"riskd_coverage_sessions{{{AT}}}"), text="250 at most."),
        number("without an answer", Query(f"riskd_coverage_missing_sessions{{{AT}}}"), COUNT, ((None, GREEN), (1, AMBER))),
        number("PIT is uniform: p", p, "none", ((None, RED), (0.01, AMBER), (0.05, GREEN)), decimals=3, text=uniform),
        number("Model works", Query("riskd_model_working"), words=YES, none="unknown"),
    ]


def _coverage() -> list[object]:
    expected = f"riskd_coverage_exceptions_expected{{{AT}, bound="
    queries = [
        Query(f"riskd_coverage_exceptions{{{AT}}}", "exceptions"),
        Query(f'{expected}"least"}}', "least of a right forecast"),
        Query(f'{expected}"most"}}', "most of a right forecast"),
        Query(f'{expected}"yellow"}}', "yellow zone begins"),
        Query(f'{expected}"red"}}', "red zone begins"),
    ]
    text = "Losses beyond the VaR of the day before, and days without an answer, in the newest 250 sessions; band of 95 %."
    panel = lines("Exceptions of VaR $level against what is to be expected", queries, COUNT, text=text, least=0)
    panel = band(panel, "least of a right forecast", "most of a right forecast")
    panel = painted(panel, "exceptions", "blue")
    panel = painted(panel, "yellow zone begins", "yellow", dashed=True)
    panel = painted(panel, "red zone begins", RED, dashed=True)
    newest = lines(
        "PIT of each session",
        [Query(f"riskd_forecast_pit_ratio{{{MINE}}}", "PIT")],
        SHARE,
        text="Share of the forecast that lost less: near 100 % is a bad day. A right forecast spreads them evenly.",
        least=0,
    ).max(1)
    return [(panel, 16), (painted(newest, "PIT", "blue", dots=True), 8)]


def _pit() -> list[object]:
    text = "Of the newest 250 sessions; a right forecast has as many in every tenth. The last one holds the worst days."
    counts = Query(f"riskd_forecast_pit_sessions{{{MINE}}}", "to {{upper}}")
    distance = [
        Query(f"riskd_forecast_pit_distance_ratio{{{MINE}}}", "distance from uniform"),
        Query(f"riskd_forecast_pit_p_ratio{{{MINE}}}", "p of a right forecast"),
    ]
    return [
        (bars("Sessions by tenth of their PIT", counts, COUNT, ((None, "blue"),), text), 12),
        (lines("How uneven the PIT is", distance, SHARE, least=0).max(1), 12),
    ]


def _rivals() -> list[object]:
    cvar = Query(f'riskd_portfolio_cvar_ratio{{{AT}, horizon="1"}}', "{{role}} {{method}}")
    text = "One session ahead. The median of the quick challengers decides whether the champion is called apart."
    others = Query(f"riskd_challenger_working{{{MINE}}}", "{{method}}")
    return [
        (lines("CVaR $level by champion, challengers and rivals", [cvar], SHARE, text=text), 16),
        (states("Challengers and rivals with all their figures", others, YES), 8),
    ]


def _drift() -> list[object]:
    apart = Query(f"portfolio:riskd_model_divergence:ratio{{{AT}}}", "{{horizon}} sessions ahead")
    crps = Query(f"riskd_forecast_crps_ratio{{{MINE}}}", "mean of {{sessions}}")
    text = "Champion over the challengers' median, logarithmic: beyond 1.5 either way the report is DEGRADED."
    scores = "Fraction of value, lower is better. The mean of 20 above that of 250: harder days, or a forecast that drifts."
    return [
        lines("Champion against the median challenger", [apart], "none", APART, text, logarithmic=True),
        lines("CRPS", [crps], SHARE, text=scores, least=0),
    ]
