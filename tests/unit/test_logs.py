"""One record is one line, and no line holds a secret."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from riskd.observe.logs import HumanLines, JsonLines, configure_logging

pytestmark = pytest.mark.unit

SECRET = 'p"ss\nwörd'


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, as it was before, after the test."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("riskd.x", logging.WARNING, "f.py", 1, message, arguments, None)
    made.created = 1_795_000_000.25
    vars(made).update(extra)
    return made


def test_a_json_line_is_complete() -> None:
    """Time in UTC, level, logger, message and what extra brought, as one JSON object."""
    line = JsonLines().format(record("%s of %d", "one", 2, event={"id": "e1", "n": [1, None, True]}))
    assert json.loads(line) == {
        "time": "2026-11-18T11:06:40.250+00:00",
        "level": "warning",
        "logger": "riskd.x",
        "message": "one of 2",
        "event": {"id": "e1", "n": [1, None, True]},
    }


@pytest.mark.parametrize("forged", ["\nINFO breach cleared", "\r", "\x1b[2J", "\u2028x", "\x00", "\x85"])
def test_no_value_can_forge_a_line(forged: str) -> None:
    """Line breaks, escapes and separators inside a value stay inside their record, in both formats."""
    for formatter in (JsonLines(), HumanLines()):
        line = formatter.format(record("seen %s", f"a{forged}b"))
        assert len(line.splitlines()) == 1
        assert all(c.isprintable() for c in line)
    assert json.loads(JsonLines().format(record("%s", forged)))["message"] == forged


def test_secrets_are_masked_wherever_they_are() -> None:
    """In the message, in extra fields, in keys, and in a traceback, also where JSON would have escaped them."""
    try:
        raise ValueError(f"login with {SECRET} failed")
    except ValueError as error:
        made = record("%s", SECRET, url={"user:" + SECRET: [SECRET]})
        made.exc_info = (type(error), error, error.__traceback__)
    fields = json.loads(JsonLines([SECRET]).format(made))
    assert SECRET not in str(fields)
    assert "p\\" not in str(fields)
    assert fields["message"] == "***"
    assert fields["url"] == {"user:***": ["***"]}
    assert "login with *** failed" in fields["traceback"]
    assert SECRET not in HumanLines([SECRET]).format(made)


def test_a_number_that_json_lacks_becomes_text() -> None:
    """NaN in a field leaves the line valid JSON for every reader."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    line = JsonLines().format(record("x", ratio=float("nan")))
    assert json.loads(line, parse_constant=refuse)["ratio"] == "nan"


def test_the_stream_decides_the_format(root: logging.Logger) -> None:
    """People at a terminal get words, everything else gets JSON, and nothing else writes."""
    for stream, human in ((Terminal(), True), (io.StringIO(), False)):
        configure_logging(stream, "info", ["canary"])
        assert len(root.handlers) == 1
        logging.getLogger("riskd.test").info("started with canary")
        logging.getLogger("riskd.test").debug("unseen")
        (line,) = stream.getvalue().splitlines()
        assert line.startswith("{") is not human
        assert "started with ***" in line
