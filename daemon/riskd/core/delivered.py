"""What is told of delivery itself: a sink that takes nothing, takes again, or gave events up."""

from dataclasses import replace

from riskd.core.alerts import alert_event
from riskd.core.events import AlertEvent, AlertKind, Outcome, SinkTurned
from riskd.core.state import State

WORDS = {
    "failing": "cannot be delivered to",
    "working": "is delivered to again",
    "parked": "refused events for good",
    "gone": "is no longer configured and was failing",
}


def sink_turned(state: State, event: SinkTurned) -> tuple[State, Outcome]:
    """What is remembered of the sink, so that each turn is told once, over restarts too, and the alert."""
    failing = {name: since for name, since in state.sinks.items() if name != event.sink or event.status == "parked"}
    given_up = dict(state.given_up)
    match event.status:
        case "failing":
            failing[event.sink] = event.at
        case "parked":
            given_up[event.sink] = event.given_up
    return replace(state, sinks=failing, given_up=given_up), Outcome(state.session, alerts=(_alert(event),))


def _alert(event: SinkTurned) -> AlertEvent:
    """``why`` names the sink, what it turned to and the reason."""
    why: dict[str, object] = {"sink": event.sink, "status": event.status, "reason": event.reason, "at": event.at}
    line = f"sink {event.sink} {WORDS[event.status]}: {event.reason}"
    page = event.status in ("failing", "parked")
    about = (event.sink, event.at)
    return alert_event(AlertKind(f"delivery.{event.status}"), None, None, event.session, line, why, about, page=page)
