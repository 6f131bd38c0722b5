"""The systemd unit, judged by systemd."""

import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

UNIT = Path(__file__).resolve().parents[2] / "systemd" / "riskd.service"
INSTALLED = "/opt/riskd/bin/riskd"
EXPOSURE = 15  # tenths: 1.5 of 10; a unit without hardening has 9.2


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists in place of the installed riskd."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace(INSTALLED, "/bin/true"))
    return copy


def judged(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian package systemd)")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def exposure(unit: Path) -> subprocess.CompletedProcess[str]:
    """The verdict on what a broken-into service could reach."""
    return judged("security", "--offline=true", f"--threshold={EXPOSURE}", unit)


def test_the_unit_is_clean(unit: Path) -> None:
    """systemd knows every key and value of the unit and has nothing to remark."""
    verdict = judged("verify", unit)
    assert (verdict.returncode, verdict.stderr) == (0, "")


def test_an_unknown_key_is_remarked(unit: Path) -> None:
    """A key that systemd does not know shows, so a clean verdict means something."""
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    assert "WatchdogSecs" in judged("verify", unit).stderr


def test_the_unit_is_hardened(unit: Path) -> None:
    """The exposure level is at most 1.5."""
    verdict = exposure(unit)
    assert verdict.returncode == 0, verdict.stdout


def test_a_plain_unit_is_too_exposed(unit: Path) -> None:
    """Without its hardening the same unit fails the same threshold."""
    kept = ("[", "Type=", "ExecStart=", "Description=")
    unit.write_text("\n".join(line for line in unit.read_text().splitlines() if line.startswith(kept)))
    assert exposure(unit).returncode != 0


def test_a_bad_configuration_is_not_restarted() -> None:
    """Exit 78, which riskd gives for a configuration it cannot use, ends the service instead of a restart loop."""
    assert {"Restart=on-failure", "RestartPreventExitStatus=78"} <= set(UNIT.read_text().splitlines())
