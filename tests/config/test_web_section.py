"""Who can connect decides what the section of the page must say."""

from pathlib import Path

import pytest

from riskd.errors import ConfigError
from riskd.settings import Web

pytestmark = pytest.mark.config


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    """Nobody else can connect there."""
    assert Web(host=host).local


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.0.2.1", "risk.example.org", "", "localhost.example.org", "127.0.0.1.example.org"]
)
def test_any_other_address_does(host: str, tmp_path: Path) -> None:
    """What is not plainly loopback counts as open."""
    with pytest.raises(ValueError, match="set token_file"):
        Web(host=host)
    assert not Web(host=host, token_file=tmp_path / "token").local


@pytest.mark.parametrize("token", ["", "\n", "fifteen letters"])
def test_a_token_that_could_be_guessed_is_refused(tmp_path: Path, token: str) -> None:
    """An empty one would let in whoever shows none."""
    path = tmp_path / "token"
    path.write_text(token)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"web\.token_file: .*token holds \d+ characters; write at least 16"):
        Web(token_file=path).token()


@pytest.mark.parametrize(("host", "reached"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.0.2.1", "192.0.2.1")])
def test_where_this_machine_reaches_it(host: str, reached: str, tmp_path: Path) -> None:
    """An address that means all of them is none to connect to."""
    assert Web(host=host, token_file=tmp_path / "token").reached == reached
