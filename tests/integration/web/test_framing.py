"""Requests that two programs could read differently, or that another site sends, change and show nothing."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx
import pytest
from web.conftest import TOKEN
from web.house import House, house

from riskd.web.door import Limits

pytestmark = pytest.mark.integration
START = b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
POST = b"POST /api/v1/data/decisions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n"
BEHIND = b"GET /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\n\r\n"
AMBIGUOUS = {
    "length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + BEHIND,
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + BEHIND,
    "chunks alone": POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in other words": POST + b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "chunked behind identity": POST + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    "chunked after a tab": POST + b"Connection: close\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n",
    "chunked after a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks that are none": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "two lengths": POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}{}{",
    "two lengths in one": POST + b"Content-Length: 4, 5\r\n\r\n{}{}{",
    "a signed length": POST + b"Content-Length: +4\r\n\r\n{}{}",
    "a hexadecimal length": POST + b"Content-Length: 0x4\r\n\r\n{}{}",
    "a negative length": POST + b"Content-Length: -4\r\n\r\n{}{}",
    "a length of words": POST + b"Content-Length: four\r\n\r\n{}{}",
    "a blank before the colon": POST + b"Content-Length : 4\r\n\r\n{}{}",
    "a folded header": START + b"X: a\r\n b\r\n\r\n",
    "a header folded with a tab": START + b"X: a\r\n\tTransfer-Encoding: chunked\r\n\r\n",
    "a first header that is folded": b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "bare line feeds": START.replace(b"\r\n", b"\n") + b"\n",
    "one bare line feed": START + b"X: a\nY: b\r\n\r\n",
    "a bare line feed at the end": START[:-2] + b"\n\r\n",
    "a carriage return in a value": START + b"X: a\rY: b\r\n\r\n",
    "a NUL in a value": START + b"X: a\0b\r\n\r\n",
    "a NUL in a name": START + b"X\0: a\r\n\r\n",
    "a header without a colon": START + b"X\r\n\r\n",
    "a header without a name": START + b": x\r\n\r\n",
    "two hosts": START + b"Host: evil.test\r\n\r\n",
    "no host": b"GET /api/v1/status HTTP/1.1\r\n\r\n",
    "no host in 1.0": b"GET /api/v1/status HTTP/1.0\r\n\r\n",
    "HTTP/0.9": b"GET /api/v1/status\r\n\r\n",
    "HTTP/0.9 by name": START.replace(b"1.1", b"0.9") + b"\r\n",
    "HTTP/2 by name": START.replace(b"1.1", b"2.0") + b"\r\n",
    "HTTP/1.2": START.replace(b"1.1", b"1.2") + b"\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version of two digits": START.replace(b"1.1", b"1.10") + b"\r\n",
    "a lower case version": START.replace(b"HTTP", b"http") + b"\r\n",
    "a blank in the path": START.replace(b"status", b"sta tus") + b"\r\n",
    "a tab in the request line": START.replace(b" /api", b"\t/api") + b"\r\n",
    "two blanks": START.replace(b" /api", b"  /api") + b"\r\n",
    "a byte of no character set": START.replace(b"status", b"stat\xff") + b"\r\n",
    "an address with a host": START.replace(b"/api", b"http://evil.test/api") + b"\r\n",
    "an address with our host": START.replace(b"/api", b"http://localhost/api") + b"\r\n",
    "a tunnel": b"CONNECT localhost:22 HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n",
    "a head without an end": START + b"X: " + b"a" * 100_000,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
}


@pytest.fixture(scope="module")
def served() -> Iterator[House]:
    """One server for the list."""
    with house(Limits(seconds=2.0)) as one:
        yield one


@pytest.mark.parametrize("sent", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_could_be_read_in_two_ways_is_refused(served: House, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A refusal, one only, and nothing of what stands behind it; no traceback in the log."""
    received = served.say(sent)
    statuses = re.findall(rb"HTTP/1\.1 (\d+) ", received)
    assert len(statuses) == 1
    assert 400 <= int(statuses[0]) <= 505
    assert int(statuses[0]) != 500
    assert caplog.text == ""


