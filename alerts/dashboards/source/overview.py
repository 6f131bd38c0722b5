"""All portfolios at a glance: who is in breach, how full every limit is, and whether any of it may be believed."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from panels import (
    AMBER,
    COUNT,
    GREEN,
    LIMIT,
    RED,
    SHARE,
    STATUS,
    YES,
    Query,
    bars,
    board,
    chosen,
    laid,
    lines,
    number,
    rows,
    states,
)

MINE = 'portfolio=~"$portfolio"'
FEW = ((None, GREEN), (1, RED))
FULL = ((None, GREEN), (0.9, AMBER), (1, RED))
USED = f"portfolio_limit:riskd_limit_used:ratio{{{MINE}}}"


def overview() -> Dashboard:
    """The dashboard to open first."""
    portfolios = chosen("portfolio", "label_values(riskd_portfolio_severity, portfolio)", "Portfolio", several=True)
    made = board("riskd-overview", "riskd / Overview", "Every portfolio, worst first.", "now-30d", [portfolios])
    return laid(made, (4, _numbers()), (7, _statuses()), (9, _limits()), (9, _tables()))


def _numbers() -> list[object]:
    blind = f'sum(riskd_limit_state{{{MINE}, state="cannot-judge"}})'
    until = "riskd_figures_valid_until_timestamp_seconds - time()"
    worst = number("Worst status", Query(f"max(riskd_portfolio_severity{{{MINE}}})"), words=STATUS, none="UNKNOWN")
    return [
        worst,
        number("Open breaches", Query(f"sum(riskd_limit_breached{{{MINE}}})"), COUNT, FEW, none="cannot be judged"),
        number("Limits not judged", Query(blind), COUNT, FEW),
        number("Without a valid figure", Query(f"sum(1 - riskd_figure_valid{{{MINE}}})"), COUNT, FEW),
        number("Figures hold for", Query(until), "dtdurations", ((None, RED), (0, GREEN)), text="Negative: they are stale."),
        number("Daemon is ready", Query("riskd_ready"), words=YES, none="DOWN"),
    ]


def _statuses() -> list[object]:
    limits = f"portfolio_limit:riskd_limit_state:code{{{MINE}}}"
    return [
        states("Status of the portfolios", Query(f"riskd_portfolio_severity{{{MINE}}}", "{{portfolio}}"), STATUS),
        states("State of the limits", Query(limits, "{{portfolio}} {{limit}}"), LIMIT),
    ]


def _limits() -> list[object]:
    now = Query(f"sort_desc({USED})", "{{portfolio}} {{limit}}")
    over = Query(USED, "{{portfolio}} {{limit}}")
    text = "CVaR as a share of the limit on it; a figure that is stale is absent."
    return [
        (bars("Used of each limit", now, SHARE, FULL, text, most=1.2), 8),
        (lines("Used of each limit over time", [over], SHARE, FULL, text, least=0), 16),
    ]


def _tables() -> list[object]:
    queries = [
        Query(f"max by (portfolio, limit) ({USED})"),
        Query(f"max by (portfolio, limit) (riskd_portfolio_cvar_limit_ratio{{{MINE}}})"),
        Query(f"max by (portfolio, limit) (riskd_limit_breach_probability_ratio{{{MINE}}})"),
        Query(f"max by (portfolio, limit) (riskd_limit_breached{{{MINE}}})"),
    ]
    names = {"portfolio": "Portfolio", "limit": "Limit", "Value #A": "Used", "Value #B": "Limit on CVaR"}
    names |= {"Value #C": "P(CVaR >= limit)", "Value #D": "Breach open"}
    columns = ["portfolio", "limit", "Value #A", "Value #B", "Value #C", "Value #D"]
    units = {"Used": SHARE, "Limit on CVaR": SHARE, "P(CVaR >= limit)": SHARE}
    limits = rows("Limits", queries, columns, names, units)
    firing = Query('ALERTS{alertname=~"Riskd.*", alertstate="firing"}')
    columns = ["alertname", "severity", "portfolio", "limit", "sink", "feed"]
    names = {column: column.title() for column in columns} | {"alertname": "Alert"}
    text = "RiskdWatchdog always fires: without it this list cannot be trusted."
    return [(limits, 14), (rows("Firing in Prometheus", [firing], columns, names, {}, text), 10)]
