"""What waits to be delivered, per sink, what came of the rest, and the connection of the MQTT sink."""

from collections.abc import Callable, Iterator
from datetime import datetime

from riskd.observe.families.family import Family, counter, gauge
from riskd.observe.snapshot import Delivery, Snapshot


def delivery_families(snapshot: Snapshot, now: datetime) -> Iterator[Family]:
    """Every sink; the oldest event goes on ageing between two snapshots."""
    rows = snapshot.deliveries
    since = max((now - snapshot.taken_at).total_seconds(), 0.0)

    def family(name: str, text: str, number: Callable[[Delivery], float]) -> Family:
        return gauge(name, text, ("sink",), [((d.sink,), number(d)) for d in rows])

    def trouble(d: Delivery) -> float:
        return d.trouble_seconds + since if d.trouble else 0.0

    def age(d: Delivery) -> float:
        return d.oldest_age_seconds + since if d.pending else 0.0

    yield family("riskd_outbox_pending", "Events that the sink has not taken yet.", lambda d: d.pending)
    yield family("riskd_outbox_parked", "Events that the sink refused for good.", lambda d: d.parked)
    yield family("riskd_outbox_oldest_age_seconds", "Age of the oldest event that the sink has not taken yet.", age)
    yield family("riskd_sink_trouble_seconds", "For how long nothing gets through to the sink, 0 if something does.", trouble)
    yield family(
        "riskd_sink_unheard", "1 if the sink took its newest event and the event reached nobody.", lambda d: bool(d.unheard)
    )
    text = "Events that the sink took and whose receipts have not all come, 0 if none are awaited."
    yield family("riskd_receipts_missing", text, lambda d: d.unreceipted)
    tries = [((d.sink, what), n) for d in rows for what, n in _tries(d).items()]
    text = "Tries to deliver an event since the start: taken, refused for now, or given up and parked."
    yield counter("riskd_deliveries", text, ("sink", "outcome"), tries)
    yield family("riskd_sink_connected", "1 if the sink can be delivered to at present.", lambda d: d.connected)
    mqtt = [d for d in rows if d.sink == "mqtt"]
    yield gauge("riskd_mqtt_connected", "1 if connected to the MQTT broker.", (), [((), float(d.connected)) for d in mqtt])
    again = [((), max(d.connections - 1, 0)) for d in mqtt]
    yield counter("riskd_mqtt_reconnects", "Connections to the MQTT broker after the first one.", (), again)


def _tries(d: Delivery) -> dict[str, int]:
    return {"taken": d.taken, "refused": d.refused, "parked": d.given_up}
