"""One feature or one mistake a file; the first comment of a bad file is what riskd must say."""

import re
from pathlib import Path

import pytest

from riskd.errors import ConfigError
from riskd.settings import (
    Allocation,
    Limit,
    Model,
    Mqtt,
    Portfolio,
    Scenarios,
    Service,
    Settings,
    Web,
    YahooFeed,
    load_settings,
)

pytestmark = pytest.mark.config
HERE = Path(__file__).parent


def files(kind: str) -> list[Path]:
    found = sorted((HERE / kind).glob("*.toml"))
    assert found
    return found


@pytest.mark.parametrize("path", files("good"), ids=lambda p: p.stem)
def test_good(path: Path) -> None:
    """Every good file is read."""
    assert load_settings(path).symbols == ("AAA", "BBB")


@pytest.mark.parametrize("path", files("bad"), ids=lambda p: p.stem)
def test_bad(path: Path) -> None:
    """Every bad file is refused in one line that names the file and says what its first comment says."""
    wanted = path.read_text().splitlines()[0].removeprefix("# ")
    with pytest.raises(ConfigError) as refusal:
        load_settings(path)
    lines = str(refusal.value).splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"{path}: ")
    assert wanted.strip() in lines[0]


def test_paths_are_taken_from_the_file(tmp_path: Path) -> None:
    """A relative path means the folder of the configuration file, not the one riskd was started in."""
    (tmp_path / "riskd.toml").write_text((HERE / "good" / "least.toml").read_text())
    settings = load_settings(tmp_path / "riskd.toml")
    assert settings.feeds[0].path == tmp_path / "prices.csv"  # type: ignore[union-attr]
    assert settings.service.state == tmp_path.parent / "var" / "riskd"


def test_a_missing_file() -> None:
    """A file that is not there is named."""
    with pytest.raises(ConfigError, match=r"nowhere.toml: No such file"):
        load_settings(HERE / "nowhere.toml")


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """Nothing of a megabyte is parsed."""
    path = tmp_path / "large.toml"
    path.write_text("# " + "x" * 1_000_000)
    with pytest.raises(ConfigError, match="more than the"):
        load_settings(path)


def test_the_shipped_configurations(root: Path) -> None:
    """Every configuration in config/ and examples/ is read."""
    shipped = [*(root / "config").glob("*.toml"), *(root / "examples").rglob("*.toml")]
    assert len(shipped) >= 3
    for path in shipped:
        load_settings(path)


def test_the_commented_keys_stand_at_their_defaults(root: Path, tmp_path: Path) -> None:
    """Uncommenting every key of config/riskd.toml changes nothing, apart from MQTT keys that have no default."""
    text = (root / "config" / "riskd.toml").read_text()
    no_default = ("username", "password_file", "ca_file", "cert_file", "key_file")
    lines = [
        re.sub(r"^# (\w+ = )", r"\1", line) for line in text.splitlines() if not re.match(rf"# ({'|'.join(no_default)}) =", line)
    ]
    assert sum(line != old for line, old in zip(lines, text.splitlines(), strict=False)) > 20
    (tmp_path / "full.toml").write_text("\n".join(lines))
    (tmp_path / "short.toml").write_text(text)
    assert load_settings(tmp_path / "full.toml") == load_settings(tmp_path / "short.toml")


def test_every_key_is_in_the_shipped_file(root: Path) -> None:
    """Whatever can be configured is shown in config/riskd.toml, but for the keys of price files."""
    text = (root / "config" / "riskd.toml").read_text()
    sections = (Service, YahooFeed, Model, Scenarios, Allocation, Limit, Portfolio, Mqtt, Web, Settings)
    missing = [f"{s.__name__}.{k}" for s in sections for k in s.model_fields if not re.search(rf"\b{k}\b", text)]
    assert missing == []
