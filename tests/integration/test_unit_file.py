"""The systemd units, judged by systemd; systemd/prove.sh runs them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

FOLDER = Path(__file__).resolve().parents[2] / "systemd"
UNIT = FOLDER / "riskd.service"
UNITS = ("riskd.service", "riskd-watch.service", "riskd-train.service", "riskd-train.timer")
INSTALLED = re.compile(r"/opt/riskd/bin/[a-z-]+")
EXPOSURE = 15  # tenths: 1.5 of 10; a unit without hardening has 9.2


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """A folder with every unit, each with a program that exists in place of the installed one."""
    for name in UNITS:
        (tmp_path / name).write_text(INSTALLED.sub("/bin/true", (FOLDER / name).read_text()))
    return tmp_path


@pytest.fixture
def unit(units: Path) -> Path:
    """The daemon's."""
    return units / UNIT.name


def judged(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian package systemd)")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def exposure(unit: Path) -> subprocess.CompletedProcess[str]:
    """The verdict on what a broken-into service could reach."""
    return judged("security", "--offline=true", f"--threshold={EXPOSURE}", unit)


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_is_clean(units: Path, name: str) -> None:
    """systemd knows every key and value of the unit and has nothing to remark."""
    verdict = judged("verify", units / name)
    assert (verdict.returncode, verdict.stderr) == (0, "")


def test_an_unknown_key_is_remarked(unit: Path) -> None:
    """A key that systemd does not know shows, so a clean verdict means something."""
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    assert "WatchdogSecs" in judged("verify", unit).stderr


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_the_unit_is_hardened(units: Path, name: str) -> None:
    """The exposure level is at most 1.5."""
    verdict = exposure(units / name)
    assert verdict.returncode == 0, verdict.stdout


def test_a_plain_unit_is_too_exposed(unit: Path) -> None:
    """Without its hardening the same unit fails the same threshold."""
    kept = ("[", "Type=", "ExecStart=", "Description=")
    unit.write_text("\n".join(line for line in unit.read_text().splitlines() if line.startswith(kept)))
    assert exposure(unit).returncode != 0


def test_a_bad_configuration_is_not_restarted() -> None:
    """Exit 78, which riskd gives for a configuration it cannot use, ends the service instead of a restart loop."""
    assert {"Restart=on-failure", "RestartPreventExitStatus=78"} <= set(UNIT.read_text().splitlines())


def test_training_swaps_nothing() -> None:
    """The yearly training is started by its timer alone and writes into a folder of the day, which the daemon does not read."""
    train, timer = ((FOLDER / f"riskd-train.{kind}").read_text() for kind in ("service", "timer"))
    assert "[Install]" not in train
    assert "Persistent=yes" in timer
    assert '--out "$$STATE_DIRECTORY/lstm-jsu-$$(date +%%F)"' in train
    assert "riskd-train" not in UNIT.read_text()
