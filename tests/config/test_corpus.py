"""One feature or one mistake a file; the first comment of a bad file is what riskd must say."""

import re
from pathlib import Path

import pytest

from riskd.errors import ConfigError
from riskd.settings import (
    Alertmanager,
    Allocation,
    Allocator,
    Data,
    Group,
    Limit,
    Model,
    Mqtt,
    Portfolio,
    Rival,
    Scenarios,
    Service,
    Settings,
    Symbol,
    Web,
    Webhook,
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
    """Every good file is read, and needs the symbols that its first comment names; AAA and BBB where there is none."""
    first = path.read_text().splitlines()[0]
    wanted = first.removeprefix("# ").split() if first.startswith("# ") else ["AAA", "BBB"]
    assert load_settings(path).symbols == tuple(wanted)


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


def test_the_folder_of_a_network_is_taken_from_the_file_too() -> None:
    """A scenario model is a name, or the path of a network when it has a slash; a rival that says none has none."""
    settings = load_settings(HERE / "good" / "networks-as-rivals.toml")
    copula = HERE / "good" / "networks" / "vae-copula"
    assert settings.scenarios.model == copula
    assert [rival.model for rival in settings.rivals] == [copula, None, None]
    named = load_settings(HERE / "good" / "rivals.toml")
    assert (named.scenarios.model, [rival.model for rival in named.rivals]) == ("recoloured-bootstrap", ["t-copula", None])


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
    no_default = ("username", "password_file", "ca_file", "cert_file", "key_file", "database", "database_password_file")
    no_default += ("token_file", "scenarios", "bounds", "home_assistant", "command_key_file")
    example = re.compile(
        r"^# \[(symbols|\[rivals|\[allocators|\[portfolios.groups|webhook|alertmanager).*?\n\n", re.DOTALL | re.MULTILINE
    )
    text = re.sub(r"# EURUSD = .*", "", example.sub("\n", text))
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
    sections = (
        Service,
        YahooFeed,
        Data,
        Symbol,
        Model,
        Rival,
        Scenarios,
        Allocation,
        Allocator,
        Limit,
        Group,
        Portfolio,
        Mqtt,
        Web,
    )
    sections += (Settings, Webhook, Alertmanager)
    keys = [(s.__name__, field.alias or name) for s in sections for name, field in s.model_fields.items()]
    missing = [f"{section}.{key}" for section, key in keys if not re.search(rf"\b{key}\b", text)]
    assert missing == []


def test_the_shown_examples_are_read(root: Path, tmp_path: Path) -> None:
    """The keys without a default are shown in a form that works: a symbol, a rate, a database, rivals, bounds, a group."""
    shipped = (root / "config" / "riskd.toml").read_text().replace("universe = []", 'universe = ["VUSD.L"]')
    plain = r"^# ((database|EURUSD|exchange|lot|bounds|scenarios) = |\[symbols)"
    shown = re.sub(plain, r"\1", shipped, flags=re.MULTILINE)
    shown = re.sub(r"^# (\[\[portfolios.groups\]\])\n# (name = .*)\n# (symbols = )", r"\1\n\2\n\3", shown, flags=re.MULTILINE)
    example = r"^# (\[\[(?:rivals|allocators)\]\])\n# (name = .*)\n# (artefact = )"
    shown = re.sub(example, r"\1\n\2\n\3", shown, flags=re.MULTILINE)
    (tmp_path / "riskd.toml").write_text(shown)
    settings = load_settings(tmp_path / "riskd.toml")
    assert [(r.name, r.model) for r in settings.rivals] == [("network-2014", None)]
    assert [a.name for a in settings.allocators] == ["deep"]
    assert settings.listings["VUSD.L"].exchange == "XLON"
    assert settings.rates == {"EURUSD": "EURUSD=X"}
    assert settings.service.database == "postgresql://riskd@127.0.0.1:5432/riskd"
    assert (settings.lots(), settings.allocation.scenarios) == ({"VUSD.L": 1.0}, 5000)
    (portfolio,) = settings.portfolios
    assert portfolio.bounds == {"GLD": (0.05, 0.3)}
    assert [(g.name, g.symbols, g.most) for g in portfolio.groups] == [("bonds", ("TLT",), 1.0)]


def test_a_database_password_is_never_shown(tmp_path: Path) -> None:
    """However it is written into the URL, the refusal says where a password belongs and does not repeat it."""
    least = (HERE / "good" / "least.toml").read_text()
    for url in (
        "postgresql://me:hunter2@host/risk",
        "postgres://me:hunter2@host",
        "postgresql://me:hunt/er2@h/risk",
        "postgresql://h/risk?password=hunter2",
    ):
        path = tmp_path / "riskd.toml"
        path.write_text(least.replace("[service]", f'[service]\ndatabase = "{url}"'))
        with pytest.raises(ConfigError) as refusal:
            load_settings(path)
        assert "database_password_file" in str(refusal.value)
        assert "hunt" not in str(refusal.value)


def test_the_database_password_comes_from_a_file_of_ones_own(tmp_path: Path) -> None:
    """It is read without its line end; a file that others may read is refused."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    service = Service(database="postgresql://me@host/risk", database_password_file=secret)
    assert service.database_password() == "hunter2"
    assert Service().database_password() is None
    secret.chmod(0o644)
    with pytest.raises(ConfigError, match="service.database_password_file: .* chmod 600"):
        service.database_password()


def test_a_credential_comes_before_the_file_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under systemd's LoadCredential= the secret is in $CREDENTIALS_DIRECTORY, whoever may read the file; else in the file."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    beside = tmp_path / "mqtt-password"
    beside.write_text("beside\n")
    beside.chmod(0o600)
    mqtt = Mqtt(username="riskd", password_file=beside)
    assert mqtt.password() == "beside"
    (credentials / "mqtt-password").write_text("shown to the service alone\n")
    (credentials / "mqtt-password").chmod(0o440)
    assert mqtt.password() == "shown to the service alone"
    beside.unlink()
    assert mqtt.password() == "shown to the service alone"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(ConfigError, match=r"mqtt.password_file: .*No such file"):
        mqtt.password()


def test_a_webhook_is_never_shown(tmp_path: Path) -> None:
    """Its path may be a secret: however the section is wrong, the refusal does not repeat it, nor does its repr."""
    least = (HERE / "good" / "least.toml").read_text()
    for url in ("http://host/hunter2", "https://me:hunter2@host", "https://ho st/hunter2", "https://host:99999/hunter2"):
        path = tmp_path / "riskd.toml"
        path.write_text(f'{least}\n[webhook]\nurl = "{url}"\n')
        with pytest.raises(ConfigError, match="webhook") as refusal:
            load_settings(path)
        assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in repr(Webhook(url="https://host/hunter2"))


def test_the_shown_sinks_are_read(root: Path, tmp_path: Path) -> None:
    """The sections of the second sinks are shown in a form that works, every default as it is."""
    shown = re.sub(r"^# (\[(webhook|alertmanager)\])", r"\1", (root / "config" / "riskd.toml").read_text(), flags=re.MULTILINE)
    keys = r"^# ((secret_file|allow_\w+|resend_seconds|runbook_url|token_file|timeout_seconds) = )"
    head, _, tail = shown.partition("[webhook]\n")
    tail = re.sub(keys, r"\1", tail.replace("# url", "url"), flags=re.MULTILINE)
    (tmp_path / "riskd.toml").write_text(f"{head}[webhook]\n{tail}")
    settings = load_settings(tmp_path / "riskd.toml")
    assert settings.webhook == Webhook(url="https://alerts.example/riskd", secret_file=tmp_path / "webhook-secret")
    plain = Alertmanager(token_file=tmp_path / "alertmanager-token", runbook_url="https://wiki.example/riskd")
    assert settings.alertmanager == plain
