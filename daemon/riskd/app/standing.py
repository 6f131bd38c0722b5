"""Where limits stand, read from the store, and how the daemon is, if one answers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from typing import Any

from riskd.app.beside import store_beside
from riskd.core.canonical import plain
from riskd.reporting.life import lives
from riskd.reporting.standing import limit_rows, worst_status
from riskd.runtime.clock import SystemClock
from riskd.settings import Settings, Web
from riskd.store.past import Current, Past, past_of

Row = dict[str, Any]
PATIENCE = 3.0  # seconds that a daemon may take to answer
ASKED = ("phase", "version", "started_at", "last_attempt_at", "last_success_at", "next_run_at", "refused")


def status(settings: Settings) -> Row:
    """Every limit, the worst first, and the daemon's health; the limits come from the store, whether a daemon runs or not.

    Raises ConfigError without a store.
    """
    told = _asked(settings.web) if settings.web else None
    with _past(settings) as past:
        rows, cycle = limit_rows(_current(past, told), SystemClock().now()), past.newest_cycle()
    last = {"step": cycle[0], "committed_at": plain(cycle[1])} if cycle else None
    daemon = _daemon(settings.web is not None, told)
    return {"status": worst_status(rows).value, "limits": rows, "last_cycle": last, "daemon": daemon}


def limits(settings: Settings, portfolio: str | None = None) -> list[Row]:
    """Every limit with its headroom and its ``history``, the worst first; of one portfolio or of all.

    Raises ConfigError without a store.
    """
    told = _asked(settings.web) if settings.web else None
    with _past(settings) as past:
        rows, life = limit_rows(_current(past, told), SystemClock().now()), lives(past.alerts())
    wanted = [row for row in rows if row["limit"] is not None and portfolio in (None, row["portfolio"])]
    return [row | {"history": life.get((row["portfolio"], row["limit"]), [])} for row in wanted]


@contextmanager
def _past(settings: Settings) -> Iterator[Past]:
    database = store_beside(settings)
    try:
        with past_of(database) as past:
            yield past
    finally:
        database.close()


def _current(past: Past, told: Row | None) -> list[Current]:
    """What stands, good for as long as the daemon holds it to be: a replay's figures live in their own time."""
    until = datetime.fromisoformat(told["valid_until"]) if told and told["valid_until"] else None
    same = {(r["portfolio"], r["session"]) for r in told["reports"]} if told and until else set()
    known = past.current()
    return [replace(c, valid_until=until) if (c.report.portfolio, f"{c.report.session}") in same else c for c in known]


def _daemon(asked: bool, told: Row | None) -> Row:
    """What the daemon says of itself: ``running`` is None where nobody can be asked."""
    if told is None:
        return {"running": False if asked else None, "problems": []}
    sinks = {d["sink"]: {key: d[key] for key in ("connected", "pending", "parked")} for d in told["deliveries"]}
    problems = [*told["problems"], *told["unwell"]]
    return {"running": True, "problems": problems, "sinks": sinks, "feeds": told["feeds"]} | {k: told[k] for k in ASKED}


def _asked(web: Web) -> Row | None:
    connection = HTTPConnection(web.reached, web.port, timeout=PATIENCE)
    headers = {} if web.local else {"Authorization": f"Bearer {web.token()}"}
    try:
        connection.request("GET", "/api/v1/status", headers=headers)
        answer = connection.getresponse()
        body = json.loads(answer.read()) if answer.status == 200 else None
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return body if isinstance(body, dict) and "deliveries" in body else None
