"""A million mutated payloads against the parser of commands and the check of their signature: none may raise, none may be slow.

python benchmarks/command_fuzz.py [--payloads 1000000] [--seed 7]
"""

import argparse
import json
import random
import time
from collections import Counter
from datetime import UTC, datetime

from riskd.core.command import ORDERS, Command, Refusal, read_command
from riskd.core.signature import objection, signature

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = b"0123456789abcdef0123456789abcdef"
WHOLE = {
    "portfolio": "book", "limit": "cvar", "author": "ann", "reason": "known \u00e9\u4e2d", "hours": 2.5, "sink": "mqtt",
    "question": {"trades": ["sell 2% SPY", {"deep": [1, -2.5e3, None, True]}]},
}  # fmt: skip
OF = {
    "recompute": ("author", "reason"), "ack": ("portfolio", "limit", "author", "reason"),
    "silence": ("portfolio", "limit", "author", "reason", "hours"), "freeze": ("portfolio", "author", "reason"),
    "unfreeze": ("portfolio", "author", "reason"), "unpark": ("author", "sink"), "what-if": ("question",),
}  # fmt: skip
GRAFTS = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"1e-999", b"-0", b"9" * 40, b"[" * 40, b'{"a":' * 40, b"null", b"true",
    b"\\ud800", b"\\u0000", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x00", b"\xf0\x9f\x92\xa9", b"\xe2\x80\xae",
    b'"id":"2",', b'"signature":"00",', b'"hours":1e3,', b'"sent_at":"9999-99-99",',
    b"\\", b'"', b"}", b"]", b",", b":",
)  # fmt: skip


def seeds() -> list[tuple[str, bytes]]:
    """A good payload of every command, signed."""
    found = []
    for name in ORDERS:
        fields = {"id": "1", "sent_at": NOW.isoformat(), **{key: WHOLE[key] for key in OF[name]}}
        read = read_command(name, json.dumps(fields).encode())
        assert isinstance(read, Command)
        found.append((name, json.dumps({**fields, "signature": signature(KEY, f"riskd/cmd/{name}", read.text)}).encode()))
    return found


def mutated(payload: bytes, dice: random.Random) -> bytes:
    """One to four changes: a bit, a byte, a piece left out, said twice or taken from elsewhere, a graft."""
    body = bytearray(payload)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(body) + 1)
        until = min(len(body), at + dice.randint(1, 12))
        kind = dice.randrange(6)
        if kind == 0 and at < len(body):
            body[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            body[at:at] = bytes([dice.randrange(256)])
        elif kind == 2:
            del body[at:until]
        elif kind == 3:
            body[at:at] = body[at:until]
        elif kind == 4:
            start = dice.randrange(len(body) + 1)
            body[at:at] = body[start : start + 20]
        else:
            body[at:at] = dice.choice(GRAFTS)
    return bytes(body)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payloads", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    dice, good = random.Random(arguments.seed), seeds()
    told: Counter[str] = Counter()
    unhandled, slowest, begun = 0, 0.0, time.perf_counter()
    for done in range(1, arguments.payloads + 1):
        name, payload = dice.choice(good)
        payload = mutated(payload, dice)
        since = time.perf_counter()
        try:
            found = read_command(name, payload)
            if isinstance(found, Refusal):
                told["rejected"] += 1
            else:
                told["forged" if objection(found, f"riskd/cmd/{name}", KEY, NOW) else "as signed"] += 1
        except Exception as error:
            unhandled += 1
            print(f"{type(error).__name__}: {error}: {name} {payload!r}")
        slowest = max(slowest, time.perf_counter() - since)
        if done % 100_000 == 0:
            print(f"{done:>9,} payloads, {time.perf_counter() - begun:.0f} s: {dict(told)}", flush=True)
    print(f"{arguments.payloads:,} payloads, seed {arguments.seed}: unhandled = {unhandled}, slowest {1000 * slowest:.1f} ms")
    raise SystemExit(unhandled > 0)


if __name__ == "__main__":
    main()
