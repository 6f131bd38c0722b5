"""A Yahoo on this machine: a proxy that ends every TLS tunnel itself and answers from recordings."""

import json
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from riskd.feeds.feed import Closed, Notes, Sessions
from riskd.feeds.limiter import Limiter, Pace
from riskd.feeds.yahoo import Patience, YahooFeed
from riskd.runtime.calendar import Venue
from riskd.runtime.venues import venue_named
from riskd.settings.symbols import listing

RECORDINGS = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "yahoo_wire"
CHART = "/v8/finance/chart/"
FIVE_SECONDS = Patience(request=5.0)
COOKIE = "A3=d=AQ; Max-Age=31536000; Domain=.yahoo.com; Path=/; Secure"


@dataclass
class Answer:
    """What the server does with one request; ``cut`` closes the connection half-way, ``hang`` waits for the test's end."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json;charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: bool = False


def recorded(name: str) -> Answer:
    """The one recording under chart/ whose name starts with ``name``."""
    (path,) = (RECORDINGS / "chart").glob(f"{name}*.json")
    response = json.loads(path.read_text())["response"]
    return Answer(response["status"], json.dumps(response["body"]).encode())


def edited(name: str, change: Callable[[dict[str, Any]], None]) -> Answer:
    """A recording with a fault worked into its first result."""
    answer = recorded(name)
    body = json.loads(answer.body)
    change(body["chart"]["result"][0])
    return Answer(body=json.dumps(body).encode())


def failure(name: str) -> Answer:
    """A recording under errors/."""
    response = json.loads((RECORDINGS / "errors" / f"{name}.json").read_text())["response"]
    return Answer(response["status"], response["body_text"].encode(), response["headers"]["content-type"])


@dataclass
class FakeYahoo:
    """Answers by symbol; a list is used up one by one, its last stays. ``asked`` holds (host, path) of every request."""

    answers: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    crumb: Answer = field(default_factory=lambda: Answer(body=b"AbCdEfGhIjK", kind="text/plain"))
    asked: list[tuple[str, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    address: str = ""
    ca_bundle: Path | None = None

    @property
    def charts(self) -> list[str]:
        """The symbols whose chart was asked for, in order, the question for the time zone included."""
        return [unquote(urlsplit(path).path.removeprefix(CHART)) for _, path in self.asked if path.startswith(CHART)]

    def answer(self, host: str, path: str) -> Answer:
        self.asked.append((host, path))
        if path.startswith(CHART):
            planned = self.answers[self.charts[-1]]
            if isinstance(planned, list):
                return planned.pop(0) if len(planned) > 1 else planned[0]
            return planned
        if path.endswith("/getcrumb"):
            return self.crumb
        return Answer(404, b"", headers={"Set-Cookie": COOKIE})  # fc.yahoo.com answers so, with a cookie


class _Tunnel(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    yahoo: FakeYahoo
    tls: ssl.SSLContext
    host = ""

    def do_CONNECT(self) -> None:
        self.host = self.path.split(":")[0]
        self.send_response(200)
        self.end_headers()
        self.connection = self.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def do_GET(self) -> None:
        answer = self.yahoo.answer(self.host, self.path)
        if answer.hang:
            self.yahoo.over.wait(30)
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in ({"Content-Type": answer.kind, "Content-Length": str(len(answer.body))} | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)
        self.close_connection = answer.cut

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet: ``asked`` is the log."""


class VirtualTime:
    """Monotonic seconds that pass only in ``sleep`` and by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate, with its key in the same file, for the names that yfinance calls."""
    if not RECORDINGS.is_dir():
        pytest.skip("no recorded Yahoo answers beside the repository")
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    pem = tmp_path_factory.mktemp("tls") / "yahoo.pem"
    names = "subjectAltName=DNS:*.finance.yahoo.com,DNS:*.yahoo.com"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=fake yahoo"]
    subprocess.run([*command, "-addext", names, "-keyout", pem, "-out", pem.with_suffix(".crt")], check=True, capture_output=True)
    pem.write_bytes(pem.read_bytes() + pem.with_suffix(".crt").read_bytes())
    return pem


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yfinance")


@pytest.fixture
def yahoo(certificate: Path) -> Iterator[FakeYahoo]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    fake = FakeYahoo()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Tunnel", (_Tunnel,), {"yahoo": fake, "tls": tls}))
    server.handle_error = lambda request, address: None  # type: ignore[method-assign]  # clients hang up on purpose
    fake.address, fake.ca_bundle = f"http://127.0.0.1:{server.server_port}", certificate.with_suffix(".crt")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield fake
    fake.over.set()
    server.shutdown()
    server.server_close()
    assert all(host.endswith(".yahoo.com") for host, _ in fake.asked)


@pytest.fixture(scope="session")
def sessions() -> Sessions:
    """Of the exchange that a symbol's name says, New York's where it says none."""
    venues: dict[str, Venue] = {}

    def of(symbol: str, first: date, last: date) -> tuple[date, ...]:
        name = listing(symbol).exchange or "XNYS"
        if name not in venues:
            venues[name] = venue_named(name, timedelta(0), date(2026, 11, 21))
        return venues[name].sessions(first, last)

    return of


class Drawer:
    """Notes in memory, as JSON: what a restart leaves."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, key: str) -> Any:
        return json.loads(self.kept[key]) if key in self.kept else None

    def put(self, key: str, value: object) -> None:
        self.kept[key] = json.dumps(value, allow_nan=False)


@pytest.fixture
def virtual() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def feed(yahoo: FakeYahoo, cache: Path, virtual: VirtualTime, sessions: Sessions) -> Callable[..., YahooFeed]:
    """Makes the real feed, whose only way out is the fake Yahoo; ``real_time`` lets the deadline of a pull run."""

    def make(
        now: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC),
        closed: Closed = lambda symbol, session: True,
        patience: Patience = FIVE_SECONDS,
        real_time: bool = False,
        proxy: str | None = None,
        units: Callable[[str], str | None] = lambda symbol: None,
        notes: Notes | None = None,
    ) -> YahooFeed:
        uniform = Random(7).random
        clock, sleep = (time.monotonic, time.sleep) if real_time else (virtual, virtual.sleep)
        limiter = Limiter(clock, sleep, uniform, Pace(interval=0.01) if real_time else Pace())
        passed = (lambda: 0.0) if real_time else virtual
        return YahooFeed(
            now=lambda: now + timedelta(seconds=passed()),
            closed=closed,
            sessions=sessions,
            limiter=limiter,
            units=units,
            notes=notes,
            cache=cache,
            patience=patience,
            proxy=proxy or yahoo.address,
            ca_bundle=yahoo.ca_bundle,
        )

    return make
