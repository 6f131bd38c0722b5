"""Which sinks turned: what cannot be delivered for long, works again, or was given up, told once through the fold."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from riskd.core.events import Category, SinkTurned
from riskd.core.state import State
from riskd.observe.snapshot import Delivery
from riskd.store.outbox import Outbox, Parked

SHOWN = 3  # events named in a reason
LONGEST = 300  # characters of what a sink said


class SinkHealth:
    """``standings`` tells how sinks are doing now, ``patience`` how long one may take nothing before that is worth an alert."""

    def __init__(
        self, outbox: Outbox, standings: Callable[[], tuple[Delivery, ...]], now: Callable[[], datetime], patience: timedelta
    ) -> None:
        self._outbox, self._standings, self._now, self._patience = outbox, standings, now, patience

    def turns(self, state: State) -> tuple[SinkTurned, ...]:
        """What differs from what was told, as ``state`` remembers it. Blocking."""
        now, standings = self._now(), self._standings()
        return tuple(
            SinkTurned(state.session, sink, status, reason, now.isoformat(), given_up)
            for sink, status, reason, given_up in (*self._gone(state, standings), *self._turned(state, standings, now))
        )

    def _gone(self, state: State, standings: tuple[Delivery, ...]) -> Iterator[tuple[str, str, str, int]]:
        for sink in sorted(state.sinks.keys() - {d.sink for d in standings}):
            yield sink, "gone", f"since {_minute(state.sinks[sink])}", 0

    def _turned(self, state: State, standings: tuple[Delivery, ...], now: datetime) -> Iterator[tuple[str, str, str, int]]:
        for d in standings:
            told = state.sinks.get(d.sink)
            if told is None and d.trouble and d.trouble_seconds >= self._patience.total_seconds():
                yield d.sink, "failing", _trouble(d, now), 0
            elif told is not None and not d.trouble:
                yield d.sink, "working", f"was failing since {_minute(told)}; what waited is on its way", 0
            parked = self._outbox.parked(d.sink, state.given_up.get(d.sink, 0)) if d.parked else []
            if lost := [p for p in parked if not _of_delivery(p)]:
                yield d.sink, "parked", _given_up(lost), lost[-1].seq


def _trouble(d: Delivery, now: datetime) -> str:
    since = now - timedelta(seconds=d.trouble_seconds)
    waiting = f"; {d.pending} event{'s' * (d.pending != 1)} wait" + "s" * (d.pending == 1) if d.pending else ""
    return f"for {d.trouble_seconds / 60:.0f} minutes, since {since:%Y-%m-%d %H:%M} UTC{waiting}: {_short(d.trouble)}"


def _given_up(parked: list[Parked]) -> str:
    named = ", ".join(p.message.id for p in parked[:SHOWN]) + (" ..." if len(parked) > SHOWN else "")
    return f"{len(parked)} kept in the outbox and no longer tried ({named}): {_short(parked[-1].why)}"


def _of_delivery(parked: Parked) -> bool:
    """Whether it is itself about delivery: telling that again would never end."""
    return bool(json.loads(parked.message.body).get("class") == Category.DELIVERY)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 4] + " ..."


def _minute(at: str) -> str:
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M} UTC"
