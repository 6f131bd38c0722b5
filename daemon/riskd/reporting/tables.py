"""The report's tables, a row a line, made from the facts alone."""

from collections.abc import Iterator
from typing import Any

from riskd.lab.table import DASH, Cell, Line, figure, percent, table, words

Row = dict[str, Any]
NO_EVE = "not known of the session before"
NO_FIGURE = "could not be computed"


def overview(found: Row, order: list[str]) -> str:
    """Every limit of every portfolio, the worst portfolio first."""
    lines = [
        Line(f"{name}: {limit}", [Cell(told["status"]), Cell(row["state"]), *_standing(row, told["currency"])])
        for name in order
        for told in [found["portfolios"][name]]
        for limit, row in told["limits"].items()
    ]
    columns = ["status", "state", "CVaR", "limit", "used", "headroom", "in money", "points", "P(CVaR \u2265 limit)"]
    return table("Every limit, the worst portfolio first", "limit", columns, lines)


def _standing(row: Row, currency: str) -> list[Cell]:
    return [
        percent(row["cvar"], NO_FIGURE),
        percent(row["max_cvar"]),
        percent(row["used"], NO_FIGURE, "bad" if (row["used"] or 0.0) >= 1 else "", 0),
        percent(row["headroom"], NO_FIGURE),
        money(row["headroom_money"], currency, NO_FIGURE),
        _points(row["cvar_change"]),
        percent(row["probability"], NO_FIGURE, digits=1),
    ]


def money(value: float | None, currency: str, note: str) -> Cell:
    """An amount with its currency, rounded to whole units."""
    cell = figure(value, ",.0f", note)
    return cell if value is None else Cell(f"{cell.text} {currency}", cell.tone)


def _points(value: float | None) -> Cell:
    return figure(None if value is None else 100 * value, "+.2f", NO_EVE)


def limits(told: Row) -> str:
    """How every limit stood and stands, and what people said of it."""
    lines = [Line(name, [*_life(row)]) for name, row in told["limits"].items()]
    columns = ["measure", "CVaR before", "CVaR now", "points", "limit", "state before", "state now", "open since", "said"]
    return table("Limits", "limit", columns, lines)


def _life(row: Row) -> Iterator[Cell]:
    yield Cell(f"{row['level']:g} over {row['horizon']}")
    yield percent(row["cvar_before"], NO_EVE)
    yield percent(row["cvar"], NO_FIGURE)
    yield _points(row["cvar_change"])
    yield percent(row["max_cvar"])
    yield Cell(row["state_before"] or DASH)
    yield Cell(row["state"])
    yield Cell(row["since"] or DASH)
    yield words(_said(row))


def _said(row: Row) -> str:
    said = []
    if known := row["acknowledged"]:
        said.append(f"acknowledged by {known['author']}: {known['reason']}")
    if rest := row["silence"]:
        said.append(f"silent until {rest['until']}, {rest['author']}: {rest['reason']}")
    if row["judged_by_another"]:
        said.append(f"judged by another {', '.join(row['judged_by_another'])} than it fired under")
    return "; ".join(said) or DASH


def figures(told: Row) -> str:
    """VaR and CVaR at every level and horizon, beside the median challenger."""
    lines = [
        Line(
            name,
            [
                percent(row["var_before"], NO_EVE),
                percent(row["var"], NO_FIGURE),
                percent(row["cvar_before"], NO_EVE),
                percent(row["cvar"], NO_FIGURE),
                _points(row["cvar_change"]),
                percent(row["cvar_low"], NO_FIGURE),
                percent(row["cvar_high"], NO_FIGURE),
                percent(row["challenger_cvar"], "no challenger has a figure"),
            ],
        )
        for name, row in told["figures"].items()
    ]
    columns = ["VaR before", "VaR now", "CVaR before", "CVaR now", "points", "at least", "at most", "challengers"]
    return table("VaR and CVaR, with their 95 % interval and the median of the challengers' CVaR", "level", columns, lines)


