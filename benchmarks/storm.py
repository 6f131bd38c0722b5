"""Alerts while broker and daemon are killed again and again: lost, repeated, out of order, refused and not noticed.

A process commits alerts through the ledger and delivers them through the daemon's own courier and MQTT sink to a real
mosquitto with examples/mosquitto.conf; both are killed with SIGKILL at random moments. A subscriber with a lasting session
notes what it hears. Waits between two connects are a twentieth of the daemon's, or most of the time nobody would be there.
The broker too repeats to its subscriber what was on the way when it was killed; every publish of the daemon is noted beside
its store, so that repeats can be told apart. With ``--receipts`` the subscriber sends receipts and the daemon awaits them.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import socket
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from riskd.core.alerts import alert_event
from riskd.core.arrays import frozen
from riskd.core.events import AlertKind, Outcome, SessionVoid
from riskd.core.forecaster import MarketState
from riskd.core.message import Message
from riskd.core.state import State
from riskd.errors import DeliveryError
from riskd.runtime.clock import SystemClock
from riskd.runtime.delivery import Delivery
from riskd.sinks.mqtt import MqttSink, MqttTarget
from riskd.sinks.mqtt_receipts import Receipts
from riskd.sinks.mqtt_wire import EVENT_EXPIRY_SECONDS
from riskd.store.database import open_database
from riskd.store.ledger import Ledger
from riskd.store.queue import SqlOutbox

ROOT = Path(__file__).resolve().parents[1]
FIRST = date(1990, 1, 1)
PORTFOLIOS = 7
SAID_AGAIN = 60.0  # receipts of so many seconds are sent once more when the daemon comes back
MOST_IDS = 500  # in one receipt
SILENCE = 20.0  # seconds without a message after which what is missing is lost
REFUSALS = 100


@dataclass
class Broker:
    """mosquitto as the example configures it, on its own port and folder."""

    program: str
    folder: Path
    port: int
    extra: str = ""
    process: asyncio.subprocess.Process | None = None
    said: asyncio.Task[bytes] | None = None  # read to its end, or waiting for the process would wait for it too

    async def start(self) -> None:
        """Return once it runs."""
        conf = (ROOT / "examples" / "mosquitto.conf").read_text()
        conf = conf.replace("listener 1883", f"listener {self.port}").replace("/var/lib/mosquitto/", f"{self.folder}/")
        path = self.folder / "mosquitto.conf"
        path.write_text(conf + ("user root\n" if os.geteuid() == 0 else "") + self.extra)
        pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        self.process = await asyncio.create_subprocess_exec(self.program, "-c", str(path), stdout=nowhere, stderr=pipe)
        assert self.process.stderr is not None
        while b"running" not in (line := await self.process.stderr.readline()):
            if not line:
                raise SystemExit("mosquitto did not start")
        self.said = asyncio.create_task(self.process.stderr.read())

    async def kill(self) -> None:
        assert self.process is not None
        assert self.said is not None
        self.process.kill()
        await self.process.wait()
        await self.said


class Ear:
    """A subscriber with a session that outlives every connection; listens in a thread of its own.

    With ``receipts`` it sends one for every event, and those of the last minute again when the daemon says that it is online.
    """

    def __init__(self, port: int, receipts: bool) -> None:
        self.heard: list[tuple[str, str, str]] = []  # topic, id, body
        self.again: set[int] = set()  # places in ``heard`` of what was sent again for want of a receipt
        self._receipts = receipts
        self._handled: deque[tuple[float, str]] = deque()
        self.ids: set[str] = set()
        self.subscribed = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, "ear", protocol=paho.MQTTv5)
        self._client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]
        self._client.on_connect = lambda client, *_: client.subscribe([("riskd/+/events", 1), ("riskd/availability", 1)])
        self._client.on_subscribe = lambda *_: self.subscribed.set()
        self._client.on_message = lambda _client, _data, message: self._note(message)
        keep = Properties(PacketTypes.CONNECT)
        keep.SessionExpiryInterval = 3600
        self._client.connect("127.0.0.1", port, clean_start=False, properties=keep)
        self._client.loop_start()
        self.subscribed.wait(20)

    @property
    def connected(self) -> bool:
        return self._client.is_connected()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _note(self, message: paho.MQTTMessage) -> None:
        body = message.payload.decode()
        if message.topic == "riskd/availability":
            if body == "online" and self._receipts:
                self._say_again()
            return
        if "dup" in dict(getattr(message.properties, "UserProperty", ())):
            self.again.add(len(self.heard))
        id = body.partition('"id":"')[2].partition('"')[0]
        self.heard.append((message.topic, id, body))
        self.ids.add(id)
        if self._receipts:
            self._handled.append((time.monotonic(), id))
            self._client.publish("riskd/receipts/ear", id, qos=1)

    def _say_again(self) -> None:
        while self._handled and self._handled[0][0] < time.monotonic() - SAID_AGAIN:
            self._handled.popleft()
        ids = [id for _, id in self._handled]
        for start in range(0, len(ids), MOST_IDS):
            self._client.publish("riskd/receipts/ear", json.dumps(ids[start : start + MOST_IDS]), qos=1)


class Noted(MqttSink):
    """The daemon's sink, which notes every event that it is about to publish, and whether that is for want of a receipt."""

    def __init__(self, folder: Path, target: MqttTarget, receipts: Receipts | None) -> None:
        super().__init__(target, receipts=receipts, draw=lambda: random.random() / 20)
        self._notes = noted(folder).open("a", buffering=1)

    async def deliver(self, message: Message) -> None:
        if self.connected:
            again = self.receipts is not None and self.receipts.again(message.id)
            self._notes.write(f"{message.id} {'again' if again else 'first'}\n")
        await super().deliver(message)


