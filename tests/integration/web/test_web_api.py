"""The HTTP interface, spoken to over a real socket."""

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from importlib.resources import files
from typing import Any

import httpx
import pytest

from riskd.core.canonical import plain
from riskd.errors import ConfigError, DataError
from riskd.web.assets import NAMES
from riskd.web.headers import HEADERS
from riskd.web.server import listen

pytestmark = pytest.mark.integration


def refusal(answer: httpx.Response) -> dict[str, Any]:
    """The problem document of an answer, checked for its form."""
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert body["title"] and "\n" not in body["detail"]
    return body


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/favicon.ico", "/api/v1/status", "/healthz", "/metrics", "/nowhere"])
def test_every_answer_carries_the_headers(site: Any, path: str) -> None:
    """Policy, no-store and nosniff are on every answer, refusals included; no cookie is on any."""
    answer = httpx.get(site.url + path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "set-cookie" not in answer.headers
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_health_metrics_and_status(site: Any) -> None:
    """A ready daemon answers 200 everywhere and its status is the snapshot."""
    assert httpx.get(site.url + "/healthz").status_code == 200
    assert httpx.get(site.url + "/readyz").json() == {"ready": True, "problems": [], "delivery": []}
    metrics = httpx.get(site.url + "/metrics")
    assert (metrics.text, metrics.headers["content-type"]) == ("riskd_up 1\n", "text/plain; version=0.0.4; charset=utf-8")
    assert httpx.get(site.url + "/api/v1/status").json() == json.loads(json.dumps(plain(site.board.snapshot)))


def test_not_ready_says_why(new_site: Any) -> None:
    """A daemon that cannot judge yet is alive but not ready, and lists the reasons."""
    assert httpx.get(new_site.url + "/healthz").status_code == 200
    answer = httpx.get(new_site.url + "/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["no session has been computed yet"])


def test_history_is_the_newest_rows_oldest_first(site: Any) -> None:
    """``last`` rows come, the newest of them last."""
    rows = httpx.get(site.url + "/api/v1/portfolios/growth/history?last=3").json()
    assert [r["session"] for r in rows] == ["2026-11-18", "2026-11-19", "2026-11-20"]
    assert rows == site.archive.reports("growth", 3)
    assert len(httpx.get(site.url + "/api/v1/portfolios/growth/history").json()) == 250


def test_a_series_is_the_history_in_columns(site: Any) -> None:
    """Every figure, limit, loss and weight of 250 sessions to six places, with gaps where there were none, in under 100 kB."""
    rows = site.archive.rows["growth"]
    other = {"SPY": 0.5, "GLD": 0.3}
    rows[100] = replace(rows[100], figures=rows[100].figures[1:], limits=(), realised_loss=None, weights=other, cash=0.2)
    answer = httpx.get(site.url + "/api/v1/portfolios/growth/series")
    found, history = answer.json(), httpx.get(site.url + "/api/v1/portfolios/growth/history").json()
    assert len(answer.content) < 100_000
    assert found["sessions"] == [r["session"] for r in history]
    losses = [r["realised_loss"] for r in history]
    assert (found["loss"].pop(100), losses.pop(100)) == (None, None)
    assert found["loss"] == pytest.approx(losses, abs=5.1e-7)
    for place, row in enumerate(history):
        for figure in row["figures"]:
            (column,) = [f for f in found["figures"] if (f["level"], f["horizon"]) == (figure["level"], figure["horizon"])]
            for name in ("var", "var_low", "var_high", "cvar", "cvar_low", "cvar_high"):
                assert column[name][place] == pytest.approx(figure[name], abs=5.1e-7)
        told = {x["name"]: (x["max_cvar"][place], x["state"][place]) for x in found["limits"] if x["state"][place]}
        assert told == {x["name"]: (pytest.approx(x["max_cvar"], abs=5.1e-7), x["state"]) for x in row["limits"]}
    assert [f["var"][100] for f in found["figures"]].count(None) == 1
    assert [(h["row"], h["weights"]) for h in found["holdings"]][1:] == [(100, other), (101, rows[101].weights)]
    assert len(httpx.get(site.url + "/api/v1/portfolios/growth/series?last=2").json()["sessions"]) == 2


def test_scenarios_are_shapes_of_the_board(site: Any) -> None:
    """Histograms and quantiles as exhibited, never a scenario; of a portfolio without figures no horizon."""
    answer = httpx.get(site.url + "/api/v1/portfolios/growth/scenarios")
    shape = next(s for s in site.board.exhibits.shapes if s.portfolio == "growth")
    assert answer.json() == json.loads(json.dumps(plain(shape)))
    assert len(answer.content) < 4096
    assert httpx.get(site.url + "/api/v1/portfolios/frontier/scenarios").json()["horizons"] == []


def test_model_health_is_read_once_a_session(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A year of reports is scored for the first reader only, and again when there is a new report."""
    first = httpx.get(site.url + "/api/v1/portfolios/growth/model").json()
    assert [e["name"] for e in first["contests"][0]["entrants"]][0] == "lstm-jsu"
    assert {e["name"] for e in first["contests"][0]["entrants"]} == {"lstm-jsu", "gjr-fhs", "historical"}
    read = site.archive.reports
    asked: list[str] = []
    monkeypatch.setattr(site.archive, "reports", lambda name, last: asked.append(name) or read(name, last))
    assert httpx.get(site.url + "/api/v1/portfolios/growth/model").json() == first
    assert asked == []
    site.pin(reports=tuple(replace(r, notes=("new",)) for r in site.board.snapshot.reports))
    httpx.get(site.url + "/api/v1/status")  # after the pin
    assert httpx.get(site.url + "/api/v1/portfolios/growth/model").json() == first
    assert asked == ["growth"]


def test_every_registered_system_is_listed(site: Any) -> None:
    """All of the packaged catalogue with its scores as they are in it, and what of it runs here."""
    found = {s["name"]: s for s in httpx.get(site.url + "/api/v1/systems").json()}
    catalogue = json.loads(files("riskd.lab").joinpath("systems.json").read_text())["systems"]
    assert [name for name in found if name != "mine"] == [s["name"] for s in catalogue]
    for system in catalogue:
        scores = [{k: v for k, v in score.items() if v is not None} for score in found[system["name"]]["scores"]]
        assert scores == system["scores"]
    assert found["lstm-jsu"]["here"] == [{"name": "lstm-jsu", "role": "champion"}]
    assert found["LSTM-Copula"]["here"] == [{"name": "lstm-copula", "role": "rival"}]
    assert found["mine"]["here"] == [{"name": "mine", "role": "anchored rival"}] and found["mine"]["scores"] == []
    assert found["ewma-t"]["here"] == []


def test_runs_are_newest_first(site: Any) -> None:
    """``last`` steps with their stages, a failed one with its reason."""
    runs = httpx.get(site.url + "/api/v1/runs").json()
    assert [r["what"] for r in runs] == ["allocation growth", "figures", "prices"]
    assert runs[2]["fault"] == "no source answers" and runs[2]["stages"][0]["failed"]
    assert [r["what"] for r in httpx.get(site.url + "/api/v1/runs?last=1").json()] == ["allocation growth"]


def test_alerts_are_newest_first(site: Any) -> None:
    """``last`` alerts come as the archive tells them."""
    assert [a["kind"] for a in httpx.get(site.url + "/api/v1/alerts?last=2").json()] == ["allocation.proposed", "breach.opened"]


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/nowhere", 404, "/nowhere"),
        ("/api/v1/portfolios/absent/history", 404, "absent"),
        ("/api/v1/portfolios/Growth/history", 422, "name"),
        ("/api/v1/portfolios/growth%0a/history", 422, "name"),
        (f"/api/v1/portfolios/{'a' * 33}/history", 422, "name"),
        ("/api/v1/portfolios/growth/history?last=0", 422, "last"),
        ("/api/v1/portfolios/growth/history?last=2501", 422, "last"),
        ("/api/v1/portfolios/growth/history?last=1e3", 422, "last"),
        ("/api/v1/portfolios/growth/history?last=nan", 422, "last"),
        (f"/api/v1/alerts?last={'9' * 5000}", 422, "last"),
        ("/api/v1/alerts?last=", 422, "last"),
        ("/api/v1/portfolios/absent/scenarios", 404, "absent"),
        ("/api/v1/portfolios/absent/model", 404, "absent"),
        ("/api/v1/portfolios/absent/series", 404, "absent"),
        ("/api/v1/portfolios/growth/series?last=501", 422, "last"),
        ("/api/v1/portfolios/Growth/model", 422, "name"),
        ("/api/v1/runs?last=61", 422, "last"),
    ],
)
def test_a_wrong_request_is_refused_by_name(site: Any, path: str, status: int, word: str) -> None:
    """The problem document names what was wrong; nothing is a 500."""
    answer = httpx.get(site.url + path)
    assert answer.status_code == status
    assert word in refusal(answer)["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"])
def test_only_get_is_offered(site: Any, method: str) -> None:
    """Nothing can be changed through this server."""
    answer = httpx.request(method, site.url + "/api/v1/status")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "riskd.test", "riskd.test:80"])
def test_own_hosts_are_served(site: Any, host: str) -> None:
    """Loopback names and the configured one pass, whatever the port."""
    assert httpx.get(site.url + "/healthz", headers={"Host": host}).status_code == 200


FOREIGN = ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "riskd.test.", "", "[::1", "[::1]evil", "a:b:c"]


@pytest.mark.parametrize("host", FOREIGN)
def test_foreign_hosts_are_refused(site: Any, host: str) -> None:
    """A rebound name reaches nothing: 421 on the page, the figures and the metrics."""
    for path in ("/", "/api/v1/status", "/metrics"):
        answer = httpx.get(site.url + path, headers={"Host": host})
        assert answer.status_code == 421
        assert "use one of 127.0.0.1, ::1, localhost, riskd.test" in refusal(answer)["detail"]


UP = ["..", "%2e%2e", "%2E%2E", ".%2e", "%252e%252e", "..%00", "..;", "%c0%ae%c0%ae"]
SLASHES = ["/", "%2f", "%5c", "\\", "//", "%252f"]
TARGETS = ["etc/passwd", "server.py", "web/server.py", "__init__.py", "errors.py"]
STEPS = [(up + slash) * depth for up in UP for slash in SLASHES for depth in (1, 6)]
TRAVERSALS = [f"/static/{steps}{target}" for steps in STEPS for target in TARGETS]


def raw_get(port: int, target: str) -> tuple[int, bytes]:
    """GET without a client that tidies the path; (status, body)."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def test_no_path_leads_out_of_the_page(site: Any) -> None:
    """Of 480 spellings of a way up none finds a file."""
    assert len(TRAVERSALS) == 480
    others = ["/static//app.js", "/static/", "/static/vendor", "/static/app.js%00"]
    assert [t for t in [*TRAVERSALS, *others] if raw_get(site.port, t)[0] not in (400, 404)] == []


def test_only_listed_files_are_served(site: Any) -> None:
    """Every listed file is served byte for byte with its type; a file that lies beside them is not."""
    folder = files("riskd.web") / "static"
    for name in NAMES:
        assert httpx.get(f"{site.url}/static/{name}").content == (folder / name).read_bytes()
    assert (folder / "vendor/LICENSE").is_file()
    assert httpx.get(site.url + "/static/vendor/LICENSE").status_code == 404
    assert httpx.get(site.url + "/static/app.js").headers["content-type"] == "text/javascript; charset=utf-8"


def test_vendored_files_are_the_recorded_ones() -> None:
    """The hashes in the vendor folder's README are those of the files."""
    folder = files("riskd.web") / "static" / "vendor"
    readme = (folder / "README.md").read_text()
    for name in ("uPlot.iife.min.js", "uPlot.min.css", "LICENSE"):
        assert f"`{sha256((folder / name).read_bytes()).hexdigest()}`" in readme


def test_a_failing_archive_is_a_problem_not_a_traceback(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expected error is a 503 with its sentence; a bug is a 500 that gives nothing away and keeps the headers."""

    def unusable(last: int) -> list[dict[str, Any]]:
        raise DataError("the store cannot be read: disk I/O error")

    monkeypatch.setattr(site.archive, "alerts", unusable)
    answer = httpx.get(site.url + "/api/v1/alerts")
    assert (answer.status_code, refusal(answer)["detail"]) == (503, "the store cannot be read: disk I/O error")

    def broken(last: int) -> list[dict[str, Any]]:
        raise RuntimeError("secret")

    monkeypatch.setattr(site.archive, "alerts", broken)
    answer = httpx.get(site.url + "/api/v1/alerts")
    assert answer.status_code == 500
    assert "secret" not in refusal(answer)["detail"]
    assert answer.headers["cache-control"] == "no-store"


def test_the_event_loop_turns_while_the_archive_is_read(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A blocked archive holds up its own answer only."""
    entered, release = threading.Event(), threading.Event()

    def slow(last: int) -> list[dict[str, Any]]:
        entered.set()
        assert release.wait(30)
        return []

    monkeypatch.setattr(site.archive, "alerts", slow)
    answers: list[httpx.Response] = []
    reader = threading.Thread(target=lambda: answers.append(httpx.get(site.url + "/api/v1/alerts", timeout=60)))
    reader.start()
    assert entered.wait(30)
    assert httpx.get(site.url + "/healthz").status_code == 200
    assert answers == []
    release.set()
    reader.join()
    assert answers[0].status_code == 200


def test_the_stream_tells_every_change(site: Any) -> None:
    """The present snapshot comes first, then one event with a new id for each pin."""
    with httpx.stream("GET", site.url + "/api/v1/stream", timeout=30) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        lines = answer.iter_lines()
        first = next(line for line in lines if line.startswith("id: "))
        assert first == f"id: {site.board.snapshot.taken_at.isoformat()}"
        site.pin(phase="replay ended")
        second = next(line for line in lines if line.startswith("id: "))
        assert second > first
        assert next(lines) == "event: change"
        assert json.loads(next(lines).removeprefix("data: "))["phase"] == "replay ended"


def test_the_interface_describes_itself(site: Any) -> None:
    """The OpenAPI document lists the routes of the API and no page."""
    paths = httpx.get(site.url + "/api/v1/openapi.json").json()["paths"]
    assert "/api/v1/portfolios/{name}/history" in paths
    assert "/" not in paths
    for path in ("/api/v1/portfolios/{name}/scenarios", "/api/v1/portfolios/{name}/model", "/api/v1/systems", "/api/v1/runs"):
        assert paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]


def test_a_port_in_use_is_one_sentence(site: Any) -> None:
    """The error names the address and the key to set."""
    with pytest.raises(ConfigError) as caught:
        listen("127.0.0.1", site.port)
    assert str(caught.value) == f"127.0.0.1:{site.port} is in use by another program; stop it or set web.port to a free port"


def test_an_address_that_is_not_here_is_one_sentence() -> None:
    """A host of another machine, or no host at all, names the key to set."""
    for host in ("192.0.2.1", "no such host"):
        with pytest.raises(ConfigError, match=r"web\.host"):
            listen(host, 0)


def test_a_stopped_server_leaves_its_port(site: Any, serve: Callable[..., Any]) -> None:
    """After cancellation nothing listens and the same port can be had at once."""
    site.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(site.url + "/healthz")
    again = serve(replace(site.board.snapshot), site.archive, port=site.port)
    assert httpx.get(again.url + "/healthz").status_code == 200
