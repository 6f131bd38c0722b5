"""The key that commands over MQTT are signed with: kept from others, and long enough that nobody guesses it."""

from pathlib import Path

import pytest

from riskd.errors import ConfigError
from riskd.settings import Mqtt

pytestmark = pytest.mark.config


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("short\n", 0o600, "5 bytes are too short a key, 16 are the least"),
        ("x" * 32, 0o644, "chmod 600"),
        (None, 0, "No such file"),
    ],
)
def test_a_key_that_protects_nothing_is_refused(tmp_path: Path, content: str | None, mode: int, said: str) -> None:
    """Too short, readable by others or absent: one line with the key of the setting and the file."""
    path = tmp_path / "command-key"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(ConfigError, match=said) as refused:
        Mqtt(command_key_file=path).command_key()
    assert "mqtt.command_key_file" in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_good_key_is_read_without_its_line_feed(tmp_path: Path) -> None:
    """And without a file there is none."""
    path = tmp_path / "command-key"
    path.write_text("0123456789abcdef\n")
    path.chmod(0o600)
    assert Mqtt(command_key_file=path).command_key() == b"0123456789abcdef"
    assert Mqtt().command_key() is None
