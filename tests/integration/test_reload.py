"""SIGHUP to a running daemon: a usable configuration takes over whole, any other changes nothing."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_kill import configuration

from riskd.app.reload import check_change
from riskd.errors import ConfigError
from riskd.settings import load_settings

pytestmark = pytest.mark.integration


class Daemon:
    """A riskd process that notifies a socket of the test's, as it would systemd."""

    def __init__(self, folder: Path, config: Path) -> None:
        self.config, self._port = config, load_settings(config).web.port  # type: ignore[union-attr]
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.bind(str(folder / "notify"))
        self._ear.settimeout(120)
        environment = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify")}
        command = [sys.executable, "-m", "riskd", "run", "-c", str(config)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(folder / "log").open("w"), env=environment
        )

    def until(self, words: str) -> list[str]:
        """What it notifies up to the first line that holds ``words``."""
        heard: list[str] = []
        while not any(words in line for line in heard):
            heard += self._ear.recv(4096).decode().splitlines()
        return heard

    def hang_up(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def status(self) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/v1/status") as answer:
            return json.load(answer)

    def change(self, old: str, new: str) -> None:
        text = self.config.read_text()
        assert old in text
        self.config.write_text(text.replace(old, new))


@pytest.fixture
def daemon(tmp_path: Path, root: Path) -> Iterator[Daemon]:
    """One whose replay has ended with figures."""
    started = Daemon(tmp_path, configuration(tmp_path, root))
    try:
        started.until("STATUS=replay ended")
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            started.process.kill()
        started.process.wait()


def opened_and_closed(config: Path) -> list[str]:
    """The kinds of breach alerts in the store, oldest first."""
    with sqlite3.connect(f"file:{config.parent / 'state' / 'riskd.db'}?mode=ro", uri=True) as connection:
        bodies = [json.loads(body) for (body,) in connection.execute("SELECT body FROM alert ORDER BY seq")]
    return [b["kind"] for b in bodies if b["kind"].startswith("breach.")]


def test_a_changed_limit(daemon: Daemon) -> None:
    """RELOADING, then READY of the same process with the new limit; figures and breaches stand: nothing opens or closes by it."""
    before, told = daemon.status(), opened_and_closed(daemon.config)
    daemon.change("max_cvar = 0.05", "max_cvar = 0.9")
    daemon.hang_up()
    heard = daemon.until("READY=1")
    assert "RELOADING=1" in heard
    assert "STOPPING=1" not in heard
    daemon.until("STATUS=replay ended")
    after = daemon.status()
    assert daemon.process.poll() is None
    assert after["started_at"] > before["started_at"]
    assert after["reports"] == before["reports"]
    assert before["reports"][0]["limits"][0]["state"] == "firing"
    assert opened_and_closed(daemon.config) == told
    daemon.process.send_signal(signal.SIGTERM)
    assert "STOPPING=1" in daemon.until("STOPPING=1")
    assert daemon.process.wait(30) == 0


def test_a_mistake_changes_nothing(daemon: Daemon) -> None:
    """The line with file, key and value goes into STATUS and into the status; the daemon goes on, and mends with the file."""
    before = daemon.status()
    daemon.change("max_cvar = 0.05", "max_cvar = 5.0")
    daemon.hang_up()
    heard = daemon.until("kept its configuration")
    assert heard.count("READY=1") == 1
    assert "max_cvar" in heard[-1]
    assert "riskd.toml" in heard[-1]
    shown = daemon.status()
    assert (shown["started_at"], shown["reports"]) == (before["started_at"], before["reports"])
    assert "max_cvar" in shown["refused"]
    daemon.change("max_cvar = 5.0", "max_cvar = 0.04")
    daemon.hang_up()
    daemon.until("READY=1")
    daemon.until("STATUS=replay ended")
    assert daemon.status()["refused"] == ""


def test_a_stop_before_anything_has_begun(tmp_path: Path, root: Path) -> None:
    """SIGTERM while its modules are still loading ends it with 0, as later."""
    command = "import signal, sys, os; from riskd.cli import app; sys.argv = ['riskd', 'run', '-c', sys.argv[1]];"
    command += "import riskd.cli; riskd.cli.settings_of = lambda c: os.kill(os.getpid(), 15); app()"
    config = configuration(tmp_path, root)
    ended = subprocess.run([sys.executable, "-c", command, str(config)], stdin=subprocess.DEVNULL, check=False, timeout=120)
    assert ended.returncode == 0


MISTAKES = {
    "artefact": ('lstm-jsu"', 'nowhere"'),
    "calendar": ("[service]", '[service]\ncalendar = "XNSE"'),
    "web.token_file": ("[web]", '[web]\ntoken_file = "none"'),
    "mqtt.ca_file": ("[web]", '[mqtt]\nca_file = "none"\n[web]'),
    "mqtt.password_file": ("[web]", '[mqtt]\npassword_file = "none"\n[web]'),
    "web": ("[web]\nport = ", "[web]\nport = {taken} # "),
    "service.state": ('state = "state"', 'state = "riskd.toml"'),
}


@pytest.mark.parametrize("key", MISTAKES)
def test_what_would_not_come_up_is_refused(key: str, tmp_path: Path, root: Path) -> None:
    """A file that reads well and names what cannot be used is refused before anything is stopped."""
    config = configuration(tmp_path, root)
    present = load_settings(config)
    check_change(present, lambda: load_settings(config))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        old, new = MISTAKES[key]
        text = config.read_text()
        assert old in text
        config.write_text(text.replace(old, new.format(taken=taken.getsockname()[1])))
        with pytest.raises(ConfigError):
            check_change(present, lambda: load_settings(config))
