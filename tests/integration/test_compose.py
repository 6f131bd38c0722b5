"""The compose file and what it mounts."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_cannot_gain_rights(service: str) -> None:
    """Every service has a read-only root, no capability and no way to a new privilege."""
    stated = SERVICES[service]
    assert stated["read_only"] is True
    assert stated["cap_drop"] == ["ALL"]
    assert stated["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_mounted_is_there(service: str) -> None:
    """Each bind mount names a file or folder of the repository and is read-only."""
    binds = [volume.split(":") for volume in SERVICES[service].get("volumes", []) if volume.startswith("./")]
    assert [parts for parts in binds if not (ROOT / parts[0]).exists() or parts[2] != "ro"] == []


def test_what_the_image_copies_is_there() -> None:
    """Each COPY of the Dockerfile names paths of the repository that .dockerignore lets through."""
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = {source for line in copies for source in line.split()}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {s for s in sources if not (ROOT / s).exists()} == set()
    assert {s for s in sources if not any(s == a or s.startswith(f"{a}/") for a in allowed)} == set()


def test_prometheus_takes_its_configuration() -> None:
    """promtool accepts the Prometheus configuration together with the rules that it loads."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    configuration = ROOT / "examples" / "prometheus.yml"
    verdict = subprocess.run(["promtool", "check", "config", configuration], capture_output=True, text=True, check=False)
    assert verdict.returncode == 0, verdict.stderr
    assert "rules found" in verdict.stdout
