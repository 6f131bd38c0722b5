"""Watches a riskd from outside and says when it is missing, stale or out of sequence; the standard library alone, one file."""

import argparse
import json
import os
import shlex
import socket
import ssl
import struct
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KEEPALIVE = 20
HELD = 5  # signs of life for which an offence against their order stays raised, so that two daemons do not make it flap
UNREADY_SECONDS = 600.0  # that a daemon may say it is not ready: a warm-up takes minutes
Json = dict[str, Any]


class Broker:
    """Listens on an MQTT 3.1.1 connection at QoS 0. OSError when it is refused, lost or silent."""

    def __init__(self, mqtt: Json, folder: Path) -> None:
        host, port, base = mqtt.get("host", "127.0.0.1"), mqtt.get("port", 1883), mqtt.get("base_topic", "riskd")
        self._socket: socket.socket = socket.create_connection((host, port), timeout=KEEPALIVE)
        self._asked = self._answered = time.monotonic()
        if mqtt.get("tls") or "ca_file" in mqtt:
            context = ssl.create_default_context(cafile=folder / mqtt["ca_file"] if "ca_file" in mqtt else None)
            if "cert_file" in mqtt:
                context.load_cert_chain(folder / mqtt["cert_file"], credential(folder / mqtt["key_file"]))
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        login = [mqtt["username"]] if "username" in mqtt else []
        if login and "password_file" in mqtt:
            login.append(credential(folder / mqtt["password_file"]).read_text().rstrip("\r\n"))
        flags = (0x02, 0x82, 0xC2)[len(login)]
        self._send(0x10, struct.pack("!6sBBH", b"\0\4MQTT", 4, flags, KEEPALIVE) + texts(f"riskd-watch-{os.getpid()}", *login))
        if self._packet(KEEPALIVE) != (2, b"\0\0"):
            raise OSError("the broker refused the login: check mqtt.username and mqtt.password_file, or mqtt.port and mqtt.tls")
        self._send(0x82, b"\0\1" + b"".join(texts(f"{base}/{topic}") + b"\0" for topic in ("status", "availability")))

    def listen(self, seconds: float) -> Iterator[tuple[str, bytes]]:
        """(last part of the topic, payload) of what comes within ``seconds``."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            if now - self._answered > 1.5 * KEEPALIVE:
                raise OSError("the broker has fallen silent")
            if now - self._asked > KEEPALIVE / 2:
                self._asked = now
                self._send(0xC0, b"")
            kind, body = self._packet(until - now)
            if kind == 9 and 0x80 in body[2:]:
                raise OSError("the broker lets nobody read the status: check its access list")
            if kind == 3:
                end = 2 + int.from_bytes(body[:2], "big")
                yield body[2:end].decode().rpartition("/")[2], body[end:]

    def _send(self, kind: int, body: bytes) -> None:
        self._socket.settimeout(KEEPALIVE)
        size = [len(body)] if len(body) < 128 else [len(body) % 128 | 0x80, len(body) // 128]  # never 16 kB
        self._socket.sendall(bytes([kind, *size]) + body)

    def _packet(self, seconds: float) -> tuple[int, bytes]:
        """Kind and body of the next packet, kind 0 if none begins in time."""
        self._socket.settimeout(max(seconds, 0.01))
        try:
            kind = self._read(1)[0] >> 4
        except TimeoutError:
            return 0, b""
        self._socket.settimeout(KEEPALIVE)
        size = shift = 0
        while (digit := self._read(1)[0]) & 0x80:
            size, shift = size | (digit & 0x7F) << shift, shift + 7
        body = self._read(size | digit << shift)
        self._answered = time.monotonic()
        return kind, body

    def _read(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            more = self._socket.recv(count - len(found))
            if not more:
                raise OSError("the broker closed the connection")
            found += more
        return found


class Page:
    """The same from the daemon's own page, over HTTP on this machine, with the token where others are let in too."""

    def __init__(self, web: Json, folder: Path) -> None:
        host: str = web.get("host", "127.0.0.1")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        url = f"http://{f'[{host}]' if ':' in host else host}:{web.get('port', 8321)}/api/v1/status"
        self._request = urllib.request.Request(url)
        if "token_file" in web and web.get("host", "localhost") not in ("localhost", "127.0.0.1", "::1"):
            token = credential(folder / web["token_file"]).read_text().rstrip("\r\n")
            self._request.add_header("Authorization", f"Bearer {token}")

    def listen(self, seconds: float) -> Iterator[tuple[str, bytes]]:
        with urllib.request.urlopen(self._request, timeout=10) as answer:
            yield "status", json.dumps(json.load(answer).get("pulse")).encode()
        time.sleep(seconds)


