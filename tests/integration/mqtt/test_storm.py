"""The storm in short: broker and daemon killed while alerts are under way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


def test_nothing_is_lost(root: Path) -> None:
    """100 alerts, the broker killed twice and the daemon once: none lost, in order, repeats are equal, refusals are noticed."""
    if shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    kills = ("--broker-kills", "2", "--daemon-kills", "1")
    command = (sys.executable, str(root / "benchmarks" / "storm.py"), "--alerts", "100", *kills, "--most-repeats", "0.5")
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "broker 2 times, daemon 1 times" in done.stdout
    assert "refused publishes noticed   100 of 100" in done.stdout
