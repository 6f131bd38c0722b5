"""The committed schemas are those that the types give."""

import json
from pathlib import Path

import pytest

from riskd.app.schemas import schemas

pytestmark = pytest.mark.golden


def test_committed_schemas(root: Path) -> None:
    """``riskd export-schemas`` would change nothing."""
    for name, schema in schemas().items():
        path = root / "config" / "schemas" / name
        assert json.loads(path.read_text()) == json.loads(json.dumps(schema)), f"run riskd export-schemas: {name} is old"
