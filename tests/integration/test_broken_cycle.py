"""A cycle that breaks in a way nobody foresaw, in a daemon whose loop and scheduler go on."""

import asyncio
import json
from pathlib import Path

import pytest
from test_service import Live

from riskd.store.queue import SqlOutbox

pytestmark = pytest.mark.integration


def test_it_is_told_and_does_not_feed_the_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not ready with the reason at once, the fold missed in time; when it works again both are over by themselves."""

    async def story(live: Live) -> None:
        await live.until(lambda s: s.phase == "watching" and s.next_run_at is not None)
        live.vitals.expect("fold", 0.3)
        works = live.pipeline.missing
        monkeypatch.setattr(live.pipeline, "missing", lambda: 1 / 0)
        shown = await live.until(lambda s: bool(s.problems))
        assert shown.problems == ("the cycle failed: ZeroDivisionError: division by zero",)
        async with asyncio.timeout(120):
            while not live.vitals.unwell():
                await asyncio.sleep(0.02)
        assert live.vitals.unwell()[0].startswith("fold: no sign of life")
        monkeypatch.setattr(live.pipeline, "missing", works)
        await live.until(lambda s: not s.problems)
        assert live.vitals.unwell() == ()

    asyncio.run(Live(tmp_path).run(story))


def test_a_state_says_until_when_it_holds(tmp_path: Path) -> None:
    """The retained state of Friday's figures is good until Monday's are due and late: close, settling, an hour; EDT."""

    async def story(live: Live) -> None:
        await live.until(lambda s: bool(s.reports))

    live = Live(tmp_path)
    asyncio.run(live.run(story))
    again = Live(tmp_path)
    states = [json.loads(m.body) for m in SqlOutbox(again.database).retained() if m.topic == "book/state"]
    again.database.close()
    assert [(s["session"], s["valid_until"]) for s in states] == [("2024-03-08", "2024-03-11T21:30:00+00:00")]
