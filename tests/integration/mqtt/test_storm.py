"""The storm in short: broker and daemon killed while alerts are under way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("mode", [(), ("--absent", "--receipts", "1")], ids=["present", "absent with receipts"])
def test_nothing_is_lost(root: Path, mode: tuple[str, ...]) -> None:
    """100 alerts, the broker killed twice and the daemon once: none lost, in order, repeats are equal, refusals are noticed.

    With receipts not even what the broker confirmed and had not saved when it was killed while nobody listened.
    """
    if shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    kills = ("--broker-kills", "2", "--daemon-kills", "1")
    few = ("--most-repeats", "0.5", "--most-own", "0.5", *mode)
    command = (sys.executable, str(root / "benchmarks" / "storm.py"), "--alerts", "100", *kills, *few)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "broker 2 times, daemon 1 times" in done.stdout
    assert "refused publishes noticed   100 of 100" in done.stdout
