"""Commands out of bytes that nobody vouches for: read exactly or refused in one line, signed or not heeded."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from riskd.core.command import MOST_BYTES, Acknowledge, Command, Recompute, Refusal, Silence, Unpark, WhatIf, read_command
from riskd.core.receipt import Fate, read_receipt, receipt_of
from riskd.core.signature import objection, signature

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = b"0123456789abcdef"
ACK = {"id": "7", "portfolio": "book", "limit": "cvar", "author": " ann ", "reason": "known"}


def read(name: str, body: object, id: str | None = None) -> Command | Refusal:
    return read_command(name, body if isinstance(body, bytes) else json.dumps(body).encode(), id)


def taken(name: str, body: object, id: str | None = None) -> Command:
    found = read(name, body, id)
    assert isinstance(found, Command), found
    return found


def test_what_is_asked_is_what_is_read() -> None:
    """Every field in its type, blanks around words left out; what is optional may be missing."""
    assert taken("ack", ACK).order == Acknowledge("book", "cvar", "ann", "known")
    assert taken("silence", {**ACK, "hours": 24}).order == Silence("book", "cvar", "ann", "known", 24.0)
    assert taken("recompute", {"id": "1", "author": "ann"}).order == Recompute("ann")
    assert taken("unpark", {"id": "1", "author": "ann", "sink": "mqtt"}).order == Unpark("ann", sink="mqtt")
    question = taken("what-if", {"id": "1", "trades": "sell 2% SPY", "limit": 0.02})
    assert question.order == WhatIf('{"limit":0.02,"trades":"sell 2% SPY"}')
    assert not question.changes


def test_an_id_is_needed_unless_the_door_makes_one() -> None:
    """Without it the same command could not be told; the sender's own goes before the door's."""
    bare = {"author": "ann"}
    assert read("recompute", bare) == Refusal("'id' is missing", None, "recompute")
    assert taken("recompute", bare, id="made-up").id == "made-up"
    assert taken("recompute", {**bare, "id": "own"}, id="made-up").id == "own"


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("halt", ACK, "'halt' is no command; there are recompute"),
        ("ack", b"", "not JSON"),
        ("ack", b"[1]", "not a JSON object"),
        ("ack", b"\xff{}", "not UTF-8"),
        ("ack", b"\xef\xbb\xbf{}", "not JSON"),
        ("ack", b'{"id":"1","x":NaN}', "NaN is no number"),
        ("ack", b'{"id":"1","x":-Infinity}', "Infinity is no number"),
        ("ack", b'{"id":"1","x":1e999}', "too large a number"),
        ("ack", b'{"id":"1","x":' + b"9" * 60_000 + b"}", "too large a number"),
        ("ack", b'{"id":"1","id":"2"}', "'id' is there twice"),
        ("ack", b'{"id":"1","x":{"y":1,"y":1}}', "'y' is there twice"),
        ("ack", b'{"id":"1","x":"\\ud800"}', "surrogate"),
        ("ack", b'{"\\udfff":"1"}', "surrogate"),
        ("ack", b"[" * MOST_BYTES, "brackets"),
        ("ack", b'{"id":' * 5000, "brackets"),
        ("ack", b'{"id":"' + b"x" * MOST_BYTES + b'"}', "more than the 65536"),
        ("ack", {**ACK, "id": 7}, "id = '7'"),
        ("ack", {**ACK, "id": "a/b"}, "id = 'a/b'"),
        ("ack", {**ACK, "id": "#"}, "id = '#'"),
        ("ack", {**ACK, "portfolio": "../x"}, "no name of a portfolio"),
        ("ack", {**ACK, "reason": ""}, "reason = ''"),
        ("ack", {**ACK, "reason": "two\nlines"}, "printable characters on one line"),
        ("ack", {**ACK, "author": "\u202eann"}, "printable characters"),
        ("ack", {**ACK, "reason": "x" * 501}, "1 to 500"),
        ("ack", {**ACK, "hours": 1}, "no such field; it has portfolio, limit"),
        ("ack", {**ACK, "sent_at": "yesterday"}, "a time in UTC"),
        ("ack", {**ACK, "sent_at": "2026-11-21T12:00:00+01:00"}, "a time in UTC"),
        ("ack", {**ACK, "sent_at": "2026-11-21T12:00:00"}, "a time in UTC"),
        ("ack", {**ACK, "sent_at": 1}, "a time in UTC"),
        ("ack", {**ACK, "signature": "00"}, "no SHA-256"),
        ("silence", ACK, "'hours' is missing"),
        ("silence", {**ACK, "hours": 24.001}, "at most 24"),
        ("silence", {**ACK, "hours": 876_000}, "at most 24"),
        ("silence", {**ACK, "hours": 0}, "above 0"),
        ("silence", {**ACK, "hours": True}, "above 0"),
        ("silence", {**ACK, "hours": "2"}, "above 0"),
    ],
)
def test_a_mistake_is_named(name: str, body: object, reason: str) -> None:
    """One line that says what is wrong; nothing is raised."""
    found = read(name, body)
    assert isinstance(found, Refusal)
    assert reason in found.reason
    assert "\n" not in found.reason


def test_brackets_in_words_are_words() -> None:
    """A reason may hold any brackets and quotes; only the structure counts."""
    reason = '[[[[[[[[[[[[[[[[ {{{ \\" ]'
    assert taken("ack", {**ACK, "reason": reason}).order == Acknowledge("book", "cvar", "ann", reason)


def signed(at: datetime = NOW, key: bytes = KEY, **changed: str) -> Command:
    """An acknowledgement for ``t``, signed and then ``changed``."""
    fields = {**ACK, "sent_at": at.isoformat()}
    return taken("ack", {**fields, "signature": signature(key, "t", taken("ack", fields).text), **changed})


def test_the_signature_holds_for_one_topic_and_one_content_for_five_minutes() -> None:
    """In whatever order and spacing the fields come; with anything changed, late or early it does not."""
    good = signed()
    assert objection(good, "t", KEY, NOW) == ""
    reordered = taken("ack", json.dumps(json.loads(good.text) | {"signature": good.signature}, indent=3).encode())
    assert objection(reordered, "t", KEY, NOW + timedelta(minutes=5)) == ""
    for command, topic, key, now in (
        (signed(reason="else"), "t", KEY, NOW),
        (signed(id="8"), "t", KEY, NOW),
        (signed(sent_at=(NOW + timedelta(seconds=1)).isoformat()), "t", KEY, NOW),
        (good, "u", KEY, NOW),
        (good, "t", KEY + b"!", NOW),
        (good, "t", KEY, NOW + timedelta(minutes=5, seconds=1)),
        (good, "t", KEY, NOW - timedelta(minutes=5, seconds=1)),
        (good, "t", None, NOW),
        (taken("ack", ACK), "t", KEY, NOW),
    ):
        assert objection(command, topic, key, now)


def test_a_time_is_read_in_utc_however_it_is_written() -> None:
    """Z and +00:00 are the same moment."""
    written = {taken("ack", {**ACK, "sent_at": f"2026-11-21T12:00:00{zone}"}).sent_at for zone in ("Z", "+00:00")}
    assert written == {NOW.astimezone(timezone(timedelta(0)))}


def test_a_receipt_comes_back_as_it_was_written() -> None:
    """So a repeat has the same bytes."""
    receipt = receipt_of(taken("ack", ACK), Fate.DONE, "acknowledged", NOW, {"x": [1.5, None]})
    assert read_receipt(receipt.text).text == receipt.text
