"""The answer to a what-if question as tables for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from riskd.observe.console import Console

MOST_ROWS = 20  # holdings shown one by one
Row = Mapping[str, Any]


def tell(answer: Row) -> None:
    """Print the whole answer: risk, limits, orders, holdings, and what is to be known of it."""
    console = Console()
    sessions = "1 session" if answer["horizon"] == 1 else f"{answer['horizon']} sessions"
    console.line(f"{answer['portfolio']}, {answer['session']}: level {answer['level']:g} over {sessions}")
    console.table(("", "before", "after", "change"), _figures(answer))
    _titled(
        console, "limits", ("limit", "at most", "before", "after", "95 % interval", "P(above)", ""), _limits(answer["limits"])
    )
    orders = [_order(order, answer["currency"]) for order in answer["orders"]]
    _titled(console, "orders", ("", "symbol", "change", "value", "shares", "lots"), orders)
    rows = [_holding(h) for h in answer["holdings"][:MOST_ROWS]]
    _titled(console, "holdings", ("symbol", "before", "after", "CVaR part before", "after"), rows)
    points = [(_percent(p["cvar"]), _signed(p["expected_return"])) for p in answer["frontier"]]
    _titled(console, "frontier", ("CVaR", "expected return"), points)
    for line in (*_verdicts(answer), *(f"note: {words}" for words in answer["warnings"])):
        console.line(line)


def _titled(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        console.line(f"\n{title}")
        console.table(columns, rows)


def _figures(answer: Row) -> list[Sequence[str]]:
    before, after = answer["before"], answer["after"]
    rows: list[Sequence[str]] = []
    for name, key in (("VaR", "var"), ("CVaR", "cvar")):
        pair = before["risk"], after["risk"]
        rows.append((name, *(_between(side, key) for side in pair), _signed(pair[1][key] - pair[0][key])))
    for name, key in (("expected return, net", "expected_return"), ("cash", "cash")):
        rows.append((name, _percent(before[key]), _percent(after[key]), _signed(after[key] - before[key])))
    profit = [side["expected_profit"] for side in (before, after)]
    rows.append((f"expected profit, {answer['currency']}", *(f"{p:,.2f}" for p in profit), f"{profit[1] - profit[0]:+,.2f}"))
    return rows


def _between(side: Row, key: str) -> str:
    return f"{_percent(side[key])} ({_percent(side[f'{key}_low'])} to {_percent(side[f'{key}_high'])})"


def _limits(limits: Sequence[Row]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for m in limits:
        interval = f"{_percent(m['after']['cvar_low'])} to {_percent(m['after']['cvar_high'])}"
        word = "holds" if m["holds_after"] else "BROKEN"
        word += f" (now {m['state']})" if m["state"] else ""
        figures = (_percent(m[key]["cvar"]) for key in ("before", "after"))
        rows.append((m["name"], _percent(m["max_cvar"]), *figures, interval, f"{m['probability_after']:.1%}", word))
    return rows


def _order(order: Row, currency: str) -> Sequence[str]:
    shares, lots = order["shares"], order["lots"]
    return (
        "buy" if order["change"] > 0 else "sell",
        order["symbol"],
        _signed(order["change"]),
        f"{abs(order['value']):,.2f} {currency}",
        "no close known" if shares is None else f"{abs(shares):,.2f}",
        "-" if lots is None else f"{abs(lots):,.2f}",
    )


def _holding(h: Row) -> Sequence[str]:
    return (h["symbol"], *(_percent(h[key]) for key in ("before", "after", "component_before", "component_after")))


def _verdicts(answer: Row) -> list[str]:
    """Sentences: turnover, what is not kept, in what size, whether a limit can be met."""
    told = [f"\nturnover {_percent(answer['turnover'])}, cost {answer['cost']:.3%} of value"] if answer["orders"] else [""]
    told += [f"not kept: {words}" for words in answer["broken"]]
    told += [_size(answer["size"])] if answer["size"] else []
    found = answer["optimum"]
    if found:
        proof = "" if found["gap"] is None else f", proved within {found['gap']:.1e} of the best there is"
        told.append(f"optimum ({found['aim']}): {found['status']} by {found['method']}{proof}")
    told += _possible(answer["feasibility"]) if answer["feasibility"] else []
    rested = answer["stamp"]
    return [*told, f"bank {rested['bank']}, scenarios {rested['digest'][:12]}, model {rested['model']}"]


def _size(size: Row) -> str:
    if size["most"] is None:
        return "no multiple of this change keeps every limit"
    return (
        f"every limit holds from {size['least']:.2f} to {size['most']:.2f} times this change (bounds end at {size['reach']:.2f})"
    )


def _possible(found: Row) -> list[str]:
    least = "" if found["least_cvar"] is None else f"; the least achievable CVaR is {_percent(found['least_cvar'])}"
    told = [f"the limits can {'' if found['feasible'] else 'NOT '}be met{least}"]
    told += [f"cannot be kept together: {'; '.join(found['conflict'])}"] if found["conflict"] else []
    told += [f"cheapest way to make room: {'; '.join(found['relaxation'])}"] if found["relaxation"] else []
    return told + [f"without the {rung['without']}: least CVaR {_percent(rung['least_cvar'])}" for rung in found["ladder"]]


def _percent(fraction: float) -> str:
    return f"{fraction:.2%}"


def _signed(fraction: float) -> str:
    return f"{fraction:+.2%}"
