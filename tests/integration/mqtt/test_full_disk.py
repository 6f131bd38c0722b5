"""A whole daemon whose disk is full: a real file system of a few megabytes, a real broker."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from test_kill import SESSIONS, configuration

pytestmark = pytest.mark.integration
SIZE = "24m"


def mountable() -> bool:
    """Whether this process may mount a file system that nobody else sees."""
    if shutil.which("unshare") is None or os.geteuid() != 0:
        return False
    try_it = ("unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt")
    return subprocess.run(try_it, capture_output=True, check=False).returncode == 0


@asynccontextmanager
async def small_disk(config: Path, out: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The daemon with its store on a small disk; when it ends the store is copied to ``out``."""
    state = config.parent / "state"
    state.mkdir()
    script = f'mount -t tmpfs -o size={SIZE} tmpfs {state} && {{ "$@"; code=$?; cp -r {state} {out}; exit $code; }}'
    daemon = (sys.executable, "-m", "riskd", "run", "--exit", "-c", str(config))
    process = await asyncio.create_subprocess_exec(
        "unshare", "-m", "sh", "-c", script, "sh", *daemon, stdout=subprocess.DEVNULL, stderr=(config.parent / "log").open("w")
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            subprocess.run(("pkill", "-KILL", "-P", str(process.pid)), check=False)
            process.kill()
            await process.wait()


async def status(client: aiomqtt.Client, full: bool) -> dict[str, Any]:
    """The next sign of life that says so."""
    async for message in client.messages:
        sign: dict[str, Any] = json.loads(bytes(message.payload))  # type: ignore[arg-type]
        if any("full" in problem for problem in sign["problems"]) == full and (full or sign["ready"]):
            return sign
    raise AssertionError("the broker is gone")


def readiness(port: int) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.skipif(not mountable(), reason="may not mount a small file system: needs root and unshare")
def test_a_full_disk_is_told_and_mends_without_a_restart(tmp_path: Path, root: Path, mosquitto: Any) -> None:
    """Said over MQTT, in the log and by /readyz; with room again the replay goes on to its end and everything is delivered."""
    config = configuration(tmp_path, root)
    text = config.read_text().replace("speed = 1000.0", "speed = 4.0")
    port = int(text.rpartition("port = ")[2])

    async def story() -> None:
        async with mosquitto() as broker, aiomqtt.Client("127.0.0.1", broker.port) as client:
            config.write_text(f"{text}\n[mqtt]\nport = {broker.port}\nheartbeat_seconds = 1\n")
            await client.subscribe("riskd/status", qos=1)
            async with small_disk(config, tmp_path / "out") as process:
                await status(client, full=False)
                ballast = Path(f"/proc/{child(process.pid)}/root{tmp_path}/state/ballast")
                fill(ballast)
                sign = await status(client, full=True)
                assert sign["ready"] is False
                code, said = await asyncio.to_thread(readiness, port)
                assert (code, "full" in said) == (503, True)
                ballast.unlink()
                await status(client, full=False)
                assert await process.wait() == 0

    asyncio.run(asyncio.wait_for(story(), 300))
    assert "full" in (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()
    with sqlite3.connect(tmp_path / "out" / "riskd.db") as store:
        assert store.execute("SELECT count(*) FROM journal WHERE key LIKE 'session/%'").fetchone() == (SESSIONS,)
        assert store.execute("SELECT count(*) FROM delivery WHERE outcome IS NOT 'delivered'").fetchone() == (0,)


def child(pid: int) -> int:
    """The process that the small disk's shell started."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def fill(path: Path) -> None:
    """Write until there is no room for another byte."""
    with path.open("wb", buffering=0) as file:
        for block in (b"x" * 4096, b"x"):
            try:
                while file.write(block):
                    pass
            except OSError:
                continue
