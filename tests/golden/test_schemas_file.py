"""The committed schemas are those that the types give."""

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from riskd.app.schemas import schemas
from riskd.core.message import withdrawal_message

pytestmark = pytest.mark.golden


def test_committed_schemas(root: Path) -> None:
    """``riskd export-schemas`` would change nothing."""
    for name, schema in schemas().items():
        path = root / "config" / "schemas" / name
        assert json.loads(path.read_text()) == json.loads(json.dumps(schema)), f"run riskd export-schemas: {name} is old"


def test_withdrawn_is_a_state(root: Path) -> None:
    """What is said of a proposal or portfolio that no longer stands keeps the schema; with more in it, it does not."""
    for what in ("state", "allocation"):
        schema = schemas()[f"{what}.schema.json"]
        message = withdrawal_message("book", date(2020, 3, 12), what)
        jsonschema.validate(json.loads(message.body), schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**json.loads(message.body), "cvar": 0.05}, schema)
