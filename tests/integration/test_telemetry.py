"""Nothing in riskd reports to anybody."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

DAEMON = Path(__file__).resolve().parents[2] / "daemon"


def left_at_home(program: str, home: Path) -> list[str]:
    """Files that a Python program leaves in its home folder."""
    kept = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY" and not k.startswith("XDG_")}
    environment = {**kept, "HOME": str(home), "PYTHONPATH": str(DAEMON)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    return [p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file()]


def test_forecasting_leaves_no_device_identifier(tmp_path: Path) -> None:
    """onnxruntime behind the forecast package creates neither its device identifier nor its queue of usage events."""
    assert left_at_home("import riskd.forecast, onnxruntime", tmp_path) == []


def test_the_watch_sees_a_file(tmp_path: Path) -> None:
    """A program that does leave a file at home is caught."""
    assert left_at_home("import pathlib; pathlib.Path.home().joinpath('.deviceid').touch()", tmp_path) == [".deviceid"]