def record(told: Row) -> str:
    """How the forecasts of the newest 250 sessions held."""
    lines = [
        Line(
            name,
            [
                figure(row["sessions"], "d"),
                figure(row["exceedances"], "d"),
                Cell(f"{row['least']} to {row['most']}"),
                figure(row["missing"], "d"),
                Cell(row["zone"]),
            ],
        )
        for name, row in told["record"].items()
    ]
    columns = ["sessions", "losses beyond VaR", "to be expected", "without figure", "zone"]
    return table("One-session VaR held against losses; expected: the 95 % band of a right forecast", "level", columns, lines)


def orders(proposal: Row, currency: str) -> str:
    """The orders, and why each: what it saves, what it costs, what it earns."""
    lines = [
        Line(
            f"{row['order']} {symbol}",
            [
                percent(abs(row["change"]), digits=1),
                money(None if row["value"] is None else abs(row["value"]), currency, row["note"] or "no price"),
                figure(None if row["shares"] is None else abs(row["shares"]), ",.2f", row["note"] or "no usable close"),
                percent(row["cvar_saved"], "not computed"),
                figure(row["saved_per_cost"], ",.0f", "trading is free"),
                percent(row["return_gained"], "not computed", digits=3),
                words(row["note"] or _reason(row)),
            ],
        )
        for symbol, row in proposal["trades"].items()
    ]
    columns = ["of value", "amount", "shares", "lowers CVaR by", "for each cost", "adds to return", "because"]
    return table(f"Orders, each by itself, on the CVaR of {proposal['limit']}", "order", columns, lines)


def _reason(row: Row) -> str:
    saved, gained = row["cvar_saved"] or 0.0, row["return_gained"] or 0.0
    if saved > 0:
        return "lowers the risk" + (" and earns more" if gained > 0 else "")
    return "earns more, within the limits" if gained > 0 else "makes room under the bounds"


def alternatives(proposal: Row) -> str:
    """The proposal beside doing nothing and what else there was."""
    limit, rows = proposal["limit"], dict(proposal["alternatives"])
    lines = [Line("this proposal", [*_proposal(proposal)], champion=True)] if proposal["status"] == "proposed" else []
    lines += [Line(name, [*_other(row, limit)]) for name, row in rows.items()]
    columns = ["CVaR, verified", "at most", "expected return", "turnover", "cost", "holds every limit"]
    sessions = f"{proposal['horizon']} session{'s' if proposal['horizon'] > 1 else ''}"
    return table(f"What else there was; CVaR of {limit}, expected return over {sessions}", "weights", columns, lines)


def _proposal(row: Row) -> Iterator[Cell]:
    told = row["limits"].get(row["limit"]) or {}
    yield percent(row["cvar_verified"], "not verified")
    yield percent((told.get("after_verified") or {}).get("high"), "not verified")
    yield percent(row["expected_return_after"], "not computed", digits=3)
    yield percent(row["turnover"], digits=1)
    yield percent(row["cost"], digits=3)
    yield words("yes")


def _other(row: Row, limit: str) -> Iterator[Cell]:
    yield percent(row["cvar"].get(limit), "not computed")
    yield percent(row["cvar_upper"].get(limit), "not verified")
    yield percent(row["expected_return"], digits=3)
    yield percent(row["turnover"], digits=1)
    yield percent(row["cost"], digits=3)
    yield words(("yes" if row["holds"] else "no") + (row["words"] and f": {row['words']}"))


def doubts(told: Row) -> str:
    """Prices of what is held that are not used; nothing when all are."""
    if not told["doubts"]:
        return ""
    lines = [
        Line(f"{d['symbol']} {d['session']}", [figure(d["value"], ".6g", "no price"), Cell(d["rule"]), words(d["detail"])])
        for d in told["doubts"]
    ]
    return table("Prices of what is held that are not used", "price", ["value", "rule", "detail"], lines)


def revisions(data: Row) -> str:
    """What sources said otherwise than before; nothing when they did not."""
    if not data["revisions"]:
        return ""
    lines = [
        Line(
            f"{r['symbol']} {r['first']} to {r['last']}",
            [Cell(r["kind"]), Cell(r["field"]), Cell(r["source"]), figure(r["rows"], "d"), figure(r["ratio"], ".4f", "none")],
        )
        for r in data["revisions"]
    ]
    columns = ["kind", "field", "source", "closes", "ratio"]
    return table("History that its sources restated", "what", columns, lines)