def noted(folder: Path) -> Path:
    """Where every publish of the daemon with this store is noted."""
    return folder.with_name("published")


def storm_state(count: int) -> State:
    """What the ledger keeps with alert ``count``; as small as a state can be."""
    nothing = frozen([])
    session = FIRST + timedelta(days=count)
    return State("storm", session, count, (), (), MarketState({}), nothing, nothing, nothing, np.zeros(0, np.int32))


def commit(ledger: Ledger, number: int) -> None:
    """Alert ``number``, from 1, in one transaction as the daemon's."""
    state = storm_state(number)
    portfolio = f"p{number % PORTFOLIOS}"
    alert = alert_event(AlertKind.BREACH_OPENED, portfolio, "cvar", state.session, f"alert {number}", {"number": number})
    ledger.commit(SessionVoid(state.session, "storm"), state, Outcome(state.session, alerts=(alert,)), ())


async def daemon(folder: Path, port: int, alerts: int, patience: float) -> None:
    """Commit what is missing and deliver; ends when every alert was taken.

    With ``patience``, seconds before an alert without a receipt is published again, it ends when every receipt came.
    """
    database = open_database(folder, SystemClock().now)
    ledger = Ledger(database, ("mqtt",))
    receipts = Receipts("riskd", ("ear",), patience, EVENT_EXPIRY_SECONDS) if patience else None
    sink = Noted(folder, MqttTarget(port=port, client_id="riskd-storm", publish_timeout=3.0), receipts)
    delivery = Delivery(SqlOutbox(database), [sink], draw=lambda: random.random() / 20)
    running = asyncio.create_task(delivery.run())
    newest = ledger.newest()
    for number in range(newest[0].rows + 1 if newest else 1, alerts + 1):
        await asyncio.to_thread(commit, ledger, number)
        delivery.wake()
    while not await delivery.flush(5) or delivery.stats()[0].unreceipted:
        await asyncio.wait({running}, timeout=0.1)  # without a connection a flush returns at once
        if running.done():
            running.result()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class Daemon:
    """The process that commits and delivers, started again whenever it was killed."""

    def __init__(self, folder: Path, port: int, alerts: int, patience: float) -> None:
        more = ("--receipts", str(patience)) if patience else ()
        self._command = (sys.executable, __file__, "--daemon", str(folder), str(port), str(alerts), *more)
        self._process: asyncio.subprocess.Process | None = None
        self._wanted = asyncio.Event()

    async def run(self) -> None:
        """Until it has ended by itself."""
        while True:
            self._process = await asyncio.create_subprocess_exec(*self._command)
            code = await self._process.wait()
            if code == 0:
                return
            if code != -signal.SIGKILL:
                raise SystemExit(f"the daemon ended with {code}")

    def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()


