"""Prices over HTTP: reads for everybody on this machine, decisions for who holds the token."""

from typing import Any

import httpx
import pytest
from web.conftest import TOKEN, Site

pytestmark = pytest.mark.integration
GOOD = {"symbol": "EEM", "session": "2026-11-20", "verdict": "approve", "author": "a manager", "reason": "the fund says so"}


def post(site: Site, body: Any, token: str | None = TOKEN, **headers: str) -> httpx.Response:
    bearer = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{site.url}/api/v1/data/decisions", json=body, headers={**bearer, **headers})


def test_status_shows_the_oldest_first(site: Site) -> None:
    """What was never priced comes first and is stale; what has its newest session is not."""
    rows = httpx.get(f"{site.url}/api/v1/data/status").json()
    assert [(r["symbol"], r["newest"], r["stale"]) for r in rows] == [("EEM", None, True), ("SPY", "2026-11-20", False)]


def test_revisions_and_quarantine(site: Site) -> None:
    """What was restated, by how much; what waits for a decision, and why."""
    (told,) = httpx.get(f"{site.url}/api/v1/data/revisions").json()
    assert (told["symbol"], told["kind"], told["ratio"]) == ("SPY", "dividend", 0.9972)
    assert httpx.get(f"{site.url}/api/v1/data/revisions?symbol=EEM").json() == []
    (held,) = httpx.get(f"{site.url}/api/v1/data/quarantine").json()
    assert (held["symbol"], held["rule"], held["value"], held["decision"]) == ("EEM", "split", 21.5, None)


def test_a_decision_is_taken_once_and_kept(site: Site) -> None:
    """With the token: the price leaves the open list; with --all its decision is shown; nothing else is open."""
    answer = post(site, GOOD)
    assert (answer.status_code, answer.json()["symbol"]) == (200, "EEM")
    assert httpx.get(f"{site.url}/api/v1/data/quarantine").json() == []
    (held,) = httpx.get(f"{site.url}/api/v1/data/quarantine?everything=true").json()
    assert (held["decision"]["verdict"], held["decision"]["author"]) == ("approve", "a manager")
    other = post(site, {**GOOD, "symbol": "SPY"})
    assert other.status_code == 404
    assert "nothing to decide" in other.json()["detail"]


@pytest.mark.parametrize("token", [None, "wrong", TOKEN + "x", TOKEN[:-1]])
def test_without_the_token_nobody_decides(site: Site, token: str | None) -> None:
    """401, in words, and nothing is written."""
    answer = post(site, GOOD, token)
    assert answer.status_code == 401
    assert "token_file" in answer.json()["detail"]
    assert len(httpx.get(f"{site.url}/api/v1/data/quarantine").json()) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"verdict": "maybe"}, 422),
        ({"session": "yesterday"}, 422),
        ({"symbol": ""}, 422),
        ({"reason": "  "}, 422),
        ({"extra": 1}, 422),
        ({"reason": "x" * 5000}, 413),
    ],
)
def test_a_bad_body_is_refused(site: Site, change: dict[str, Any], status: int) -> None:
    """Every mistake has its status and one sentence; never a 500."""
    answer = post(site, {**GOOD, **change})
    assert answer.status_code == status
    assert answer.json()["detail"]


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_sites_page_cannot_decide(site: Site, headers: dict[str, str]) -> None:
    """Even with the token."""
    assert post(site, GOOD, **headers).status_code == 403


def test_a_body_of_unknown_length_is_refused(site: Site) -> None:
    """Chunks could go on for ever."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx.post(f"{site.url}/api/v1/data/decisions", content=iter([b"{", b"}"]), headers=headers)
    assert answer.status_code == 411


@pytest.mark.parametrize("path", ["status", "quarantine", "revisions", "nothing"])
def test_nothing_else_may_be_posted(site: Site, path: str) -> None:
    """Reads are reads."""
    assert httpx.post(f"{site.url}/api/v1/data/{path}", json=GOOD).status_code == 405