@pytest.mark.parametrize("cut", range(1, len(START) + 2, 7))
def test_however_it_is_cut_a_request_is_the_same(served: House, cut: int) -> None:
    """The strictness about line ends looks across the packets that a head comes in, and not into the body."""
    with served.call((START + b"\r\n")[:cut]) as connection:
        connection.sendall((START + b"\r\n")[cut:])
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_line_feeds_in_a_body_are_its_own(served: House) -> None:
    """A body with bare line feeds, in the packet that ends the head, is read."""
    head = POST + b"Content-Length: 4\r\n\r"
    with served.call(head) as connection:
        connection.sendall(b"\n{\n\n}")
        assert connection.recv(100).startswith(b"HTTP/1.1 422 ")


def test_nothing_is_answered_behind_the_first(served: House) -> None:
    """Of two requests in one packet the first is answered and the connection ends; one after the other both are."""
    assert served.say(BEHIND + BEHIND).count(b"HTTP/1.1 200") == 1
    with httpx.Client() as client:
        assert [client.get(served.url + "/healthz").status_code for _ in range(3)] == [200] * 3


def test_64_megabytes_are_refused_at_their_header(served: House) -> None:
    """The refusal comes before the body; the rest is not kept."""
    with served.call(POST + b"Content-Length: 67108864\r\n\r\n") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


SITES = [
    {"Origin": "http://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.test"},
    {"Sec-Fetch-Site": "cross-site"},
]
SITES += [{"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.test", "Sec-Fetch-Site": "none"}]


@pytest.mark.parametrize("headers", SITES, ids=lambda h: " ".join(map(": ".join, h.items())))
def test_another_site_posts_and_reads_nothing(served: House, headers: dict[str, str]) -> None:
    """Whatever may be posted, and whatever is read from within a page; with the token, and as a form as well."""
    for path, kind in product(posted(served), ("application/json", "text/plain", "application/x-www-form-urlencoded")):
        shown = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind, **headers}
        assert httpx.post(served.url + path, content=b"{}", headers=shown).status_code == 403, path
    for path in ("/api/v1/status", "/static/app.js", "/metrics"):
        assert httpx.get(served.url + path, headers=headers).status_code == 403, path


def posted(served: House) -> list[str]:
    """Every path that the interface says can be posted to."""
    told: dict[str, Any] = httpx.get(served.url + "/api/v1/openapi.json").json()["paths"]
    found = [path.replace("{name}", "ack") for path, methods in told.items() if "post" in methods]
    assert "/api/v1/data/decisions" in found
    return found


def test_a_link_on_another_site_may_be_followed(served: House) -> None:
    """That is how people come to a page."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert httpx.get(served.url + "/", headers=headers).status_code == 200
    assert httpx.post(served.url + "/api/v1/data/decisions", content=b"{}", headers=headers).status_code == 403


WAYS = [
    "../",
    "%2e%2e/",
    "..%2f",
    "%2e%2e%2f",
    "..%5c",
    "..\\",
    "....//",
    "..;/",
    ".%2e/",
    "%252e%252e%252f",
    "..%00/",
    "..%c0%af",
]
GOALS = ["server.py", "guard.py", "../../settings/sections.py", "etc/passwd", "static/index.html", "vendor/LICENSE"]
STARTS = ["/static/", "/", "//static//", "/static/vendor/", "/api/v1/", "http://localhost/static/", "file:///"]


def test_no_spelling_of_a_path_leads_out(served: House) -> None:
    """500 spellings in absolute, doubled, encoded and half-encoded form: none shows a byte of a file that is not the page's."""
    spelled = [s + way * deep + goal for s, way, goal, deep in product(STARTS, WAYS, GOALS, (1,))]
    assert len(spelled) == 504
    statuses = {
        path: served.say(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())[9:12]
        for path in spelled
    }
    assert {path: status for path, status in statuses.items() if status not in (b"400", b"404")} == {}
