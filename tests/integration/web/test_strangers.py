"""Who is not on this machine shows the token, and does not get to guess it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from web.conftest import TOKEN
from web.house import House, house

from riskd.app.standing import _asked
from riskd.settings import Web
from riskd.watch import Page
from riskd.web.door import Limits

pytestmark = pytest.mark.integration
ASKED = ("/", "/static/app.js", "/api/v1/status", "/api/v1/alerts", "/api/v1/openapi.json", "/metrics", "/readyz", "/nowhere")
NAMED = {"Host": "riskd.test"}


@pytest.fixture(scope="module")
def named() -> Iterator[House]:
    """A server on loopback that is also asked for by another name."""
    with house(Limits()) as served:
        yield served


@pytest.fixture
def outside() -> Iterator[House]:
    """A server that other machines reach; here they only can be played."""
    with house(Limits(), local=False) as served:
        yield served


@pytest.mark.parametrize("path", ASKED)
def test_another_name_needs_the_token(named: House, path: str) -> None:
    """Behind a proxy's name nothing is read without it; a bearer token or a browser's password opens what is open here."""
    refused = httpx.get(named.url + path, headers=NAMED)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Basic realm="riskd", charset="UTF-8"')
    here = httpx.get(named.url + path).status_code
    assert httpx.get(named.url + path, headers={**NAMED, "Authorization": f"Bearer {TOKEN}"}).status_code == here
    assert httpx.get(named.url + path, headers=NAMED, auth=("anybody", TOKEN)).status_code == here


def test_only_life_is_told_to_strangers(outside: House) -> None:
    """Where other machines get in, localhost is a name that anybody can say: without the token there is /healthz, no more."""
    assert httpx.get(outside.url + "/healthz").json() == {"alive": True}
    assert {httpx.get(outside.url + path).status_code for path in ASKED} == {401}
    assert httpx.post(outside.url + "/api/v1/data/decisions", json={}).status_code == 401


@pytest.mark.parametrize("shown", ["Bearer wrong", "Basic YTpi", "Basic ***", "Basic /////w==", "Digest x", "", "Bearer", TOKEN])
def test_what_is_not_the_token_opens_nothing(named: House, shown: str) -> None:
    """Whatever else an Authorization header says is a 401 or, after ten of them, a 429."""
    assert httpx.get(named.url + "/api/v1/status", headers={**NAMED, "Authorization": shown}).status_code in (401, 429)


def test_the_eleventh_guess_is_not_looked_at(outside: House) -> None:
    """Ten wrong tokens, then 429 even for the right one; who shows none is asked for it as before."""
    url, right = outside.url + "/api/v1/status", {"Authorization": f"Bearer {TOKEN}"}
    wrong = [httpx.get(url, headers={"Authorization": f"Bearer {i}"}).status_code for i in range(11)]
    assert wrong == [401] * 10 + [429]
    answer = httpx.get(url, headers=right)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert httpx.get(url).status_code == 401


def test_guesses_at_decisions_are_counted_too() -> None:
    """On loopback, where reading is open, the door to changes closes after ten wrong tokens; reading goes on."""
    with house(Limits()) as served:
        url, wrong = served.url + "/api/v1/data/decisions", {"Authorization": "Bearer wrong"}
        body = {"symbol": "EEM", "session": "2026-11-20", "verdict": "approve", "author": "me", "reason": "so"}
        assert [httpx.post(url, json=body, headers=wrong).status_code for _ in range(11)] == [401] * 10 + [429]
        assert httpx.get(served.url + "/api/v1/status").status_code == 200


def test_our_own_programs_find_in_and_show_the_token(outside: House, tmp_path: Path) -> None:
    """`riskd status` and riskd-watch go by loopback where all addresses are listened on, and read the token as riskd does."""
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    told = _asked(Web(host="0.0.0.0", port=outside.port, token_file=token))
    assert told is not None
    assert told["phase"] == "watching"
    ((topic, _),) = Page({"host": "0.0.0.0", "port": outside.port, "token_file": "token"}, tmp_path).listen(0)
    assert topic == "status"


def test_without_a_token_nobody_outside_reads() -> None:
    """Such a configuration is refused before it starts; the server itself refuses as well."""
    with house(Limits(), token=None, local=False) as served:
        assert httpx.get(served.url + "/api/v1/status").status_code == 403
