"""riskd-watch as another process, a real broker, a real daemon, and each of them stopped in turn."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from test_kill import configuration

from riskd.core.message import pulse_message
from riskd.core.pulse import Pulse
from riskd.core.report import Status

pytestmark = pytest.mark.integration


class Watcher:
    """A running riskd-watch; ``until`` waits for what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[str] = []

    async def listening(self, beat: Callable[..., Any], seq: int = 1, **changed: Any) -> None:
        """Return once it has heard a first sign of life, which ``beat`` publishes."""
        await self.until("raised missing")
        await beat(seq, **changed)
        await self.until("cleared missing")

    async def until(self, words: str) -> str:
        """The next line that holds ``words``."""
        assert self._process.stderr is not None
        async with asyncio.timeout(120):
            while line := (await self._process.stderr.readline()).decode():
                self.said.append(line)
                if words in line:
                    return line
        raise AssertionError(f"riskd-watch ended: {self.said}")


@asynccontextmanager
async def watching(folder: Path, port: int, *arguments: str) -> AsyncIterator[Watcher]:
    config = folder / "watch.toml"
    config.write_text(f"[mqtt]\nport = {port}\n")
    command = (sys.executable, "-m", "riskd.watch", "--config", str(config), "--patience", "1", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        yield Watcher(process)
    finally:
        process.kill()
        await process.wait()


def pulse(seq: int, **changed: Any) -> Pulse:
    """A healthy sign of life, good for a minute."""
    now = datetime.now(UTC)
    fine = Pulse(
        seq, now, 1.0, now + timedelta(minutes=1), "1", now, "watching", Status.OK, True, (), date(2024, 3, 11), now, None,
        now + timedelta(hours=1), 7, "a" * 64,
    )  # fmt: skip
    return replace(fine, **changed)


@asynccontextmanager
async def station(port: int) -> AsyncIterator[Callable[..., Any]]:
    """``await beat(seq, ...)`` publishes a sign of life as riskd does."""
    async with aiomqtt.Client("127.0.0.1", port) as client:

        async def beat(seq: int, **changed: Any) -> None:
            await client.publish("riskd/status", pulse_message(pulse(seq, **changed)).body, qos=1, retain=True)

        yield beat


def test_every_part_of_a_daemon_that_stops(tmp_path: Path, root: Path, mosquitto: Any) -> None:
    """Hung: stale; going on: cleared. kill -9: offline, by its will; started again: cleared. The broker gone: unreachable."""

    async def start(config: Path) -> asyncio.subprocess.Process:
        command = (sys.executable, "-m", "riskd", "run", "-c", str(config))
        return await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    async def story() -> None:
        async with mosquitto() as broker, watching(tmp_path, broker.port) as watcher:
            await watcher.until("raised missing")
            config = configuration(tmp_path, root)
            config.write_text(f"{config.read_text()}\n[mqtt]\nport = {broker.port}\nheartbeat_seconds = 1\n")
            daemon = await start(config)
            try:
                await watcher.until("cleared missing")
                daemon.send_signal(signal.SIGSTOP)
                await watcher.until("raised stale")
                daemon.send_signal(signal.SIGCONT)
                await watcher.until("cleared stale")
                daemon.kill()
                await daemon.wait()
                await watcher.until("raised offline")
                daemon = await start(config)
                await watcher.until("cleared offline")
                await broker.kill()
                assert "cannot listen" in await watcher.until("raised unreachable")
            finally:
                if daemon.returncode is None:
                    daemon.kill()
                await daemon.wait()

    asyncio.run(asyncio.wait_for(story(), 300))


def test_a_cycle_that_stopped_in_a_daemon_that_lives(tmp_path: Path, mosquitto: Any, scene: Any) -> None:
    """Signs of life go on and the figures' own validity has passed: raised, and cleared by figures that are valid again."""

    async def story() -> None:
        async with mosquitto() as broker, watching(tmp_path, broker.port) as watcher, station(broker.port) as beat:
            await watcher.listening(beat)
            await beat(2, figures_valid_until=datetime.now(UTC) - timedelta(seconds=1))
            assert "a cycle is overdue" in await watcher.until("raised figures")
            await beat(3)
            await watcher.until("cleared figures")

    scene(story)


def test_what_is_out_of_sequence(tmp_path: Path, mosquitto: Any, scene: Any) -> None:
    """A number that falls and a journal that is shorter are raised; a restart that counts on is not."""

    async def story() -> None:
        async with mosquitto() as broker, watching(tmp_path, broker.port) as watcher, station(broker.port) as beat:
            await watcher.listening(beat, 10, journal=7, started_at=datetime.now(UTC) - timedelta(days=1))
            await beat(11, journal=8, head="b" * 64)
            await beat(12, journal=6, head="c" * 64)
            assert "line 6 cccccccccccc after line 8 bbbbbbbbbbbb" in await watcher.until("raised journal")
            await beat(5, journal=9)
            assert "sign of life 5 after 12" in await watcher.until("raised sequence")
            assert not any("raised sequence" in line for line in watcher.said[:-1])

    scene(story)


def test_a_journal_that_is_another(tmp_path: Path, mosquitto: Any, scene: Any) -> None:
    """The same line with another hash is raised: this is not the journal that was there before."""

    async def story() -> None:
        async with mosquitto() as broker, watching(tmp_path, broker.port) as watcher, station(broker.port) as beat:
            await watcher.listening(beat, 1, head="d" * 64)
            await beat(2, head="e" * 64)
            assert "line 7 eeeeeeeeeeee after line 7 dddddddddddd" in await watcher.until("raised journal")

    scene(story)


def test_a_command_is_run_for_each_change(tmp_path: Path, mosquitto: Any, scene: Any) -> None:
    """The command has turn and fault as arguments and the words on its standard input."""

    async def story() -> None:
        script = tmp_path / "tell.sh"
        script.write_text(f'#!/bin/sh\nread words; echo "$1 $2 $words" >> {tmp_path}/told\n')
        script.chmod(0o755)
        async with (
            mosquitto() as broker,
            watching(tmp_path, broker.port, "--run", str(script)) as watcher,
            station(broker.port) as beat,
        ):
            await watcher.listening(beat)
            await beat(2, figures_valid_until=None)
            await watcher.until("raised figures")
        told = (tmp_path / "told").read_text().splitlines()
        assert [line.split()[:2] for line in told[:2]] == [["raised", "missing"], ["cleared", "missing"]]
        assert "no status of riskd has been heard" in told[0]

    scene(story)


def test_it_knows_nothing_but_the_standard_library(tmp_path: Path) -> None:
    """It imports no module from outside, and of riskd itself alone; a copy of the one file runs without riskd."""
    listing = "import sys, riskd.watch; print(*(m for m in sys.modules if m.split('.')[0] not in sys.stdlib_module_names))"
    found = subprocess.run([sys.executable, "-S", "-c", listing], capture_output=True, text=True, check=False, cwd=DAEMON)
    assert set(found.stdout.split()) <= {"__main__", "riskd", "riskd.watch"}, found.stderr
    copy = tmp_path / "watch.py"
    copy.write_text((DAEMON / "riskd" / "watch.py").read_text())
    helped = subprocess.run([sys.executable, "-S", "-I", copy, "--help"], capture_output=True, text=True, check=False)
    assert (helped.returncode, "--once" in helped.stdout) == (0, True), helped.stderr


def test_once_is_for_scripts(tmp_path: Path, mosquitto: Any, scene: Any) -> None:
    """With --once the exit code is the verdict: 0 when all is well, 1 with the reason, 78 for a file that cannot be read."""

    async def code(*arguments: str) -> tuple[int | None, str]:
        command = (sys.executable, "-m", "riskd.watch", *arguments)
        process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
        _, said = await process.communicate()
        return process.returncode, said.decode()

    async def story() -> None:
        config = tmp_path / "once.toml"
        async with mosquitto() as broker, station(broker.port) as beat:
            config.write_text(f"[mqtt]\nport = {broker.port}\n")
            verdict, said = await code("--config", str(config), "--once", "1.5")
            assert (verdict, "raised missing" in said) == (1, True)
            await beat(1)
            assert await code("--config", str(config), "--once", "1.5") == (0, "")
            assert (await code("--config", str(tmp_path / "none.toml")))[0] == 78

    scene(story)


DAEMON = Path(__file__).resolve().parents[3] / "daemon"


def test_the_words_are_json_of_the_schema() -> None:
    """What these tests publish in riskd's place is what riskd publishes."""
    import jsonschema

    from riskd.app.schemas import schemas

    jsonschema.validate(json.loads(pulse_message(pulse(1)).body), schemas()["status.schema.json"])
