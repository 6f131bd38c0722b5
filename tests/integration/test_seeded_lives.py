"""Seeded lives of the daemon with faults, and the verifier that holds it to its promises; the long form is in benchmarks/soak."""

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "soak"))

from seeded import Life, many
from verifier import Broken, Facts, Verifier

pytestmark = pytest.mark.integration
LIVES = 40


def test_no_promise_is_broken() -> None:
    """Forty lives, some in SQLite, some folded again: no violation, and every kind of fault was met."""
    broken, done = many(0, LIVES)
    assert broken == []
    wanted = {"close", "again", "void", "turn", "word", "limits_changed", "model_changed", "crash", "undone", "delivered twice"}
    assert wanted <= set(done)


class Recorder(Verifier):
    """Keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[Any, list[str], Facts]] = []

    def commit(self, outcome: Any, events: list[str], facts: Facts) -> None:
        self.shown.append((outcome, events, facts))
        super().commit(outcome, events, facts)


def lie(change: Callable[[Any], bool]) -> Callable[[Any, list[str]], list[str] | None]:
    """A report changed where ``change`` finds what it needs; the events stay."""

    def told(outcome: Any, events: list[str]) -> list[str] | None:
        return events if any(change(report) for report in outcome["reports"]) else None

    return told


def green(r: Any) -> bool:
    """Breach shown as OK."""
    r["status"], found = "OK", r["status"] == "BREACH"
    return bool(found)


def grade(r: Any) -> bool:
    """Prices that are not there count as there."""
    found = r["grade"] in "BCD" and r["coverage"] < 1
    r["grade"] = "A"
    return bool(found)


def figure(r: Any) -> bool:
    """VaR over CVaR."""
    for f in r["figures"]:
        f["var"], f["cvar"] = f["cvar"] * 1.01, f["var"]
    return bool(r["figures"])


def state(r: Any) -> bool:
    """Over its limit, and clear."""
    over = [m for m in r["limits"] if m["probability"] and m["probability"] > 0.999 and m["state"] == "firing"]
    for m in over:
        m["state"] = "clear"
    r["status"] = "OK" if over else r["status"]
    return bool(over)


def nameless(r: Any) -> bool:
    """A figure without its model."""
    r["provenance"]["model"] = ""
    return bool(r["figures"])


def swallowed(outcome: Any, events: list[str]) -> list[str] | None:
    """The breach is not told."""
    kept = [body for body in events if json.loads(body)["data"]["kind"] not in ("breach.opened", "breach.group")]
    return kept if len(kept) < len(events) else None


def doubled(outcome: Any, events: list[str]) -> list[str] | None:
    """The breach is told twice, by two ids."""
    found = [json.loads(body) for body in events if json.loads(body)["data"]["kind"] == "breach.opened"]
    return [*events, json.dumps(found[0] | {"id": "other"})] if found else None


LIES = [lie(green), lie(grade), lie(figure), lie(state), lie(nameless), swallowed, doubled]
NAMES = ["green", "grade", "figure", "state", "nameless", "swallowed", "doubled"]


@pytest.mark.parametrize("told", LIES, ids=NAMES)
def test_the_verifier_finds_a_lie(told: Callable[[Any, list[str]], list[str] | None]) -> None:
    """One thing published otherwise than it is, in the first life that has it, is a broken promise."""
    for seed in range(1, 40):
        life = Life(seed)
        recorder = life.verifier = Recorder()
        life.live()
        verifier = Verifier()
        for outcome, events, facts in recorder.shown:
            changed = copy.deepcopy(outcome)
            lied = told(changed, events)
            if lied is None:
                verifier.commit(outcome, events, facts)
                continue
            with pytest.raises(Broken):
                verifier.commit(changed, lied, facts)
            return
    pytest.fail("no life had what the lie is about")
