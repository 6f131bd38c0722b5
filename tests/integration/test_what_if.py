"""What-if on a real store and through a real server: the verb and the API say the same, and nothing else moves."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter
from test_kill import configuration
from typer.testing import CliRunner
from web.conftest import FakeArchive, desk, starting

from riskd.app.kit import hand_clock, load_forecaster, market_of, pipeline_of, rules_of, store_of
from riskd.app.what_if import WhatIf, past_its_time, read
from riskd.cli import app
from riskd.core.events import Outcome
from riskd.core.what_if.answer import Answer
from riskd.core.what_if.question import Question, QuestionError
from riskd.errors import RiskdError
from riskd.observe.board import Board
from riskd.runtime.pipeline import GIVEN_UP
from riskd.settings import load_settings
from riskd.store.ledger import Ledger
from riskd.web.server import create_app, listen, serve_on
from riskd.web.what_if import ASKERS, Asker

pytestmark = pytest.mark.integration
TRADE = "sell 2% AAPL buy KO"


@dataclass
class Day:
    """One session of a real crisis, published and committed."""

    config: Path
    asker: WhatIf
    outcome: Outcome
    board: Board


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Day:
    """A daemon's own pipeline over real prices, one session, and its store left as after a stop."""
    config = configuration(tmp_path_factory.mktemp("what-if"), root)
    text = config.read_text().replace("horizons = [1]", "horizons = [1, 5]")
    config.write_text(text.replace('name = "book"', 'name = "book"\nvalue = 200000.0'))
    settings = load_settings(config)
    rules = rules_of(settings, load_forecaster(settings))
    session = date(2020, 3, 9)
    market = market_of(settings, hand_clock(session))
    database = store_of(settings)
    pipeline = pipeline_of(settings, rules, market, database, Ledger(database))
    with pytest.raises(RiskdError, match="warming up"):
        pipeline.stored()
    market.release(market.eve(session))
    pipeline.open(market.eve(session))
    market.clock.move(market.calendar.over_at(session) + GIVEN_UP)  # type: ignore[attr-defined]
    market.release(session)
    outcomes = list(pipeline.catch_up((session,)))
    database.close()
    board = Board(starting())
    return Day(config, WhatIf(rules, pipeline.stored, past_its_time(board, market.clock.now)), outcomes[0], board)


@dataclass
class Gate:
    """An asker that waits until it may answer."""

    inside: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    open: threading.Event = field(default_factory=threading.Event)

    def ask(self, question: Question) -> dict[str, Any]:
        self.inside.release()
        assert self.open.wait(30)
        return {"portfolio": question.portfolio}


@pytest.fixture
def serve() -> Iterator[Callable[[Asker], str]]:
    """A real server on a free port, for one asker; gives its address."""
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None], threading.Thread]] = []

    def start(asker: Asker) -> str:
        loop, bound = asyncio.new_event_loop(), listen("127.0.0.1", 0)
        made = create_app(Board(starting()), FakeArchive(), lambda: (b"", "text/plain"), desk(), asker=asker)
        task = loop.create_task(serve_on(made, bound))

        def turn() -> None:
            with pytest.raises(asyncio.CancelledError):
                loop.run_until_complete(task)
            loop.close()

        thread = threading.Thread(target=turn)
        thread.start()
        running.append((loop, task, thread))
        return f"http://127.0.0.1:{bound.getsockname()[1]}"

    yield start
    for loop, task, thread in running:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


def post(url: str, body: object, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **headers}
    return httpx.post(f"{url}/api/v1/what-if", content=content, headers=headers, timeout=60)


def verb(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["what-if", *arguments])
    return result.exit_code, result.stdout if result.exit_code in (0, 3) else result.output


