"""One portfolio: VaR and CVaR against its limit and what came, who carries the risk, and what is proposed."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from panels import (
    AMBER,
    BOTH,
    GREEN,
    LIMIT,
    NAME,
    RED,
    SHARE,
    STATUS,
    Query,
    band,
    bars,
    board,
    chosen,
    laid,
    lines,
    number,
    painted,
    rows,
    states,
)

MINE = 'portfolio="$portfolio"'
HERE = f'{MINE}, level="$level", horizon="$horizon"'
CHAMPION = f'{HERE}, role="champion"'
INFO = ((None, "blue"),)


def portfolio() -> Dashboard:
    """One portfolio at one level and horizon."""
    variables = [
        chosen("portfolio", "label_values(riskd_portfolio_severity, portfolio)", "Portfolio"),
        chosen("level", f"label_values(riskd_portfolio_cvar_ratio{{{MINE}}}, level)", "Level", numeric=True),
        chosen("horizon", f"label_values(riskd_portfolio_cvar_ratio{{{MINE}}}, horizon)", "Sessions", numeric=True),
        chosen("limit", f"label_values(riskd_portfolio_cvar_limit_ratio{{{MINE}}}, limit)", "Limit"),
    ]
    made = board("riskd-portfolio", "riskd / Portfolio", "Figures of one portfolio.", "now-90d", variables)
    return laid(made, (4, _numbers()), (12, [_figures()]), (8, _judgement()), (8, _moves()), (11, _assets()))


def _numbers() -> list[object]:
    graded = f"riskd_portfolio_data_grade{{{MINE}}} == 1"
    coverage = Query(f"riskd_portfolio_data_coverage_ratio{{{MINE}}}")
    value = Query(f"riskd_portfolio_value{{{MINE}}}", "{{currency}}")
    loss = Query(f"riskd_portfolio_realised_loss_ratio{{{MINE}}}")
    return [
        number("Status", Query(f"riskd_portfolio_severity{{{MINE}}}"), words=STATUS, none="UNKNOWN"),
        number("VaR", Query(f"riskd_portfolio_var_ratio{{{CHAMPION}}}"), SHARE, decimals=2, none="stale"),
        number("CVaR", Query(f"riskd_portfolio_cvar_ratio{{{CHAMPION}}}"), SHARE, decimals=2, none="stale"),
        number("Loss of the newest session", loss, SHARE, decimals=2, text="A gain is negative."),
        number("Value", value, "short", decimals=2, mode=BOTH),
        number("Grade of prices", Query(graded, "{{grade}}"), mode=NAME),
        number("Usable prices", coverage, SHARE, ((None, RED), (0.95, AMBER), (1, GREEN)), text="By weight."),
        number("Session", Query(f"riskd_portfolio_session_timestamp_seconds{{{MINE}}} * 1000"), "dateTimeAsIso"),
    ]


def _figures() -> object:
    queries = [
        Query(f"riskd_portfolio_var_ratio{{{CHAMPION}}}", "VaR"),
        Query(f"riskd_portfolio_cvar_ratio{{{CHAMPION}}}", "CVaR"),
        Query(f"riskd_portfolio_cvar_low_ratio{{{HERE}}}", "95 % low"),
        Query(f"riskd_portfolio_cvar_high_ratio{{{HERE}}}", "95 % high"),
        Query(f"riskd_portfolio_challenger_cvar_ratio{{{HERE}}}", "challengers' median CVaR"),
        Query(f'riskd_portfolio_cvar_limit_ratio{{{MINE}, limit="$limit"}}', "limit on CVaR"),
        Query(f"riskd_portfolio_realised_loss_ratio{{{MINE}}}", "loss of one session"),
    ]
    text = "Fractions of value, loss positive. Losses are of one session: hold them against VaR of one session."
    panel = lines("VaR and CVaR $level over $horizon sessions", queries, SHARE, text=text)
    panel = band(panel, "95 % low", "95 % high")
    for name, colour in (("VaR", "light-blue"), ("CVaR", "blue")):
        panel = painted(panel, name, colour)
    panel = painted(panel, "challengers' median CVaR", "purple")
    panel = painted(panel, "limit on CVaR", RED, dashed=True)
    return painted(panel, "loss of one session", "#8e9bb0", dots=True)


def _judgement() -> list[object]:
    code = Query(f"portfolio_limit:riskd_limit_state:code{{{MINE}}}", "{{limit}}")
    chance = Query(f"riskd_limit_breach_probability_ratio{{{MINE}}}", "{{limit}}")
    text = "Between 10 % and 90 % a breach is possible; it opens above 90 % by the error of the computation alone."
    steps = ((None, GREEN), (0.1, AMBER), (0.9, RED))
    return [
        states("State of the limits", code, LIMIT),
        lines("Probability that CVaR is at or above the limit", [chance], SHARE, steps, text, least=0),
    ]


def _moves() -> list[object]:
    moved = Query(f'sort_desc(riskd_limit_cvar_change_ratio{{{MINE}, limit="$limit"}})', "{{cause}}")
    text = "They sum to the change of CVaR since the session before; below zero a cause lowered it."
    known = Query(f"riskd_limit_acknowledged{{{MINE}}}", "{{limit}}")
    seen = "1 where a person has acknowledged the open breach; no line where none is open."
    steps = ((None, GREEN), (0, AMBER))
    return [
        bars("What moved CVaR: $limit", moved, SHARE, steps, text, least=None),
        lines("Open breaches that somebody knows of", [known], "short", text=seen, least=0),
    ]


def _assets() -> list[object]:
    parts = f'riskd_asset_component_cvar_ratio{{{MINE}, limit="$limit"}}'
    text = "They sum to the CVaR of the limit; below zero an asset hedges. At most twenty, the rest is (other)."
    component = bars("What each asset adds to CVaR: $limit", Query(f"sort_desc({parts})", "{{asset}}"), SHARE, INFO, text)
    queries = [
        Query(f'sum by (asset) (riskd_asset_weight_ratio{{{MINE}, kind="held"}})'),
        Query(f'sum by (asset) (riskd_asset_weight_ratio{{{MINE}, kind="proposed"}})'),
        Query(f"sum by (asset) ({parts})"),
    ]
    names = {"asset": "Asset", "Value #A": "Held", "Value #B": "Proposed", "Value #C": "Part of CVaR"}
    units = {"Held": SHARE, "Proposed": SHARE, "Part of CVaR": SHARE}
    text = "A proposal belongs to the newest session; without one the column is empty."
    return [(component, 12), (rows("Weights held and proposed", queries, list(names), names, units, text), 12)]
