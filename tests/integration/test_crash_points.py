"""kill -9 and failing calls at single writes and flushes of the store, by strace; the long form is benchmarks/soak."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
POINTS = 6


def test_every_resume_is_identical(root: Path) -> None:
    """Killed before six writes and flushes spread over a week, and with EIO and ENOSPC at one each: the same bytes at the end."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed; apt-get install strace")
    script = [sys.executable, str(root / "benchmarks" / "soak" / "crash_points.py")]
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(
        [*script, "--sample", str(POINTS), "--errors", "1"], capture_output=True, text=True, env=os.environ | paths, timeout=120
    )
    if "cannot trace" in said.stderr:
        pytest.skip(said.stderr.strip())
    assert said.returncode == 0, said.stdout + said.stderr
    calls, killed = re.search(r"(\d+) fdatasync", said.stdout), re.search(r"kill -9 .*", said.stdout)
    assert calls and int(calls[1]) > 20
    assert killed and re.search(rf"{POINTS} points, +{POINTS} ended the process, .* {POINTS} identical", killed[0])
    assert len(re.findall(r"1 points, .* 1 identical", said.stdout)) == 2