def numbers(value: Any) -> list[float]:
    """Every number of an answer, in order."""
    if isinstance(value, dict):
        return [n for key in sorted(value) for n in numbers(value[key])]
    if isinstance(value, list):
        return [n for each in value for n in numbers(each)]
    return [float(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []


QUESTIONS = {
    "trades": ({"trades": TRADE, "limit": 0.04}, (TRADE, "--limit", "0.04")),
    "optimum": ({"optimise": "profit", "limit": 0.05, "horizon": 5}, ("--optimise", "--limit", "0.05", "--horizon", "5")),
    "weights": ({"weights": {"AAPL": 0.5, "KO": 0.25}, "level": 0.9}, ("--weights", "AAPL=0.5,KO=0.25", "--alpha", "0.9")),
    "frontier": (
        {"optimise": "cvar", "bounds": {"AAPL": [0.1, 0.3]}, "frontier": True},
        ("--least", "--bound", "AAPL=0.1:0.3", "--frontier"),
    ),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_verb_and_the_api_say_the_same(name: str, day: Day, serve: Callable[[Asker], str]) -> None:
    """From the daemon's memory over HTTP and from its store by the verb: every number within 1e-9, the same scenarios."""
    body, arguments = QUESTIONS[name]
    answer = post(serve(day.asker), body)
    assert answer.status_code == 200, answer.text
    code, said = verb(*arguments, "--json", "-c", str(day.config))
    assert code == 0, said
    here, there = answer.json(), json.loads(said)
    assert here["stamp"] == there["stamp"]
    assert numbers(there) == pytest.approx(numbers(here), rel=1e-9, abs=1e-9)
    assert [o["symbol"] for o in here["orders"]] == [o["symbol"] for o in there["orders"]]


def test_nothing_asked_is_the_published_figure(day: Day, serve: Callable[[Asker], str]) -> None:
    """Without a trade the API gives the CVaR of the report, with its interval."""
    found = post(serve(day.asker), {}).json()
    figure = day.outcome.reports[0].figures[0]
    told = found["after"]["risk"]
    assert [told["cvar"], told["cvar_low"], told["var"]] == pytest.approx([figure.cvar, figure.cvar_low, figure.var], rel=1e-8)
    assert found["stamp"]["bank"] == day.outcome.reports[0].provenance.bank


def test_the_answer_is_what_the_schema_says(day: Day, serve: Callable[[Asker], str]) -> None:
    """OpenAPI names question and answer, with an example that parses; a whole answer validates against its type."""
    url = serve(day.asker)
    schema = httpx.get(f"{url}/api/v1/openapi.json").json()
    operation = schema["paths"]["/api/v1/what-if"]["post"]
    assert operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Answer")
    asked = schema["components"]["schemas"]["Asked"]
    assert read(asked["examples"][0]).limit == 0.035
    found = post(url, {"trades": TRADE, "limit": 0.001, "frontier": True}).json()
    TypeAdapter(Answer).validate_python(found)
    assert set(found) == set(schema["components"]["schemas"]["Answer"]["properties"])


WRONG = {
    "unknown key": ({"trade": TRADE}, "trade"),
    "a word": ({"trades": "sell 2% AAPL buy APL"}, "'apl' at character 18: is not in the universe; did you mean aapl?"),
    "a number as text": ({"limit": "0.02"}, "limit"),
    "NaN": (b'{"limit": NaN}', "limit"),
    "too large": ({"limit": 2}, "limit"),
    "horizon": ({"horizon": 4}, "scenarios.horizons"),
    "array": (b"[]", "request"),
    "no JSON": (b"{", "json"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_question_is_a_problem(name: str, day: Day, serve: Callable[[Asker], str]) -> None:
    """422 with one sentence that names key or word, as problem details."""
    body, words = WRONG[name]
    answer = post(serve(day.asker), body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert words in answer.json()["detail"].lower()
    assert "\n" not in answer.json()["detail"]


def test_only_so_many_at_once_and_the_loop_goes_on(serve: Callable[[Asker], str]) -> None:
    """With two questions being answered a third gets 429 at once and health answers; once they are done, questions pass again."""
    gate = Gate()
    url = serve(gate)
    codes: list[int] = []
    asking = [threading.Thread(target=lambda: codes.append(post(url, {}).status_code)) for _ in range(ASKERS)]
    for thread in asking:
        thread.start()
    for _ in asking:
        assert gate.inside.acquire(timeout=30)
    refused = post(url, {})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert httpx.get(f"{url}/healthz").status_code == 200
    gate.open.set()
    for thread in asking:
        thread.join()
    assert codes == [200] * ASKERS
    assert post(url, {}).status_code == 200


def test_the_door(day: Day, serve: Callable[[Asker], str]) -> None:
    """Another site's page gets 403, a body over 64 KiB 413, a GET 405."""
    url = serve(day.asker)
    assert post(url, {}, Origin="https://elsewhere.test").status_code == 403
    assert post(url, {"trades": " " * 70_000}).status_code == 413
    assert httpx.get(f"{url}/api/v1/what-if").status_code == 405


def test_a_message_is_a_question_too(day: Day) -> None:
    """Bytes as another door hands them in: the same answer; nonsense is refused in one line."""
    assert day.asker.answer(json.dumps({"trades": TRADE}).encode()) == day.asker.answer({"trades": TRADE})
    for body in (b"", b"[]", b"\xff", b"{" * 5000, b'{"limit": NaN}', b'{"trades": 5}'):
        with pytest.raises(QuestionError) as caught:
            day.asker.answer(body)
        assert "\n" not in str(caught.value)


def test_tables_and_exit_codes(day: Day) -> None:
    """Tables for people; 3 where a limit does not hold and that was asked, 2 for a slip, 78 without a store."""
    code, said = verb(TRADE, "--limit", "0.001", "--fail-on-breach", "-c", str(day.config))
    assert code == 3
    for words in ("CVaR", "asked", "BROKEN", "sell  AAPL", "buy   KO", "NOT be met", "cheapest way", "bank A-"):
        assert words in said, said
    code, said = verb("sell 2% APL", "-c", str(day.config))
    assert (code, said.count("\n")) == (2, 1)
    assert "riskd: trades: 'APL' at character 9" in said
    empty = day.config.parent / "empty.toml"
    empty.write_text(day.config.read_text().replace('state = "state"', 'state = "nowhere"'))
    code, said = verb(TRADE, "-c", str(empty))
    assert code == 78, said


def test_a_store_of_other_holdings_is_refused(day: Day) -> None:
    """Figures of one book are not told of another: exit 78 with what to do."""
    other = day.config.parent / "other.toml"
    other.write_text(day.config.read_text().replace("AAPL = 0.4, JPM = 0.4", "AAPL = 0.5, JPM = 0.3"))
    code, said = verb(TRADE, "-c", str(other))
    assert code == 78, said
    assert "was written with other symbols, holdings or another model" in said


def test_old_scenarios_are_said(day: Day) -> None:
    """Once the figures were due to be replaced, the first warning says so."""
    assert not any("were to be replaced" in w for w in day.asker.answer({})["warnings"])
    fresh = day.board.snapshot
    day.board.snapshot = replace(fresh, valid_until=datetime(2020, 1, 1, tzinfo=UTC))
    assert "were to be replaced by 2020-01-01" in day.asker.answer({})["warnings"][0]
    day.board.snapshot = fresh
