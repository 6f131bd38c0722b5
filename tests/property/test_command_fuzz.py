"""Whatever bytes come in as a command, the parser answers; and the published schema says which it takes."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskd.app.command_schema import command_schema
from riskd.core.command import ORDERS, Command, Refusal, read_command

pytestmark = pytest.mark.property
NAMES = st.sampled_from([*ORDERS, "halt"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
WORDS = st.text(max_size=20) | st.sampled_from(["ann", "book", "cvar", "known", "7"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["1", "a:b", "a/b", ""]) | JSON,
        "portfolio": st.sampled_from(["book", "Book"]) | JSON,
        "limit": st.sampled_from(["cvar", "c/v"]) | JSON,
        "author": WORDS,
        "reason": WORDS,
        "hours": st.floats(-1, 30) | st.integers(-1, 30) | st.booleans(),
        "sink": st.sampled_from(["mqtt", ""]),
        "other": JSON,
    },
)


@settings(max_examples=100, deadline=None)
@given(NAMES, st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_every_payload_is_answered(name: str, payload: bytes) -> None:
    """A command that reads again as itself, or one line of refusal."""
    found = read_command(name, payload)
    if isinstance(found, Command):
        again = read_command(name, found.text.encode())
        assert isinstance(again, Command)
        assert (again.order, again.text) == (found.order, found.text)
    else:
        assert isinstance(found, Refusal)
        assert found.reason
        found.reason.encode()


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(list(ORDERS)), FIELDS)
def test_what_is_taken_keeps_to_the_schema(name: str, fields: dict[str, Any]) -> None:
    """Nothing is heeded that the published schema forbids."""
    found = read_command(name, json.dumps(fields).encode())
    if isinstance(found, Command):
        schema = command_schema()
        jsonschema.Draft202012Validator({**schema["$defs"][name], "$defs": schema["$defs"]}).validate(fields)