class Judge:
    """What is wrong, from what was heard. ``now`` is monotonic seconds."""

    def __init__(self, now: float, patience: float) -> None:
        self._known: Json = {"seq": 0, "journal": 0, "head": ""}  # the newest, by which the order is judged
        self._status: Json | None = None
        self._patience, self._advanced_at = patience, now
        self._since: dict[str, tuple[float, str]] = {}  # what is wrong -> when that began, in words
        self._offences: dict[str, tuple[float, str]] = {}  # what was wrong -> until when it stays raised, in words
        self.turn("missing", "no status of riskd has been heard", now)

    def turn(self, fault: str, text: str, now: float) -> None:
        """``fault`` is there as ``text`` says, or gone where that is empty."""
        if text:
            self._since[fault] = self._since.get(fault, (now,))[0], text
        else:
            self._since.pop(fault, None)

    def hear(self, topic: str, payload: bytes, now: float) -> None:
        """Take in one message; a status that makes no sense is a fault until the next."""
        if topic == "availability":
            self.turn("offline", "" if payload == b"online" else "riskd is offline: stopped, dead or cut off", now)
        elif topic == "status":
            try:
                self._take(json.loads(payload), now)
                self.turn("missing", "", now)
            except (ValueError, KeyError, TypeError) as error:
                self.turn("missing", f"the status cannot be read: {error!r}", now)

    def faults(self, now: float) -> dict[str, str]:
        """Fault -> what a person should know; nothing if all is well."""
        found = {fault: text for fault, (until, text) in self._offences.items() if now < until}
        waits = {"unready": UNREADY_SECONDS}
        found |= {f: text for f, (since, text) in self._since.items() if now - since > waits.get(f, self._patience)}
        if self._status is not None:
            wall, until = datetime.now(UTC), datetime.fromisoformat(self._status["valid_until"])  # noqa: TID251 - another process, no Clock
            lasts = (until - datetime.fromisoformat(self._status["at"])).total_seconds()
            if wall > until or now - self._advanced_at > lasts:
                found["stale"] = f"sign of life {self._status['seq']} was good until {until:%F %T} UTC and none came since"
            figures = self._status["figures_valid_until"]
            if self._status["ready"] and (figures is None or wall > datetime.fromisoformat(figures)):
                found["figures"] = f"the figures of {self._status['as_of']} were good until {figures}: a cycle is overdue"
        return found

    def _take(self, status: Json, now: float) -> None:
        seq, line, head, known = int(status["seq"]), int(status["journal"]), str(status["head"]), self._known
        datetime.fromisoformat(status["valid_until"]), datetime.fromisoformat(status["at"])
        held = now + HELD * float(status["every_seconds"])
        if seq < known["seq"]:
            self._offences["sequence"] = held, f"sign of life {seq} after {known['seq']}: a second riskd, or an older store"
        if line < known["journal"] or (line == known["journal"] and head != known["head"]):
            was = f"line {known['journal']} {known['head'][:12]}"
            self._offences["journal"] = held, f"the journal ends with line {line} {head[:12]} after {was}: it went back"
        if seq > known["seq"]:
            self._advanced_at, known["seq"] = now, seq
        if line > known["journal"]:
            known["journal"], known["head"] = line, head
        self.turn("unready", "" if status["ready"] else f"riskd is not ready: {'; '.join(status['problems'])}", now)
        self._status = status


def texts(*parts: str) -> bytes:
    """Strings as MQTT writes them."""
    return b"".join(struct.pack("!H", len(part.encode())) + part.encode() for part in parts)


def credential(path: Path) -> Path:
    """``path``, or the credential of its name that systemd shows, as in riskd itself."""
    shown = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nowhere")) / path.name
    return shown if shown.is_file() else path


def say(before: dict[str, str], faults: dict[str, str], command: str | None) -> None:
    """Each change once, on standard error and to ``command TURN FAULT`` with the words on its standard input."""
    changes = [("raised", fault, faults[fault]) for fault in faults.keys() - before.keys()]
    changes += [("cleared", fault, before[fault]) for fault in before.keys() - faults.keys()]
    for turn, fault, text in sorted(changes):
        print(f"riskd-watch: {turn} {fault}: {text}", file=sys.stderr, flush=True)
        if command:
            try:
                subprocess.run([*shlex.split(command), turn, fault], input=text, text=True, timeout=30, check=True)
            except (OSError, subprocess.SubprocessError) as error:
                print(f"riskd-watch: {command} failed: {error}", file=sys.stderr, flush=True)


def watch(open_source: Callable[[], Broker | Page], patience: float, once: float | None, command: str | None) -> int:
    """Until it is stopped; or for ``once`` seconds, and then 1 if anything is wrong, else 0."""
    judge, source, raised = Judge(time.monotonic(), patience), None, dict[str, str]()
    end = None if once is None else time.monotonic() + once
    while True:
        try:
            source = source or open_source()
            for topic, payload in source.listen(1.0):
                judge.hear(topic, payload, time.monotonic())
            judge.turn("unreachable", "", time.monotonic())
        except OSError as error:
            source = None
            judge.turn("unreachable", f"cannot listen: {error}", time.monotonic())
            time.sleep(1.0)
        faults = judge.faults(time.monotonic())
        if end is None or time.monotonic() > end:
            say(raised, faults, command)
            raised = faults
        if end is not None and time.monotonic() > end:
            return bool(faults)


def main() -> int:
    """The command ``riskd-watch``."""
    parser = argparse.ArgumentParser(prog="riskd-watch", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="riskd's TOML file, of which [mqtt] and [web] are read")
    parser.add_argument("--http", action="store_true", help="ask the page of [web] instead of listening to the broker of [mqtt]")
    parser.add_argument("--patience", type=float, default=30.0, help="seconds that riskd may be away (default: %(default)s)")
    parser.add_argument("--run", metavar="COMMAND", help="run for each change: COMMAND raised|cleared FAULT, words on its stdin")
    parser.add_argument("--once", type=float, metavar="SECONDS", help="listen so long, then exit with 1 if anything is wrong")
    asked = parser.parse_args()
    try:
        config = tomllib.loads(asked.config.read_text())
    except (OSError, ValueError) as error:
        print(f"riskd-watch: {asked.config}: {error}", file=sys.stderr)
        return 78
    mqtt, web, folder = config.get("mqtt", {}), config.get("web", {}), asked.config.resolve().parent
    patience = 0.0 if asked.once is not None else asked.patience
    return watch(lambda: Page(web, folder) if asked.http else Broker(mqtt, folder), patience, asked.once, asked.run)


if __name__ == "__main__":
    sys.exit(main())