async def strike(
    ear: Ear, broker: Broker, daemon: Daemon, plan: list[tuple[int, str]], dice: random.Random, present: bool
) -> Counter[str]:
    """Kill whom ``plan`` names when so many alerts have been heard, and a moment later; how often each was."""
    struck: Counter[str] = Counter()
    for heard, victim in plan:
        while len(ear.ids) < heard:
            await asyncio.sleep(0.002)
        await asyncio.sleep(dice.uniform(0, 0.05))
        while present and not ear.connected:
            await asyncio.sleep(0.002)
        struck[victim] += 1
        if victim == "daemon":
            daemon.kill()
        else:
            await broker.kill()
            await broker.start()
    return struck


async def heard_out(ear: Ear, alerts: int) -> None:
    """Until all was heard, or nothing more comes."""
    count, since = len(ear.ids), time.monotonic()
    while len(ear.ids) < alerts and time.monotonic() - since < SILENCE:
        await asyncio.sleep(0.1)
        if len(ear.ids) > count:
            count, since = len(ear.ids), time.monotonic()


def in_order(ear: Ear) -> bool:
    """Whether the first hearings of each topic came as they were committed, and repeats are equal to the byte.

    What was sent again for want of a receipt comes late: the broker had lost it.
    """
    first: dict[str, str] = {}
    newest: Counter[str] = Counter()
    for place, (topic, id, body) in enumerate(ear.heard):
        if first.setdefault(id, body) != body:
            return False
        if first[id] is body and place not in ear.again:
            number = int(body.partition('"number":')[2].partition("}")[0])
            if number <= newest[topic]:
                return False
            newest[topic] = number
    return True


async def refused(broker: Broker) -> int:
    """How many of :data:`REFUSALS` publishes that the broker's access rules refuse are noticed."""
    acl = broker.folder / "acl"
    acl.write_text("topic readwrite riskd/#\ntopic deny riskd/p0/events\n")
    broker.extra = f"acl_file {acl}\n"
    await broker.kill()
    await broker.start()
    sink = MqttSink(MqttTarget(port=broker.port, client_id="riskd-refused"))
    running = asyncio.create_task(sink.run())
    noticed = 0
    while not sink.connected:
        await asyncio.sleep(0.01)
    for number in range(REFUSALS):
        try:
            await sink.deliver(Message(f"r{number}", "p0/events", "{}", retain=False))
        except DeliveryError as error:
            noticed += "Not authorized" in str(error) and not error.permanent
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return noticed


@asynccontextmanager
async def shown(ear: Ear, alerts: int) -> AsyncIterator[None]:
    """Progress on the standard error."""

    async def show() -> None:
        while True:
            print(f"heard {len(ear.ids)} of {alerts}", file=sys.stderr)
            await asyncio.sleep(5)

    showing = asyncio.create_task(show())
    try:
        yield
    finally:
        showing.cancel()


