"""From the commit of a breach to its subscriber: SQLite in WAL with synchronous FULL, a real mosquitto with TLS and MQTT 5.

Alerts are committed one at a time through the ledger, delivered by the daemon's own courier and MQTT sink. Beside each, the
floor on this machine at that moment: 4 KiB written and synced, then published by a bare client on the same broker.
"""

import argparse
import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import paho.mqtt.client as paho
from storm import Broker, commit, free_port

from riskd.runtime.clock import SystemClock
from riskd.runtime.delivery import Delivery
from riskd.sinks.mqtt import MqttSink, MqttTarget
from riskd.store.database import open_database
from riskd.store.ledger import Ledger
from riskd.store.queue import SqlOutbox

GOAL = 0.25  # seconds, 99 of 100


def certificates(folder: Path) -> str:
    """An authority and a server certificate for localhost; the broker's lines that name them."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    (folder / "names").write_text("subjectAltName=DNS:localhost")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", *signed, "-out", "server.pem")
    return f"certfile {folder}/server.pem\nkeyfile {folder}/server.key\n"


def connected(port: int, authority: Path) -> paho.Client:
    """A client that sends small packets at once, its thread running."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.tls_set(str(authority))
    client.on_socket_open = lambda _client, _data, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.connect("localhost", port)
    client.loop_start()
    return client


class Ear:
    """A subscriber that notes when a message came; in a thread of its own."""

    def __init__(self, port: int, authority: Path) -> None:
        self.came, self.at = threading.Event(), 0.0
        ready = threading.Event()
        client = connected(port, authority)
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = lambda *_: self._note()
        while not client.is_connected():
            time.sleep(0.01)
        client.subscribe([("riskd/+/events", 1), ("floor", 1)])
        if not ready.wait(20):
            raise SystemExit("the subscriber could not subscribe")

    def _note(self) -> None:
        self.at = time.perf_counter()
        self.came.set()

    async def next(self) -> float:
        """When the next message came."""
        if not await asyncio.to_thread(self.came.wait, 30):
            raise SystemExit("a message did not come within 30 s")
        self.came.clear()
        return self.at


def floor(file: int, client: paho.Client) -> None:
    """The least there is to do: bytes on the disk, then on the wire."""
    os.pwrite(file, b"x" * 4096, 0)
    os.fsync(file)
    client.publish("floor", b"x" * 500, qos=1)


async def measure(folder: Path, port: int, alerts: int) -> tuple[list[list[float]], int]:
    """Seconds from (the commit done, its start, the floor's start) to the subscriber; connections there were."""
    database = open_database(folder / "state", SystemClock().now)
    ledger, ear = Ledger(database, ("mqtt",)), await asyncio.to_thread(Ear, port, folder / "ca.pem")
    sink = MqttSink(MqttTarget("localhost", port, client_id="riskd-latency", tls=True, ca_file=str(folder / "ca.pem")))
    delivery = Delivery(SqlOutbox(database), [sink])
    running = asyncio.create_task(delivery.run())
    while not sink.connected:
        await asyncio.sleep(0.01)
    await asyncio.sleep(1.5)  # the courier has seen the connection
    seconds: list[list[float]] = [[], [], []]
    bare = connected(port, folder / "ca.pem")
    file = os.open(folder / "floor", os.O_CREAT | os.O_WRONLY)
    for number in range(1, alerts + 1):
        begun = time.perf_counter()
        await asyncio.to_thread(commit, ledger, number)
        done = time.perf_counter()
        delivery.wake()
        came = await ear.next()
        seconds[0].append(came - done)
        seconds[1].append(came - begun)
        await delivery.flush(10)
        begun = time.perf_counter()
        await asyncio.to_thread(floor, file, bare)
        seconds[2].append(await ear.next() - begun)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return seconds, sink.connections


async def run(folder: Path, alerts: int) -> bool:
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None or shutil.which("openssl") is None:
        raise SystemExit("mosquitto or openssl is not installed: apt-get install mosquitto openssl")
    broker = Broker(program, folder, free_port(), certificates(folder))
    await broker.start()
    seconds, connections = await measure(folder, broker.port, alerts)
    await broker.kill()
    print(f"{alerts} alerts, one at a time, TLS, synchronous FULL, {connections} connection; milliseconds to the subscriber")
    for name, row in zip(("from the commit", "with the commit", "floor: fsync + publish"), seconds, strict=True):
        cuts = statistics.quantiles(row, n=100)
        print(f"{name:24} p50 {1000 * cuts[49]:7.1f}   p99 {1000 * cuts[98]:7.1f}   most {1000 * max(row):7.1f}")
    return statistics.quantiles(seconds[0], n=100)[98] <= GOAL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=500)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        sys.exit(0 if asyncio.run(run(Path(folder), options.alerts)) else 1)


if __name__ == "__main__":
    main()
