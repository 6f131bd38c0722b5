"""The page in a real Chromium where the token is needed, and texts that try to be code in every view of it."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from web.conftest import TOKEN, Site, Visit
from web.house import house
from web.test_page import VIEWS

from riskd.core.events import Category
from riskd.web.door import Limits

pytestmark = pytest.mark.integration
OWN = "document.title='owned'"
PAYLOADS = (
    f"<script>{OWN}</script>",
    f"<img src=x onerror={OWN}>",
    f"<svg onload={OWN}></svg>",
    f"\"><iframe srcdoc='<script>parent.{OWN}</script>'></iframe>",
    f"'-{OWN}-'",
    f"${{{OWN}}}{{{{constructor.constructor({OWN!r})()}}}}",
    f"javascript:{OWN}",
    f"</title><body onpageshow={OWN}>",
    f"<math><mi//xlink:href=data:x,<script>{OWN}</script>>",
    "<style>@import 'http://evil.test/';</style><base href='http://evil.test/'>",
)


def test_the_page_works_through_the_browsers_own_dialogue(visit: Callable[..., Visit]) -> None:
    """With the token as password everything loads, the stream of changes too; without it nothing is shown."""
    with house(Limits(), local=False) as served:
        login = {"username": "anybody", "password": TOKEN}
        opened = visit(served.url, http_credentials={**login, "origin": served.url})
        assert "growth" in opened.rows()
        assert opened.complaints == []
        answers = []
        page = opened.page.context.browser.new_page(http_credentials={**login, "password": "wrong"})
        page.on("response", lambda answer: answers.append(answer.status))
        with contextlib.suppress(Exception):  # what a browser makes of a refused login differs
            page.goto(served.url)
        assert set(answers) == {401}
        page.close()


@pytest.mark.parametrize("start", [0, 5])
def test_no_text_of_the_data_runs(site: Site, visit: Callable[..., Visit], start: int) -> None:
    """Ten ways to smuggle code, in headlines, details, authors, reasons, notes, symbols and faults: none runs, in any view."""
    turns = iter(PAYLOADS[start:] + PAYLOADS[:start] + PAYLOADS + PAYLOADS)
    report = next(r for r in site.board.snapshot.reports if r.portfolio == "growth")
    nasty = replace(report, notes=PAYLOADS, weights={next(turns): 1.0}, limits=(replace(report.limits[0], name=next(turns)),))
    site.archive.rows["growth"] = [*site.archive.rows["growth"][:-1], nasty]
    first = site.archive.told[0]
    site.archive.told[:0] = [
        replace(first, id=p, headline=p, limit=p, category=Category.BREACH, why={"author": p, "reason": p, p: p})
        for p in PAYLOADS
    ]
    runs = tuple(replace(run, what=next(turns), fault=next(turns)) for run in site.board.exhibits.runs)
    site.board.exhibits = replace(site.board.exhibits, runs=runs)
    decision = {"symbol": "EEM", "session": "2026-11-20", "verdict": "approve", "author": next(turns), "reason": next(turns)}
    shown = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.post(f"{site.url}/api/v1/data/decisions", json=decision, headers=shown).status_code == 200
    proposed = replace(site.board.snapshot.proposals[0], notes=PAYLOADS, weights={next(turns): 1.0})
    problems: dict[str, Any] = {"problems": PAYLOADS, "feeds": {next(turns): next(turns)}, "model": next(turns)}
    site.pin(reports=(nasty,), proposals=(proposed,), **problems)
    opened = visit(site.url)
    for view, until in VIEWS.items():
        opened.go(view, until)
        assert opened.page.locator("img, iframe, math, base, script:not([src])").count() <= 1, view
        assert "owned" not in opened.page.title()
    assert opened.complaints == []
    assert {url.split("/")[2] for url in opened.requests} == {site.url.split("/")[2]}
