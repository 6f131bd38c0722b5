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


def test_grafana_finds_its_dashboards_and_prometheus() -> None:
    """What is provisioned is what is mounted: the folder of dashboards, the home dashboard, and Prometheus where it listens."""
    grafana = SERVICES["grafana"]
    mounts = {parts[1]: ROOT / parts[0] for parts in (v.split(":") for v in grafana["volumes"]) if parts[0].startswith("./")}
    settings = {target: yaml.safe_load(file.read_text()) for target, file in mounts.items() if file.suffix == ".yml"}
    assert {Path(target).parent.name for target in settings} == {"datasources", "dashboards"}
    (provider,) = settings["/etc/grafana/provisioning/dashboards/riskd.yml"]["providers"]
    folder = mounts[provider["options"]["path"]]
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert (folder / home.name).exists()
    (source,) = settings["/etc/grafana/provisioning/datasources/riskd.yml"]["datasources"]
    listens = next(c for c in SERVICES["prometheus"]["command"] if "listen-address" in c).partition("=")[2]
    assert (source["type"], source["url"]) == ("prometheus", f"http://{listens}")


def test_prometheus_reaches_alertmanager_where_it_listens() -> None:
    """The address in the Prometheus configuration is the one that compose gives Alertmanager."""
    configuration = yaml.safe_load((ROOT / "examples" / "prometheus.yml").read_text())
    (target,) = configuration["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert f"--web.listen-address={target}" in SERVICES["alertmanager"]["command"]
