"""Requests that schemathesis makes up from the interface's own description, and what it holds against the answers."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance
from web.conftest import TOKEN
from web.house import House, house

from riskd.app.what_if import WhatIf
from riskd.core.command import Command, Refusal
from riskd.core.receipt import Fate, Receipt, receipt_of, refused
from riskd.web.door import Limits
from what_if_ground import ground_rules, published

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ENDLESS = "/api/v1/stream"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
VALID, INVALID = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE


@dataclass
class Fuzzed:
    """What came back."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return self.statuses.total()


async def heed(asked: Command | Refusal) -> Receipt:
    """Reads every command and does nothing."""
    at = datetime.now(UTC)
    return refused(asked, at) if isinstance(asked, Refusal) else receipt_of(asked, Fate.REJECTED, "nobody heeds it here", at)


@contextmanager
def whole_house() -> Iterator[House]:
    """A server with everything that the interface describes: real questions to a real engine, a real store of prices."""
    asker = WhatIf(ground_rules(), lambda: (published()[0], None))
    with house(Limits(), asker=asker, heed=heed) as served:
        yield served


def settings_of(examples: int) -> settings:
    """Nothing is kept, and nothing made smaller: every request counts."""
    return settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )


def fuzz(url: str, examples: int, number: int = 0) -> Fuzzed:
    """``examples`` valid and as many invalid requests to every operation."""
    described = requests.get(f"{url}/api/v1/openapi.json", timeout=30).json()
    schema, found = schemathesis.openapi.from_dict(described), Fuzzed()
    with requests.Session() as session:
        for result in schema.get_all_operations():
            operation: Any = result.ok()
            if operation.path != ENDLESS:
                known = {"path_parameters": {"name": "growth"}} if "/portfolios/" in operation.path else {}
                for mode, fixed in ((VALID, {}), (INVALID, {}), *([(VALID, known)] if known else [])):
                    strategy = operation.as_strategy(generation_mode=mode, **fixed)
                    _ask(url, session, strategy, settings_of(examples), number, found)
    return found


def _ask(url: str, session: requests.Session, cases: Any, bounds: settings, number: int, found: Fuzzed) -> None:
    @seed(number)
    @bounds
    @given(case=cases)
    def ask(case: Any) -> None:
        answer = case.call(base_url=url, session=session, headers=BEARER, timeout=60)
        label = case.operation.label
        found.statuses[label, answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except BaseExceptionGroup as group:
            found.failures += [f"{label}: {case.as_curl_command()}: {error}" for error in group.exceptions]
        except AssertionError as error:
            found.failures.append(f"{label}: {case.as_curl_command()}: {error}")

    with suppress(Unsatisfiable):  # there is no such request, so nothing can be wrong with it
        ask()