async def storm(options: argparse.Namespace, folder: Path) -> bool:
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise SystemExit("mosquitto is not installed: apt-get install mosquitto")
    dice, begun = random.Random(options.seed), time.monotonic()
    broker = Broker(program, folder, free_port())
    await broker.start()
    ear = await asyncio.to_thread(Ear, broker.port, options.receipts > 0)
    victims = ["broker"] * options.broker_kills + ["daemon"] * options.daemon_kills
    moments = sorted(dice.sample(range(options.alerts * 19 // 20), len(victims)))
    dice.shuffle(victims)
    victim = Daemon(folder / "state", broker.port, options.alerts, options.receipts)
    async with shown(ear, options.alerts):
        working = asyncio.create_task(victim.run())
        struck = await strike(ear, broker, victim, list(zip(moments, victims, strict=True)), dice, not options.absent)
        await working
        await heard_out(ear, options.alerts)
    ear.stop()
    seconds = time.monotonic() - begun
    noticed = await refused(broker)
    await broker.kill()
    return report(options, ear, struck, noticed, seconds, Counter(causes(ear, noted(folder / "state"))))


def causes(ear: Ear, notes: Path) -> Iterator[str]:
    """Who caused each repeat: the daemon's publishes of an event beyond the first, as far as they go, then the broker."""
    published = Counter(tuple(line.split()) for line in notes.read_text().splitlines() if line.count(" ") == 1)
    for id, times in Counter(id for _, id, _ in ear.heard).items():
        why = ["receipt"] * published[id, "again"] + ["unconfirmed"] * max(0, published[id, "first"] - 1)
        yield from (why + ["broker"] * times)[: times - 1]


def report(
    options: argparse.Namespace, ear: Ear, struck: Counter[str], noticed: int, seconds: float, repeats: Counter[str]
) -> bool:
    """Print the figures; whether they hold."""
    lost, ordered = options.alerts - len(ear.ids), in_order(ear)
    repeated, own = repeats.total(), repeats["receipt"] + repeats["unconfirmed"]
    share, own_share = repeated / options.alerts, own / options.alerts
    print(f"alerts committed            {options.alerts} on {PORTFOLIOS} topics in {seconds:.0f} s")
    print(f"kill -9                     broker {struck['broker']} times, daemon {struck['daemon']} times")
    print(f"lost                        {lost}")
    print(f"heard more than once        {repeated} ({share:.4f} of all), each with the id and the bytes of the first")
    print(f"  published again by riskd  {own} ({own_share:.4f} of all)")
    print(f"    unconfirmed             {repeats['unconfirmed']}")
    print(f"    for want of a receipt   {repeats['receipt']}")
    print(f"  repeated by the broker    {repeats['broker']}")
    print(f"first heard by a resend     {late(ear)}")
    print(f"order on every topic kept   {'yes' if ordered else 'NO'}")
    print(f"refused publishes noticed   {noticed} of {REFUSALS}")
    few = share <= options.most_repeats and own_share <= options.most_own
    return lost == 0 and ordered and few and noticed == REFUSALS


def late(ear: Ear) -> int:
    """How many alerts would have been lost without a receipt: first heard when they were sent again for want of one."""
    first: dict[str, int] = {}
    for place, (_, id, _) in enumerate(ear.heard):
        first.setdefault(id, place)
    return sum(place in ear.again for place in first.values())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=1000)
    parser.add_argument("--broker-kills", type=int, default=5)
    parser.add_argument("--daemon-kills", type=int, default=2)
    parser.add_argument("--most-repeats", type=float, default=0.01, help="share of the alerts that may be heard twice")
    parser.add_argument("--most-own", type=float, default=0.01, help="share that may be heard twice because of riskd itself")
    parser.add_argument(
        "--receipts",
        type=float,
        nargs="?",
        const=10.0,
        default=0.0,
        metavar="SECONDS",
        help="the subscriber sends receipts; what has none after so long is published again (without a number: 10)",
    )
    parser.add_argument(
        "--absent",
        action="store_true",
        help="kill the broker also while the subscriber is away: what it confirms and is killed before it saved is then lost,"
        " unless there are receipts",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--daemon", nargs=3, metavar=("FOLDER", "PORT", "ALERTS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.daemon:
        folder, port, alerts = options.daemon
        asyncio.run(daemon(Path(folder), int(port), int(alerts), options.receipts))
        return
    with TemporaryDirectory() as folder:
        sys.exit(0 if asyncio.run(storm(options, Path(folder))) else 1)


if __name__ == "__main__":
    main()
