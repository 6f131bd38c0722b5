"""Logging for machines and for people: one record is one line, and a secret never is in it."""

import json
import logging
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO

MASK = "***"
SHORTEST_SECRET = 4  # a shorter one would mask half of the log
QUIET = ("mqtt", "amqtt", "apscheduler", "urllib3", "uvicorn", "yfinance", "peewee")
STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def one_line(text: str) -> str:
    """``text`` with every control character, line and paragraph separator escaped, so that no value can forge a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Masked(logging.Formatter):
    """Replaces known secrets by a mask, wherever in a record they occur."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=len, reverse=True)

    def masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def masked_value(self, value: object) -> object:
        """Mask inside containers too; what JSON cannot hold becomes text."""
        if isinstance(value, dict):
            return {self.masked(str(k)): self.masked_value(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.masked_value(v) for v in value]
        number = isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value))
        return value if value is None or number else self.masked(str(value))


class JsonLines(Masked):
    """One JSON object per record: time (UTC), level, logger, message, what ``extra`` brought, and the traceback of a bug."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {k: v for k, v in vars(record).items() if k not in STANDARD}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(self.masked_value(fields))


class HumanLines(Masked):
    """Time (UTC), level, message; the traceback of a bug follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        line = f"{time} {record.levelname.lower():7} {one_line(self.masked(record.getMessage()))}"
        return f"{line}\n{self.masked(self.formatException(record.exc_info))}" if record.exc_info else line


def configure_logging(stream: TextIO, level: str = "info", secrets: Iterable[str] = ()) -> None:
    """Send every record to ``stream`` alone: human lines on a terminal, JSON lines elsewhere. ``secrets`` are masked."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(HumanLines(secrets) if stream.isatty() else JsonLines(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
