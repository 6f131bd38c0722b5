"""The facts of a report: plain JSON values, the same for the same store, from which the page is made too."""

import json
from collections.abc import Sequence
from typing import Any

from riskd.core.headline import moved as moved_words
from riskd.core.proposed import Proposal
from riskd.core.report import PortfolioReport
from riskd.core.status import SEVERITY, worst
from riskd.observe.record import LONGEST_PAUSE, day_of, record_of
from riskd.reporting import actions, changes
from riskd.reporting.material import Material
from riskd.reporting.rounding import settled

Row = dict[str, Any]
SCHEMA = 1
MOST_CORRECTIONS = 50  # named one by one


def facts(of: Material) -> Row:
    """Everything the report says of ``of``; fractions of value, loss positive. Of no time but that of the session."""
    reports = [history[-1] for history in of.histories]
    eves = [history[-2].session for history in of.histories if len(history) > 1]
    body = {
        "schema": SCHEMA,
        "session": of.session,
        "before": max(eves, default=None),
        "status": worst([r.status for r in reports]),
        "portfolios": {h[-1].portfolio: _portfolio(h, of.proposals.get(h[-1].portfolio)) for h in of.histories},
        "alerts": _alerts(of, {r.portfolio for r in reports}),
        "data": _data(of),
        "journal": _journal(of),
        "reproduce": _reproduce(of),
    }
    found: Row = settled(body)
    return found


def text(found: Row) -> str:
    """As JSON, sorted, a fact a line."""
    return json.dumps(found, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def worst_first(found: Row) -> list[str]:
    """Names of the portfolios, the worst status first and in it the fullest limit."""
    order = [status.value for status in SEVERITY]

    def place(name: str) -> tuple[int, float, str]:
        told = found["portfolios"][name]
        fullest = max((limit["used"] or 0.0 for limit in told["limits"].values()), default=0.0)
        return -order.index(told["status"]), -fullest, name

    return sorted(found["portfolios"], key=place)


def _portfolio(history: Sequence[PortfolioReport], proposal: Proposal | None) -> Row:
    now, before = history[-1], history[-2] if len(history) > 1 else None
    told = {limit.name: moved_words(limit.explanation) for limit in now.limits if limit.explanation}
    return {
        "before": before and before.session,
        "status": now.status,
        "status_before": before and before.status,
        "grade": now.grade,
        "grade_before": before and before.grade,
        "coverage": now.coverage,
        "value": now.value,
        "currency": now.currency,
        "figures": changes.figures(now, before),
        "limits": changes.limits(now, before),
        "outturn": changes.outturn(now, before),
        "holdings_changed": changes.moved(now.weights, before.weights if before else None),
        "moved": told,
        "doubts": sorted(settled(now.doubts), key=lambda d: (d["symbol"], d["session"])),
        "grades": now.symbol_grades,
        "notes": now.notes,
        "todo": actions.words(now, proposal),
        "proposal": actions.proposed(proposal, now),
        "weights": actions.weights(now, proposal),
        "record": _record(history),
        "history": _history(history),
        "provenance": now.provenance,
    }


def _record(history: Sequence[PortfolioReport]) -> Row:
    """How the forecasts of the newest sessions held, by level."""
    found = record_of(history[-1].portfolio, [day_of(r) for r in history])
    return {f"{c.level:g}": {**settled(c), "exceptions": c.exceptions} for c in found.coverage}


def _history(history: Sequence[PortfolioReport]) -> Row:
    """Loss of each session beside the one-session figures that the session before had forecast for it, by date."""
    rows: Row = {}
    for before, after in zip(history, history[1:], strict=False):
        near = after.session - before.session <= LONGEST_PAUSE
        ahead = {f"{f.level:g}": {"var": f.var, "cvar": f.cvar} for f in before.figures if f.horizon == 1} if near else {}
        loss = after.realised_loss
        beyond = [level for level, f in ahead.items() if loss is not None and loss > f["var"]]
        rows[f"{after.session}"] = {"loss": loss, "forecast": ahead, "beyond": beyond}
    return rows


def _alerts(of: Material, portfolios: set[str]) -> list[Row]:
    """In the order they were told; of these portfolios, and of what concerns all."""
    found: dict[str, Row] = {}
    for line in of.lines:
        for alert in json.loads(line.outcome)["alerts"]:
            if alert["portfolio"] is None or alert["portfolio"] in portfolios:
                keys = ("id", "kind", "portfolio", "limit", "category", "headline")
                found.setdefault(alert["id"], {key: alert[key] for key in keys})
    return list(found.values())


def _data(of: Material) -> Row:
    """What sources said otherwise than before, and what that changed of the returns in use."""
    fixed = sorted(settled(of.corrections), key=lambda c: (c["session"], c["symbol"]))
    revised = sorted(settled(of.revisions), key=lambda r: (r["symbol"], r["first"], r["field"]))
    return {"revisions": revised, "corrections": fixed[:MOST_CORRECTIONS], "corrections_in_all": len(fixed)}


def _journal(of: Material) -> Row | None:
    """Where the session's last line stands in the chain; None in a store whose journal does not reach back to it."""
    if not of.lines:
        return None
    last = of.lines[-1]
    return {"line": last.seq, "head": last.chain, "state": last.state_sha256, "steps": [line.key for line in of.lines]}


def _reproduce(of: Material) -> list[str]:
    """Commands that a reader can check it by; CONFIG is the configuration whose digest the provenance names."""
    return ["riskd replay --journal -c CONFIG", f"riskd report --session {of.session} -c CONFIG"]
