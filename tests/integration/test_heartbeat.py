"""Signs of life of a daemon whose parts fail one by one: a real loop, scheduler and SQLite, a socket in systemd's place."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from riskd.app.schemas import schemas
from riskd.core.message import Message
from riskd.observe.board import Board
from riskd.observe.snapshot import Snapshot
from riskd.runtime import heartbeat
from riskd.runtime.heartbeat import Heartbeat
from riskd.runtime.picture import Picture
from riskd.runtime.schedule import Ticker
from riskd.runtime.vitals import Vitals
from riskd.store.database import Database, open_database
from riskd.store.pulses import Pulses

pytestmark = pytest.mark.integration
EVERY = timedelta(seconds=0.05)
GROW = "CREATE TRIGGER grow AFTER INSERT ON note BEGIN INSERT INTO ballast VALUES (zeroblob(99999)); END"


def now() -> datetime:
    return datetime.now(UTC)


class Ward:
    """A heartbeat twenty times a second; ``said`` are its signs of life, ``notified`` what systemd would hear."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(heartbeat, "STORE_SECONDS", 0.3)
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.bind(str(folder / "notify"))
        self._ear.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
        self.database: Database = open_database(folder / "state", now)
        self.said: list[dict[str, object]] = []
        self.vitals = Vitals(time.monotonic)
        self.board = Board(Snapshot(now(), now(), "1", "model", "cpu", "watching"))
        self._news = asyncio.Event()
        picture = Picture(self.board, now, lambda: ())
        self.heart = Heartbeat(picture, self.vitals, Pulses(self.database), self._say, now, EVERY)

    def _say(self, message: Message) -> None:
        assert (message.topic, message.retain) == ("status", True)
        self.said.append(json.loads(message.body))
        self._news.set()

    def notified(self) -> list[str]:
        """What systemd was told since this was last asked."""
        heard = []
        while True:
            try:
                heard += self._ear.recv(4096).decode().splitlines()
            except BlockingIOError:
                return heard

    async def until(self, claim: Callable[[dict[str, object]], bool]) -> dict[str, object]:
        """The next sign of life of which ``claim`` holds."""
        count = len(self.said)
        async with asyncio.timeout(120):
            while not any(claim(s) for s in self.said[count:]):
                self._news.clear()
                await self._news.wait()
        return next(s for s in self.said[count:] if claim(s))

    def tell(self, story: Callable[["Ward"], object]) -> None:
        async def played() -> None:
            beating = asyncio.create_task(self.heart.run())
            try:
                await story(self)  # type: ignore[misc]
            finally:
                beating.cancel()
                await asyncio.gather(beating, return_exceptions=True)

        asyncio.run(played())


@pytest.fixture
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ward:
    return Ward(tmp_path, monkeypatch)


def ready(sign: dict[str, object]) -> bool:
    return bool(sign["ready"])


def not_ready(sign: dict[str, object]) -> bool:
    return not sign["ready"]


def test_a_healthy_daemon_beats(ward: Ward) -> None:
    """READY=1 once, then a watchdog's feed and a numbered sign of life that keeps the schema and is good for 2.5 intervals."""

    async def story(ward: Ward) -> None:
        for _ in range(3):
            await ward.until(ready)

    ward.tell(story)
    heard = ward.notified()
    assert (heard.count("READY=1"), heard.count("WATCHDOG=1") >= 3) == (1, True)
    assert [s["seq"] for s in ward.said] == list(range(1, len(ward.said) + 1))
    for sign in ward.said:
        jsonschema.validate(sign, schemas()["status.schema.json"])
        lasts = datetime.fromisoformat(str(sign["valid_until"])) - datetime.fromisoformat(str(sign["at"]))
        assert timedelta(0) < lasts <= 2.5 * EVERY


def test_numbers_go_on_after_a_restart(ward: Ward) -> None:
    """Another daemon on the same store counts on from where the one before it stopped."""
    assert [Pulses(ward.database).count().seq for _ in range(2)] == [1, 2]
    ward.database.close()
    again = open_database(Path(ward.database.name).parent, now)
    assert Pulses(again).count().seq == 3
    assert Pulses(again).count(above=10).seq == 11


def test_a_full_disk_is_told_at_once_and_mends_without_a_restart(ward: Ward) -> None:
    """No room: not ready with SQLite's own words and a validity that stands still, the watchdog fed; room again: ready."""

    async def story(ward: Ward) -> None:
        await ward.until(ready)
        with ward.database.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE ballast (x BLOB)")
            connection.exec_driver_sql(GROW)
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        first = await ward.until(not_ready)
        ward.notified()
        later = await ward.until(not_ready)
        assert any("full" in str(p) for p in first["problems"])  # type: ignore[attr-defined]
        assert (later["valid_until"], int(str(later["seq"])) > int(str(first["seq"]))) == (first["valid_until"], True)
        assert "WATCHDOG=1" in ward.notified()
        with ward.database.begin() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        mended = await ward.until(ready)
        assert int(str(mended["seq"])) > int(str(later["seq"]))

    ward.tell(story)


def test_a_store_that_hangs_starves_the_watchdog(ward: Ward) -> None:
    """While somebody holds the store nothing is counted: not ready, no feed; let go, the daemon is well by itself."""
    hold, held = threading.Event(), threading.Event()

    def squat() -> None:
        with ward.database.begin():
            held.set()
            hold.wait(20)

    async def story(ward: Ward) -> None:
        await ward.until(ready)
        thread = threading.Thread(target=squat)
        thread.start()
        await asyncio.to_thread(held.wait)
        try:
            await ward.until(not_ready)
            ward.notified()
            await ward.until(not_ready)
            assert "WATCHDOG=1" not in ward.notified()
        finally:
            hold.set()
            thread.join()
        await ward.until(ready)
        assert "WATCHDOG=1" in ward.notified()

    ward.tell(story)


def test_a_dead_scheduler_starves_the_watchdog(ward: Ward) -> None:
    """A ticker whose scheduler has stopped is missed after its time, though loop and store go on; a long tick is not."""

    async def story(ward: Ward) -> None:
        long = asyncio.Event()

        async def tick() -> None:
            await long.wait()

        ticker = Ticker(tick, 0.02, lambda: ward.vitals.seen("scheduler"))
        ward.vitals.expect("scheduler", 0.4)
        ticker.start()
        for _ in range(12):  # longer than the scheduler's time
            assert ready(await ward.until(lambda s: True))
        ticker.stop()
        sign = await ward.until(not_ready)
        assert "scheduler: no sign of life" in str(sign["problems"])
        ward.notified()
        await ward.until(not_ready)
        assert "WATCHDOG=1" not in ward.notified()
        long.set()

    ward.tell(story)


def test_a_loop_that_stands_still_is_silent(ward: Ward) -> None:
    """Nothing is said and the watchdog is not fed while the loop is blocked."""

    async def story(ward: Ward) -> None:
        await ward.until(ready)
        ward.notified()
        count = len(ward.said)
        time.sleep(0.5)
        assert (len(ward.said), ward.notified()) == (count, [])

    ward.tell(story)
