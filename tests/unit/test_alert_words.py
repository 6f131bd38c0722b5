"""The page has a word for every kind of alert."""

from pathlib import Path

import pytest

from riskd.core.events import AlertKind

pytestmark = pytest.mark.unit
SCRIPT = Path(__file__).resolve().parents[2] / "daemon" / "riskd" / "web" / "static" / "timeline.js"


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_has_a_word(kind: AlertKind) -> None:
    """Nobody reads ``breach.escalated`` on the page."""
    assert f'"{kind.value}": "' in SCRIPT.read_text()
