"""A thousand expensive questions at once."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from web.house import everything, house

from riskd.core.what_if.question import Question
from riskd.web.door import Limits
from riskd.web.what_if import ASKERS

pytestmark = pytest.mark.integration
BODY = b'{"portfolio": "growth"}'
HEAD = b"POST /api/v1/what-if HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
ASK = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


class Gate:
    """Answers when it may, and knows how many waited for it at once."""

    def __init__(self) -> None:
        self.open, self.inside, self.most = threading.Event(), 0, 0
        self._lock = threading.Lock()

    def ask(self, question: Question) -> dict[str, Any]:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        assert self.open.wait(60)
        with self._lock:
            self.inside -= 1
        return {}


def resident() -> int:
    """Bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_a_thousand_questions_are_two_answers_and_refusals() -> None:
    """Never more than two are worked on, whoever cannot be taken is told so or hung up on, and a GET is answered meanwhile."""
    gate = Gate()
    with house(Limits(), asker=gate) as served:
        before, callers = resident(), [served.call(ASK) for _ in range(1000)]
        assert httpx.get(served.url + "/healthz", timeout=30).status_code == 200
        grown = resident() - before
        gate.open.set()
        statuses = Counter(everything(caller)[9:12].decode() or "hung up" for caller in callers)
    assert gate.most == ASKERS
    assert statuses["200"] == ASKERS
    assert statuses["429"] > 0
    assert statuses.total() == 1000
    assert set(statuses) <= {"200", "429", "503", "hung up"}
    assert grown < 32e6
